/** What every compression has in common: a new graph from an old one, node by node, with weights made from the old ones. */
import { create } from '@bufbuild/protobuf';
import { type NodeProto, NodeProtoSchema } from 'onnx-buf';
import { bytesOf, type GraphBuilder, type Initializer } from '../graph-builder.ts';

/** A matrix product with a learned matrix, as MatMul or Gemm have it. */
export interface Linear {
  input: string;
  output: string;
  weight: Initializer;
  bias: string | null;
  /** Rows of the result's width (N) and of the inner dimension (K). */
  n: number;
  k: number;
  /** The weight lies as [N, K] (Gemm with transB) and not as [K, N]. */
  transposed: boolean;
}

export type InitializersByName = ReadonlyMap<string, Initializer>;

export function initializersOf(graph: GraphBuilder): InitializersByName {
  return new Map(graph.initializers.map(initializer => [initializer.name, initializer]));
}

/** The node as a matrix product with a weight, or null. */
export function asLinear(node: NodeProto, initializers: InitializersByName): Linear | null {
  const [input = '', weightName = '', bias] = node.input;
  const weight = initializers.get(weightName);
  if (weight === undefined || weight.elementType !== 'float32' || weight.dims.length !== 2) return null;
  const [rows = 0, columns = 0] = weight.dims;
  const output = node.output[0] ?? '';
  if (node.opType === 'MatMul') {
    return { input, output, weight, bias: null, n: columns, k: rows, transposed: false };
  }
  if (node.opType !== 'Gemm' || integerAttribute(node, 'transA') !== 0) return null;
  const transposed = integerAttribute(node, 'transB') === 1;
  const [n, k] = transposed ? [rows, columns] : [columns, rows];
  return { input, output, weight, bias: bias ?? null, n, k, transposed };
}

export function integerAttribute(node: NodeProto, name: string): number {
  return Number(node.attribute.find(attribute => attribute.name === name)?.i ?? 0);
}

/** All of a weight's numbers. */
export function floatsOf(initializer: Initializer): Float32Array {
  const values = new Float32Array(initializer.byteLength / 4);
  const bytes = new Uint8Array(values.buffer);
  let at = 0;
  for (const chunk of initializer.chunks()) {
    bytes.set(chunk, at);
    at += chunk.byteLength;
  }
  return values;
}

/** The matrix as [N, K]: a row per output, the way that block formats want it. */
export function outputRows({ weight, n, k, transposed }: Linear): Float32Array {
  const values = floatsOf(weight);
  return transposed ? values : transpose(values, k, n);
}

/** The matrix as [K, N], the way that MatMul wants it. */
export function inputRows({ weight, n, k, transposed }: Linear): Float32Array {
  const values = floatsOf(weight);
  return transposed ? transpose(values, n, k) : values;
}

/** [rows, columns] to [columns, rows], in tiles that stay in the cache. */
export function transpose(values: Float32Array, rows: number, columns: number): Float32Array {
  const result = new Float32Array(values.length);
  const tile = 32;
  for (let r0 = 0; r0 < rows; r0 += tile) {
    for (let c0 = 0; c0 < columns; c0 += tile) {
      const r1 = Math.min(rows, r0 + tile);
      const c1 = Math.min(columns, c0 + tile);
      for (let r = r0; r < r1; r++) {
        for (let c = c0; c < c1; c++) result[c * rows + r] = values[r * columns + c] ?? 0;
      }
    }
  }
  return result;
}

/**
 * Copies the graph and lets `replace` take nodes over: it adds what it wants to the target and says true, or says false and the
 * node is copied. Weights that no node uses any more are left out.
 */
export function rewrite(
  source: GraphBuilder,
  replace: (node: NodeProto, target: GraphBuilder, initializers: InitializersByName) => boolean,
): GraphBuilder {
  const target = source.derive();
  const initializers = initializersOf(source);
  for (const node of source.nodes) {
    if (!replace(node, target, initializers)) target.nodes.push(create(NodeProtoSchema, node));
  }
  const used = new Set(target.nodes.flatMap(({ input }) => input));
  for (const initializer of source.initializers) {
    if (used.has(initializer.name) && !target.has(initializer.name)) target.initializers.push(initializer);
  }
  return target;
}

/** One piece that is made when it is asked for. */
export function lazily(
  make: () => Float32Array | Uint16Array | Uint8Array | Int8Array | Int32Array,
): () => Uint8Array[] {
  return () => [bytesOf(make())];
}

/**
 * Two tensors that come from one pass over the weights: the pass is run for the first and again for the second, unless it
 * comes right after.
 */
export function shared<T>(make: () => T): () => T {
  let value: { made: T } | undefined;
  let asked = 0;
  return () => {
    value ??= { made: make() };
    const { made } = value;
    asked += 1;
    // Both have it: the memory of a large weight is not kept for the life of the graph.
    if (asked % 2 === 0) value = undefined;
    return made;
  };
}
