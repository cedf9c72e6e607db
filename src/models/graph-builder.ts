/**
 * Builds an ONNX graph in memory: nodes at once, weights as recipes that are carried out when the file is written, so that
 * a model of any size can be counted without being made. Parameters and multiply–accumulates are counted on the way.
 */
import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProtoSchema,
  AttributeProto_AttributeType as AttributeType,
  TensorProto_DataType as DataType,
  type NodeProto,
  NodeProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { hashText, mixSeeds, Random } from './random.ts';
import { elementCount } from './tensor.ts';

export const ELEMENT_TYPES = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
  int32: DataType.INT32,
  int64: DataType.INT64,
} as const;
export type ElementType = keyof typeof ELEMENT_TYPES;

const ELEMENT_BYTES: Record<ElementType, number> = { float32: 4, float16: 2, int8: 1, uint8: 1, int32: 4, int64: 8 };

/** A weight that is made when the file is written. */
export interface Initializer {
  name: string;
  elementType: ElementType;
  dims: readonly number[];
  byteLength: number;
  /** Little-endian content in order; a chunk is only good until the next one is asked for. */
  chunks(): Iterable<Uint8Array>;
}

/** A number that ONNX keeps as a float even where it is whole. */
export interface FloatAttribute {
  float: number;
}
/** Plain numbers are integers. */
export type Attribute = number | readonly number[] | string | FloatAttribute;

/** Where MACs are counted: rows of the batch, new tokens per row, tokens per row that the KV cache holds already. */
export interface WorkPoint {
  batch: number;
  sequence: number;
  context: number;
}

export interface NodeOptions {
  /** Names of the outputs; '' leaves an optional one out. One fresh name by default. */
  outputs?: readonly string[];
  domain?: string;
}

const CHUNK_ELEMENTS = 1 << 20;

export class GraphBuilder {
  readonly name: string;
  readonly opset: number;
  usesContribOps: boolean;
  readonly nodes: NodeProto[] = [];
  readonly inputs: ValueInfoProto[] = [];
  readonly outputs: ValueInfoProto[] = [];
  readonly initializers: Initializer[] = [];
  /** Learned numbers; tables and running statistics are not counted, as is the custom. */
  parameters = 0;
  readonly #seed: number;
  readonly #macTerms: ((at: WorkPoint) => number)[] = [];
  readonly #constants = new Map<string, string>();
  #fresh = 0;
  /** Keeps fresh names of a derived graph apart from those that it took over. */
  #prefix = '';

  constructor(name: string, options: { seed: number; opset?: number; usesContribOps?: boolean }) {
    this.name = name;
    this.#seed = options.seed;
    this.opset = options.opset ?? 21;
    this.usesContribOps = options.usesContribOps ?? false;
  }

  /** An empty graph with this one's inputs, outputs and counts, to be filled with another form of the same model. */
  derive(): GraphBuilder {
    const derived = new GraphBuilder(this.name, {
      seed: this.#seed,
      opset: this.opset,
      usesContribOps: this.usesContribOps,
    });
    derived.inputs.push(...this.inputs);
    derived.outputs.push(...this.outputs);
    derived.parameters = this.parameters;
    derived.#macTerms.push(...this.#macTerms);
    derived.#prefix = `${this.#prefix}derived.`;
    return derived;
  }

  /** Says that nodes of com.microsoft were added. */
  withContribOps(): this {
    this.usesContribOps = true;
    return this;
  }

  /** Whether there is an initializer of that name. */
  has(name: string): boolean {
    return this.initializers.some(initializer => initializer.name === name);
  }

  /** A tensor of any type that is made when the file is written; not counted as parameters. */
  tensor(name: string, elementType: ElementType, dims: readonly number[], chunks: () => Iterable<Uint8Array>): string {
    return this.#add(name, elementType, dims, chunks);
  }

  /** Multiply–accumulates of one inference, summed over all nodes that were counted. */
  macs(at: WorkPoint): number {
    return this.#macTerms.reduce((sum, term) => sum + term(at), 0);
  }

  countMacs(term: (at: WorkPoint) => number): void {
    this.#macTerms.push(term);
  }

  /** A text stands for a dynamic dimension of that name. */
  input(name: string, type: ElementType, dims: readonly (number | string)[]): string {
    this.inputs.push(valueInfo(name, type, dims));
    return name;
  }

  output(name: string, type: ElementType, dims: readonly (number | string)[]): void {
    this.outputs.push(valueInfo(name, type, dims));
  }

  /** A learned tensor of seeded random numbers; the same name and seed give the same numbers. */
  weight(name: string, dims: readonly number[], std: number, mean = 0): string {
    this.parameters += elementCount(dims);
    return this.#addRandom(name, dims, std, mean);
  }

  /** A tensor that is not learned (running statistics): random, and not counted as parameters. */
  statistic(name: string, dims: readonly number[], std: number, mean: number): string {
    return this.#addRandom(name, dims, std, mean);
  }

  /** A computed table (rotary angles), not counted as parameters. */
  table(name: string, dims: readonly number[], make: () => Float32Array): string {
    return this.#add(name, 'float32', dims, () => [bytesOf(make())]);
  }

  /** Shapes, axes and indices; equal ones are shared. */
  integers(values: readonly number[]): string {
    return this.#constant(`int64.${values.join('_')}`, 'int64', [values.length], () =>
      bytesOf(BigInt64Array.from(values, BigInt)),
    );
  }

  /** A single index, which is no list: it takes its axis away in a Gather. */
  index(value: number): string {
    return this.#constant(`int64.scalar.${value}`, 'int64', [], () => bytesOf(BigInt64Array.of(BigInt(value))));
  }

  scalar(value: number): string {
    return this.#constant(`float32.${value}`, 'float32', [], () => bytesOf(Float32Array.of(value)));
  }

  /** Adds a node and gives the name of its first output. */
  node(
    opType: string,
    inputs: readonly string[],
    attributes: Record<string, Attribute> = {},
    options: NodeOptions = {},
  ): string {
    const outputs = options.outputs ?? [`${this.#prefix}value.${this.#fresh++}`];
    this.nodes.push(
      create(NodeProtoSchema, {
        opType,
        domain: options.domain ?? '',
        name: `${this.#prefix}${opType}.${this.nodes.length}`,
        input: [...inputs],
        output: [...outputs],
        attribute: Object.entries(attributes).map(([name, value]) => attributeProto(name, value)),
      }),
    );
    return outputs[0] ?? '';
  }

  #addRandom(name: string, dims: readonly number[], std: number, mean: number): string {
    const seed = mixSeeds(this.#seed, hashText(name));
    return this.#add(name, 'float32', dims, () => randomChunks(seed, elementCount(dims), std, mean));
  }

  #constant(key: string, elementType: ElementType, dims: readonly number[], make: () => Uint8Array): string {
    const name = `${this.#prefix}${key}`;
    const known = this.#constants.get(key);
    if (known !== undefined) return known;
    this.#constants.set(key, name);
    return this.#add(name, elementType, dims, () => [make()]);
  }

  #add(name: string, elementType: ElementType, dims: readonly number[], chunks: () => Iterable<Uint8Array>): string {
    const byteLength = elementCount(dims) * ELEMENT_BYTES[elementType];
    this.initializers.push({ name, elementType, dims, byteLength, chunks });
    return name;
  }
}

function* randomChunks(seed: number, count: number, std: number, mean: number): Generator<Uint8Array> {
  const random = new Random(seed);
  const buffer = new Float32Array(Math.min(count, CHUNK_ELEMENTS));
  for (let done = 0; done < count; done += buffer.length) {
    yield bytesOf(random.fill(buffer.subarray(0, Math.min(buffer.length, count - done)), std, mean));
  }
}

/** The same memory as bytes. */
export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function attributeProto(name: string, value: Attribute): AttributeProto {
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  if (typeof value === 'string') {
    return create(AttributeProtoSchema, { name, type: AttributeType.STRING, s: new TextEncoder().encode(value) });
  }
  if ('float' in value) return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

export function valueInfo(name: string, type: ElementType, dims: readonly (number | string)[]): ValueInfoProto {
  return create(ValueInfoProtoSchema, {
    name,
    type: {
      value: {
        case: 'tensorType',
        value: {
          elemType: ELEMENT_TYPES[type],
          shape: {
            dim: dims.map(dim => ({
              value:
                typeof dim === 'string'
                  ? { case: 'dimParam' as const, value: dim }
                  : { case: 'dimValue' as const, value: BigInt(dim) },
            })),
          },
        },
      },
    },
  });
}
