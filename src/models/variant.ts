/** A model in another precision or with pruned weights, made from the same seeded fp32 weights. */
import { toDynamicInt8 } from './compress/dynamic-int8.ts';
import { toHalfPrecision } from './compress/half-precision.ts';
import { prune, SPARSITIES, type Sparsity } from './compress/prune.ts';
import { asLinear, initializersOf } from './compress/rewrite.ts';
import { type Ranges, toStaticInt8 } from './compress/static-int8.ts';
import { toWeightOnlyInt4 } from './compress/weight-only-int4.ts';
import type { GraphBuilder } from './graph-builder.ts';
import type { ModelDefinition } from './registry.ts';

export const PRECISIONS = ['fp32', 'fp16', 'int8-dynamic', 'int8-qdq', 'int4'] as const;
export type Precision = (typeof PRECISIONS)[number];
export { SPARSITIES, type Sparsity };

export interface Variant {
  /** For the cache: part of the file's name. */
  name: string;
  version: number;
  graph: GraphBuilder;
  /** Of a calibrated model: the fp32 graph that tells the ranges, and the tensors; null where none is needed. */
  calibration: { graph: GraphBuilder; tensors: readonly string[] } | null;
}

/** Raised whenever a compression gives other bytes. */
const COMPRESSION_VERSION = 1;

/**
 * The graph of a model in a precision and sparsity; its weights are made when it is written.
 * @param ranges of a calibrated precision, filled before the file is written
 */
export function buildVariant(
  model: ModelDefinition,
  precision: Precision,
  sparsity: Sparsity | undefined,
  ranges: Ranges = new Map(),
): Variant {
  const base = model.build();
  const dense = sparsity === undefined ? base : prune(base, sparsity);
  const name = [model.name, precision === 'fp32' ? '' : precision, sparsity?.replace(':', 'of') ?? '']
    .filter(part => part !== '')
    .join('-');
  const version =
    precision === 'fp32' && sparsity === undefined ? model.version : 100 * model.version + COMPRESSION_VERSION;
  if (precision === 'int8-qdq') {
    const { graph, calibration, tensors } = toStaticInt8(dense, ranges);
    return { name, version, graph, calibration: { graph: calibration, tensors } };
  }
  return { name, version, graph: COMPRESSIONS[precision](dense), calibration: null };
}

const COMPRESSIONS: Record<Exclude<Precision, 'int8-qdq'>, (graph: GraphBuilder) => GraphBuilder> = {
  fp32: graph => graph,
  fp16: toHalfPrecision,
  'int8-dynamic': toDynamicInt8,
  int4: toWeightOnlyInt4,
};

/** Why a model has no such precision, or null. */
export function precisionProblem(model: ModelDefinition, precision: Precision): string | null {
  if (precision !== 'int8-dynamic' && precision !== 'int4') return null;
  const graph = model.build();
  const initializers = initializersOf(graph);
  const products = graph.nodes.filter(node => asLinear(node, initializers) !== null).length;
  const convolutions = graph.nodes.filter(({ opType }) => opType === 'Conv').length;
  return convolutions > products
    ? `${model.name} is made of convolutions, which ONNX Runtime has no ${precision} operator for; use int8-qdq`
    : null;
}
