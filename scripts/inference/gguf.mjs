// A Llama-style model of seeded random weights as a GGUF file, which llama.cpp runs: the same shapes as src/models/llama.ts, in the 4-bit
// blocks q4_0 (32 weights: an fp16 scale and 16 bytes). Layout: ggml's docs/gguf.md, version 3.
import { closeSync, openSync, writeSync } from 'node:fs';

const ALIGNMENT = 32;
const VALUE = { uint32: 4, int32: 5, float32: 6, text: 8, array: 9 };
const TENSOR = { f32: 0, q4_0: 2 };
const Q4_BLOCK = 32;
const Q4_BYTES = 18;
/** 0.0043 as binary16: about 1 / sqrt(hidden) over the root mean square of a nibble. */
const SCALE_BITS = 0x1c70;
const TOKEN = { normal: 1, unknown: 2, control: 3, byte: 6 };
const BYTE_TOKENS = 256;
const SPECIAL_TOKENS = ['<unk>', '<s>', '</s>'];

const aligned = bytes => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;

class Head {
  #parts = [];
  bytes() {
    return Buffer.concat(this.#parts);
  }
  raw(part) {
    this.#parts.push(part);
  }
  uint32(value) {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.raw(part);
  }
  uint64(value) {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    this.raw(part);
  }
  text(value) {
    this.uint64(Buffer.byteLength(value));
    this.raw(Buffer.from(value));
  }
  number(value) {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    this.raw(part);
  }
  array(type, values, write) {
    this.uint32(type);
    this.uint64(values.length);
    for (const value of values) write(value);
  }
}

function vocabulary(size) {
  const bytes = Array.from({ length: BYTE_TOKENS }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const named = [...SPECIAL_TOKENS, ...bytes];
  const tokens = Array.from({ length: size }, (_, i) => named[i] ?? `t${i}`);
  const types = tokens.map((_, i) => {
    if (i === 0) return TOKEN.unknown;
    if (i < SPECIAL_TOKENS.length) return TOKEN.control;
    return i < named.length ? TOKEN.byte : TOKEN.normal;
  });
  return { tokens, types };
}

function metadata(head, { layers, hidden, heads, kvHeads, feedForward, vocabulary: size, positions }) {
  const numbers = {
    'llama.context_length': positions,
    'llama.embedding_length': hidden,
    'llama.block_count': layers,
    'llama.feed_forward_length': feedForward,
    'llama.attention.head_count': heads,
    'llama.attention.head_count_kv': kvHeads,
    'llama.rope.dimension_count': hidden / heads,
    'llama.vocab_size': size,
    'general.file_type': 2,
    'tokenizer.ggml.unknown_token_id': 0,
    'tokenizer.ggml.bos_token_id': 1,
    'tokenizer.ggml.eos_token_id': 2,
  };
  const texts = { 'general.architecture': 'llama', 'general.name': 'aibench', 'tokenizer.ggml.model': 'llama' };
  const { tokens, types } = vocabulary(size);
  return [
    ...Object.entries(texts).map(([key, value]) => [key, VALUE.text, () => head.text(value)]),
    ...Object.entries(numbers).map(([key, value]) => [key, VALUE.uint32, () => head.uint32(value)]),
    ['llama.attention.layer_norm_rms_epsilon', VALUE.float32, () => head.number(1e-5)],
    ['tokenizer.ggml.tokens', VALUE.array, () => head.array(VALUE.text, tokens, token => head.text(token))],
    ['tokenizer.ggml.scores', VALUE.array, () => head.array(VALUE.float32, tokens, () => head.number(0))],
    ['tokenizer.ggml.token_type', VALUE.array, () => head.array(VALUE.int32, types, type => head.uint32(type))],
  ];
}

function tensors({ layers, hidden, heads, kvHeads, feedForward, vocabulary: size }) {
  const cache = (kvHeads * hidden) / heads;
  const weight = (name, inputs, outputs) => ({ name, dims: [inputs, outputs], type: TENSOR.q4_0 });
  const norm = name => ({ name, dims: [hidden], type: TENSOR.f32 });
  const layer = index => {
    const named = part => `blk.${index}.${part}.weight`;
    return [
      norm(named('attn_norm')),
      weight(named('attn_q'), hidden, hidden),
      weight(named('attn_k'), hidden, cache),
      weight(named('attn_v'), hidden, cache),
      weight(named('attn_output'), hidden, hidden),
      norm(named('ffn_norm')),
      weight(named('ffn_gate'), hidden, feedForward),
      weight(named('ffn_up'), hidden, feedForward),
      weight(named('ffn_down'), feedForward, hidden),
    ];
  };
  return [
    weight('token_embd.weight', hidden, size),
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    norm('output_norm.weight'),
    weight('output.weight', hidden, size),
  ];
}

const elements = ({ dims }) => dims.reduce((product, dim) => product * dim, 1);
const byteLength = tensor =>
  tensor.type === TENSOR.f32 ? 4 * elements(tensor) : (elements(tensor) / Q4_BLOCK) * Q4_BYTES;

function content(tensor, random) {
  const data = Buffer.alloc(aligned(byteLength(tensor)));
  if (tensor.type === TENSOR.f32) {
    for (let i = 0; i < elements(tensor); i++) data.writeFloatLE(1, 4 * i);
    return data;
  }
  for (let block = 0; block < elements(tensor) / Q4_BLOCK; block++) {
    const at = block * Q4_BYTES;
    data.writeUInt16LE(SCALE_BITS, at);
    for (let word = 0; word < 4; word++) data.writeUInt32LE(random(), at + 2 + 4 * word);
  }
  return data;
}

/** xorshift32: any seeded bits do, speed does not depend on them. */
function xorshift(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/** Writes the model of `config` (a LlamaConfig) to `file`. */
export function writeGguf(config, file) {
  const list = tensors(config);
  const head = new Head();
  const rows = metadata(head, config);
  head.raw(Buffer.from('GGUF'));
  head.uint32(3);
  head.uint64(list.length);
  head.uint64(rows.length);
  for (const [key, type, write] of rows) {
    head.text(key);
    head.uint32(type);
    write();
  }
  let offset = 0;
  for (const tensor of list) {
    head.text(tensor.name);
    head.uint32(tensor.dims.length);
    for (const dim of tensor.dims) head.uint64(dim);
    head.uint32(tensor.type);
    head.uint64(offset);
    offset += aligned(byteLength(tensor));
  }
  const fd = openSync(file, 'w');
  try {
    const bytes = head.bytes();
    writeSync(fd, Buffer.concat([bytes, Buffer.alloc(aligned(bytes.length) - bytes.length)]));
    const random = xorshift(12_345);
    for (const tensor of list) {
      const data = content(tensor, random);
      for (let done = 0; done < data.length; ) done += writeSync(fd, data, done);
    }
  } finally {
    closeSync(fd);
  }
}
