/**
 * Dynamic int8: weights in int8, one scale per output; activations are quantised to uint8 at run time, each tensor by its own
 * range. ONNX Runtime fuses the five nodes of a product into one (DynamicQuantizeMatMul).
 */
import type { GraphBuilder } from '../graph-builder.ts';
import { asLinear, inputRows, type Linear, lazily, rewrite, shared } from './rewrite.ts';

/**
 * Weights take 7 of the 8 bits (ONNX Runtime's `reduce_range`): without VNNI, a CPU adds pairs of products in 16 bits, which
 * 8-bit weights overflow without a word.
 */
export const WEIGHT_LIMIT = 63;

export function toDynamicInt8(source: GraphBuilder): GraphBuilder {
  return rewrite(source, (node, target, initializers) => {
    const linear = asLinear(node, initializers);
    if (linear === null) return false;
    const { weight, scale } = int8Weight(linear, target);
    const activation = ['value', 'scale', 'zero'].map(part => `${linear.output}.dynamic.${part}`);
    const [value = '', activationScale = '', zero = ''] = activation;
    target.node('DynamicQuantizeLinear', [linear.input], {}, { outputs: activation });
    const product = target.node('MatMulInteger', [value, weight, zero]);
    const scales = target.node('Mul', [activationScale, scale]);
    const outputs = [linear.bias === null ? linear.output : `${linear.output}.scaled`];
    const scaled = target.node('Mul', [target.node('Cast', [product], { to: 1 }), scales], {}, { outputs });
    if (linear.bias !== null) target.node('Add', [scaled, linear.bias], {}, { outputs: [linear.output] });
    return true;
  });
}

/** Adds the weight of a product as int8 [k, n] and its scales, one per column, as float32 [n]: the names of both, and how they are made. */
export function int8Weight(
  linear: Linear,
  target: GraphBuilder,
): { weight: string; scale: string; make: () => ReturnType<typeof quantiseColumns> } {
  const { name } = linear.weight;
  const make = (): ReturnType<typeof quantiseColumns> => quantiseColumns(inputRows(linear), linear.n);
  const quantised = shared(make);
  const weight = target.tensor(
    `${name}.int8`,
    'int8',
    [linear.k, linear.n],
    lazily(() => quantised().values),
  );
  const scale = target.tensor(
    `${name}.scale`,
    'float32',
    [linear.n],
    lazily(() => quantised().scales),
  );
  return { weight, scale, make };
}

/** Symmetric int8 of a [K, N] matrix with a scale per column. */
export function quantiseColumns(values: Float32Array, n: number): { values: Int8Array; scales: Float32Array } {
  const scales = new Float32Array(n);
  for (let i = 0; i < values.length; i++) {
    const column = i % n;
    scales[column] = Math.max(scales[column] ?? 0, Math.abs(values[i] ?? 0));
  }
  for (let column = 0; column < n; column++) scales[column] = (scales[column] || WEIGHT_LIMIT) / WEIGHT_LIMIT;
  const quantised = new Int8Array(values.length);
  for (let i = 0; i < values.length; i++) quantised[i] = Math.round((values[i] ?? 0) / (scales[i % n] ?? 1));
  return { values: quantised, scales };
}

/** Symmetric int8 of rows of equal length, with a scale per row. */
export function quantiseRows(values: Float32Array, rows: number): { values: Int8Array; scales: Float32Array } {
  const length = values.length / rows;
  const scales = new Float32Array(rows);
  const quantised = new Int8Array(values.length);
  for (let row = 0; row < rows; row++) {
    let largest = 0;
    for (let i = row * length; i < (row + 1) * length; i++) largest = Math.max(largest, Math.abs(values[i] ?? 0));
    const scale = Math.fround((largest || WEIGHT_LIMIT) / WEIGHT_LIMIT);
    scales[row] = scale;
    for (let i = row * length; i < (row + 1) * length; i++) quantised[i] = Math.round((values[i] ?? 0) / scale);
  }
  return { values: quantised, scales };
}
