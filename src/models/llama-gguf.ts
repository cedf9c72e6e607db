/**
 * Our Llama-style models as GGUF, for llama.cpp: the very weights of the ONNX file, so that the two engines can be held against each other.
 * Names as llama.cpp's converter gives them. It turns positions in neighbouring pairs where our graph turns halves, so the
 * rows of query and key are put in that order.
 */
import { halfBits, toHalves } from './compress/half.ts';
import { floatsOf, transpose } from './compress/rewrite.ts';
import { packBlocks } from './compress/weight-only-int4.ts';
import { type GgmlType, type GgufTensor, type GgufValue, tensorBytes, writeGguf } from './gguf-writer.ts';
import { bytesOf, type GraphBuilder, type Initializer } from './graph-builder.ts';
import { EPSILON, type LlamaConfig, ROTARY_BASE } from './llama.ts';
import type { ModelSource } from './model-cache.ts';
import type { DecoderModel } from './registry.ts';
import { buildVariant, type Precision, type Sparsity } from './variant.ts';

/** Raised whenever the same model gives another file. */
const GGUF_VERSION = 1;

/** What the matrices are kept in; norms are fp32 always, as llama.cpp wants them. */
const MATRIX_TYPE: Partial<Record<Precision, GgmlType>> = { fp32: 'f32', fp16: 'f16', int4: 'q4_0' };
export const GGUF_PRECISIONS = Object.keys(MATRIX_TYPE) as readonly Precision[];

/** General file types of llama.cpp (LLAMA_FTYPE_*), for its own display. */
const FILE_TYPE: Partial<Record<GgmlType, number>> = { f32: 0, f16: 1, q4_0: 2 };

const BLOCK = 32;
const TOKEN = { normal: 1, unknown: 2, control: 3, byte: 6 };
const BYTE_TOKENS = 256;
const SPECIAL_TOKENS = ['<unk>', '<s>', '</s>'];

/** The graph whose weights it has, and how the cache makes the file. */
export function llamaGguf(
  model: DecoderModel,
  precision: Precision,
  sparsity: Sparsity | undefined,
): { source: ModelSource; graph: GraphBuilder } {
  const matrix = MATRIX_TYPE[precision];
  if (matrix === undefined) throw new Error(`there is no GGUF in ${precision}`);
  const graph = buildVariant(model, 'fp32', sparsity).graph;
  const tensors = ggufTensors(model.config, graph, matrix);
  const { name, version } = buildVariant(model, precision, sparsity);
  return {
    graph,
    source: {
      name,
      version: 1000 * version + GGUF_VERSION,
      form: {
        extension: 'gguf',
        bytes: tensors.reduce((sum, tensor) => sum + tensorBytes(tensor), 0),
        write: path => writeGguf(metadata(model, matrix), tensors, path),
      },
    },
  };
}

function metadata({ name, config }: DecoderModel, matrix: GgmlType): Record<string, GgufValue> {
  const number = (value: number): GgufValue => ({ type: 'uint32', value });
  const { tokens, types } = vocabulary(config.vocabulary);
  return {
    'general.architecture': { type: 'text', value: 'llama' },
    'general.name': { type: 'text', value: `aibench ${name}` },
    'general.file_type': number(FILE_TYPE[matrix] ?? 0),
    'llama.context_length': number(config.positions),
    'llama.embedding_length': number(config.hidden),
    'llama.block_count': number(config.layers),
    'llama.feed_forward_length': number(config.feedForward),
    'llama.attention.head_count': number(config.heads),
    'llama.attention.head_count_kv': number(config.kvHeads),
    'llama.attention.layer_norm_rms_epsilon': { type: 'float32', value: EPSILON },
    'llama.rope.dimension_count': number(config.hidden / config.heads),
    'llama.rope.freq_base': { type: 'float32', value: ROTARY_BASE },
    'llama.vocab_size': number(config.vocabulary),
    'tokenizer.ggml.model': { type: 'text', value: 'llama' },
    'tokenizer.ggml.tokens': { type: 'array', of: 'text', values: tokens },
    'tokenizer.ggml.scores': { type: 'array', of: 'float32', values: tokens.map(() => 0) },
    'tokenizer.ggml.token_type': { type: 'array', of: 'int32', values: types },
    'tokenizer.ggml.unknown_token_id': number(0),
    'tokenizer.ggml.bos_token_id': number(1),
    'tokenizer.ggml.eos_token_id': number(2),
  };
}

/** Names for the ids, which nobody reads: cases run on ids. */
function vocabulary(size: number): { tokens: string[]; types: number[] } {
  const bytes = Array.from({ length: BYTE_TOKENS }, (_, i) => `<0x${i.toString(16).toUpperCase().padStart(2, '0')}>`);
  const named = [...SPECIAL_TOKENS, ...bytes];
  return {
    tokens: Array.from({ length: size }, (_, id) => named[id] ?? `t${id}`),
    types: Array.from({ length: size }, (_, id) => {
      if (id === 0) return TOKEN.unknown;
      if (id < SPECIAL_TOKENS.length) return TOKEN.control;
      return id < named.length ? TOKEN.byte : TOKEN.normal;
    }),
  };
}

/** In the order of llama.cpp's own files: embedding, layers, norm, output. */
function ggufTensors(config: LlamaConfig, graph: GraphBuilder, matrix: GgmlType): GgufTensor[] {
  const { layers, hidden, heads, kvHeads, feedForward, vocabulary: size, tiedEmbeddings } = config;
  const weights = new Map(graph.initializers.map(initializer => [initializer.name, initializer]));
  const weight = (name: string): Initializer => {
    const found = weights.get(name);
    if (found === undefined) throw new Error(`the graph has no ${name}`);
    return found;
  };
  const norm = (name: string, from: string): GgufTensor => ({
    name,
    type: 'f32',
    dims: [hidden],
    data: () => bytesOf(floatsOf(weight(from))),
  });
  /** A row per output already: the embedding and the output's projection. */
  const table = (name: string, from: string, type: GgmlType): GgufTensor => ({
    name,
    type,
    dims: [hidden, size],
    data: () => encode(floatsOf(weight(from)), type),
  });
  const linear = (name: string, from: string, inputs: number, outputs: number, turned = 0): GgufTensor => ({
    name,
    type: matrix,
    dims: [inputs, outputs],
    data: () => {
      const rows = transpose(floatsOf(weight(from)), inputs, outputs);
      return encode(turned === 0 ? rows : inPairs(rows, inputs, outputs / turned), matrix);
    },
  });
  const kvWidth = (kvHeads * hidden) / heads;
  const layer = (index: number): GgufTensor[] => {
    const to = (part: string): string => `blk.${index}.${part}.weight`;
    const from = (part: string): string => `model.layers.${index}.${part}.weight`;
    return [
      norm(to('attn_norm'), from('input_layernorm')),
      linear(to('attn_q'), from('self_attn.q_proj'), hidden, hidden, heads),
      linear(to('attn_k'), from('self_attn.k_proj'), hidden, kvWidth, kvHeads),
      linear(to('attn_v'), from('self_attn.v_proj'), hidden, kvWidth),
      linear(to('attn_output'), from('self_attn.o_proj'), hidden, hidden),
      norm(to('ffn_norm'), from('post_attention_layernorm')),
      linear(to('ffn_gate'), from('mlp.gate_proj'), hidden, feedForward),
      linear(to('ffn_up'), from('mlp.up_proj'), hidden, feedForward),
      linear(to('ffn_down'), from('mlp.down_proj'), feedForward, hidden),
    ];
  };
  // As in our int4 ONNX file: what is looked up stays fp32, what is multiplied with is packed.
  const embedding = table('token_embd.weight', 'model.embed_tokens.weight', matrix === 'q4_0' ? 'f32' : matrix);
  const output = table('output.weight', tiedEmbeddings ? 'model.embed_tokens.weight' : 'lm_head.weight', matrix);
  return [
    embedding,
    ...Array.from({ length: layers }, (_, index) => layer(index)).flat(),
    norm('output_norm.weight', 'model.norm.weight'),
    ...(tiedEmbeddings && embedding.type === matrix ? [] : [output]),
  ];
}

/** Rows of each head of `width` rows from [first half, second half] to pairs: row 2i is the old i, row 2i + 1 the old i + width/2. */
export function inPairs(rows: Float32Array, inputs: number, width: number): Float32Array {
  const turned = new Float32Array(rows.length);
  for (let row = 0; row < rows.length / inputs; row++) {
    const within = row % width;
    const old = row - within + Math.floor(within / 2) + (within % 2) * (width / 2);
    turned.set(rows.subarray(old * inputs, (old + 1) * inputs), row * inputs);
  }
  return turned;
}

function encode(values: Float32Array, type: GgmlType): Uint8Array {
  if (type === 'f32') return bytesOf(values);
  return type === 'f16' ? bytesOf(toHalves(values)) : toQ40(values);
}

/** The codes of our int4 models in q4_0's layout; the scale is rounded to fp16, the only difference. */
export function toQ40(values: Float32Array): Uint8Array {
  const { nibbles, scales } = packBlocks(values);
  const data = new Uint8Array((values.length / BLOCK) * 18);
  const view = new DataView(data.buffer);
  const half = BLOCK / 2;
  for (const [block, scale] of scales.entries()) {
    const at = 18 * block;
    view.setUint16(at, halfBits(scale), true);
    for (let i = 0; i < half; i++) {
      const code = (index: number): number => {
        const pair = nibbles[half * block + (index >> 1)] ?? 0;
        return index % 2 === 0 ? pair & 15 : pair >> 4;
      };
      data[at + 2 + i] = code(i) | (code(i + half) << 4);
    }
  }
  return data;
}
