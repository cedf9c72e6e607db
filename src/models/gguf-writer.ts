/** Writes a GGUF file, the form that llama.cpp reads: a head of named values, the tensors' shapes, their data. ggml, docs/gguf.md, version 3. */
import { type WrittenFile, withSink } from './file-sink.ts';

const VERSION = 3;
const ALIGNMENT = 32;
const VALUE_TYPES = { uint32: 4, int32: 5, float32: 6, text: 8, array: 9 } as const;

export type GgufValue =
  | { type: 'uint32'; value: number }
  | { type: 'float32'; value: number }
  | { type: 'text'; value: string }
  | { type: 'array'; of: 'int32'; values: readonly number[] }
  | { type: 'array'; of: 'float32'; values: readonly number[] }
  | { type: 'array'; of: 'text'; values: readonly string[] };

/** ggml's number, and the bytes of a block of so many elements. */
export const GGML_TYPES = {
  f32: { id: 0, block: 1, bytes: 4 },
  f16: { id: 1, block: 1, bytes: 2 },
  /** 32 weights: an fp16 scale, then the 4-bit codes, those of the first half in the lower bits. */
  q4_0: { id: 2, block: 32, bytes: 18 },
} as const;
export type GgmlType = keyof typeof GGML_TYPES;

export interface GgufTensor {
  name: string;
  type: GgmlType;
  /** Fastest first, the other way round than in ONNX: [inputs, outputs]. */
  dims: readonly number[];
  /** The whole content; asked for once, when it is written. */
  data(): Uint8Array;
}

export function tensorBytes({ type, dims }: Pick<GgufTensor, 'type' | 'dims'>): number {
  const { block, bytes } = GGML_TYPES[type];
  return (dims.reduce((product, dim) => product * dim, 1) / block) * bytes;
}

/** Writes to `path`, which must not exist. Throws what the file system throws. */
export function writeGguf(
  values: Readonly<Record<string, GgufValue>>,
  tensors: readonly GgufTensor[],
  path: string,
): WrittenFile {
  return withSink(path, sink => {
    sink.write(encodeHead(values, tensors));
    sink.pad(ALIGNMENT);
    for (const tensor of tensors) {
      const data = tensor.data();
      if (data.byteLength !== tensorBytes(tensor)) throw new Error(`${tensor.name} has ${data.byteLength} bytes`);
      sink.write(data);
      sink.pad(ALIGNMENT);
    }
  });
}

function encodeHead(values: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]): Uint8Array {
  const head = new Encoder();
  head.bytes(Buffer.from('GGUF'));
  head.uint32(VERSION);
  head.uint64(tensors.length);
  head.uint64(Object.keys(values).length);
  for (const [key, value] of Object.entries(values)) {
    head.text(key);
    head.value(value);
  }
  let offset = 0;
  for (const tensor of tensors) {
    head.text(tensor.name);
    head.uint32(tensor.dims.length);
    for (const dim of tensor.dims) head.uint64(dim);
    head.uint32(GGML_TYPES[tensor.type].id);
    head.uint64(offset);
    offset += Math.ceil(tensorBytes(tensor) / ALIGNMENT) * ALIGNMENT;
  }
  return head.joined();
}

/** Little-endian values one after another. */
class Encoder {
  readonly #parts: Buffer[] = [];

  bytes(part: Buffer): void {
    this.#parts.push(part);
  }

  joined(): Uint8Array {
    return Buffer.concat(this.#parts);
  }

  uint32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeUInt32LE(value);
    this.bytes(part);
  }

  uint64(value: number): void {
    const part = Buffer.alloc(8);
    part.writeBigUInt64LE(BigInt(value));
    this.bytes(part);
  }

  float32(value: number): void {
    const part = Buffer.alloc(4);
    part.writeFloatLE(value);
    this.bytes(part);
  }

  text(value: string): void {
    const part = Buffer.from(value);
    this.uint64(part.byteLength);
    this.bytes(part);
  }

  value(value: GgufValue): void {
    this.uint32(VALUE_TYPES[value.type]);
    switch (value.type) {
      case 'uint32':
        this.uint32(value.value);
        break;
      case 'float32':
        this.float32(value.value);
        break;
      case 'text':
        this.text(value.value);
        break;
      case 'array':
        this.array(value);
    }
  }

  array(value: Extract<GgufValue, { type: 'array' }>): void {
    this.uint32(VALUE_TYPES[value.of]);
    this.uint64(value.values.length);
    if (value.of === 'text') for (const text of value.values) this.text(text);
    else if (value.of === 'int32') for (const number of value.values) this.uint32(number);
    else for (const number of value.values) this.float32(number);
  }
}
