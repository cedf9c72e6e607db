/** Pure: how far outputs are from a reference, and faults that the comparison must catch. */
import { elementCount, type NamedTensors, type TensorValue } from '../../models/tensor.ts';
import type { Verification } from '../../results/schema.ts';

const REFERENCE = 'against the unoptimised graph on one CPU thread';
export const METHOD = `every output element ${REFERENCE}: max |y-r| / (|r| + rms(r)), two input sets`;
export const RMS_METHOD = `every output ${REFERENCE}: rms(y-r) / rms(r), two input sets`;

/**
 * Quantised sessions of the same options give the same bits, whatever the number of threads (seen: 0 on seven models): where a bound
 * against another graph has to be wide, this one is not.
 */
export const TWIN_TOLERANCE = 1e-4;

/** What an output may be off. */
export interface Tolerance {
  /** Of a single element: |y-r| / (|r| + rms(r)). */
  element: number;
  /** Of a whole output: rms(y-r) / rms(r). Null where the elements' bound says it all. */
  rms: number | null;
}

/**
 * Compares sets of outputs with their references. By the largest element-wise error |y-r| / (|r| + rms(r)): relative for large elements,
 * against the tensor's own scale for those near 0. Where `rms` is set, by rms(y-r) / rms(r) too, and that is the figure that is
 * given unless it is an element that fails: of many roundings the worst element says little, their mean square much. A missing
 * output, another shape or type, or a value that is not finite where the reference is has no error figure (null) and fails.
 */
export function compareOutputs(
  actual: readonly NamedTensors[],
  reference: readonly NamedTensors[],
  tolerance: Tolerance,
): Verification {
  const worst = actual.length === reference.length ? 0 : Number.POSITIVE_INFINITY;
  const errors = { element: worst, rms: worst };
  reference.forEach((expected, index) => {
    for (const [name, value] of Object.entries(expected)) {
      const other = actual[index]?.[name];
      errors.element = Math.max(errors.element, tensorError(other, value));
      if (tolerance.rms !== null) errors.rms = Math.max(errors.rms, rmsError(other, value));
    }
  });
  const judged = (method: string, error: number, limit: number): Verification => ({
    method,
    passed: error <= limit,
    error: Number.isFinite(error) ? error : null,
    tolerance: limit,
  });
  const elements = judged(METHOD, errors.element, tolerance.element);
  return tolerance.rms === null || !elements.passed ? elements : judged(RMS_METHOD, errors.rms, tolerance.rms);
}

/**
 * As compareOutputs, and every element is held against `twins` too: outputs of another session of the same options.
 * @param twins none where there is no such session
 */
export function compareWithTwins(
  actual: readonly NamedTensors[],
  reference: readonly NamedTensors[],
  tolerance: Tolerance,
  twins: readonly NamedTensors[],
): Verification {
  const verification = compareOutputs(actual, reference, tolerance);
  if (!verification.passed || twins.length === 0) return verification;
  const twin = compareOutputs(actual.slice(0, twins.length), twins, { element: TWIN_TOLERANCE, rms: null });
  return twin.passed
    ? {
        ...verification,
        method: `${verification.method}; every element within ${TWIN_TOLERANCE} of another session of the same options`,
      }
    : {
        ...twin,
        method: 'every output element against another session of the same options: max |y-r| / (|r| + rms(r))',
      };
}

/** rms(y-r) / rms(r); infinity where the two cannot be compared. An output of zeros must be one of zeros. */
export function rmsError(actual: TensorValue | undefined, reference: TensorValue): number {
  const error = tensorError(actual, reference);
  if (actual === undefined || !Number.isFinite(error) || error === 0) return error;
  const expected = toNumbers(reference);
  const differences = toNumbers(actual).map((y, index) => (y === expected[index] ? 0 : y - (expected[index] ?? 0)));
  const scale = rootMeanSquare(expected);
  return scale === 0 ? Number.POSITIVE_INFINITY : rootMeanSquare(differences) / scale;
}

/** Infinity where the two cannot be compared or a value is not finite. */
export function tensorError(actual: TensorValue | undefined, reference: TensorValue): number {
  const worst = Number.POSITIVE_INFINITY;
  if (actual === undefined || actual.type !== reference.type) return worst;
  if (actual.dims.length !== reference.dims.length) return worst;
  if (actual.dims.some((dim, axis) => dim !== reference.dims[axis])) return worst;
  if (actual.data.length !== reference.data.length || actual.data.length !== elementCount(actual.dims)) return worst;
  if (reference.type === 'string') {
    return reference.data.every((text, index) => text === actual.data[index]) ? 0 : worst;
  }
  const expected = toNumbers(reference);
  const scale = rootMeanSquare(expected);
  let error = 0;
  toNumbers(actual).forEach((y, index) => {
    error = Math.max(error, elementError(y, expected[index] ?? Number.NaN, scale));
  });
  return error;
}

function elementError(y: number, r: number, scale: number): number {
  // Also where both are NaN or the same infinity: a masked position may be so by design.
  if (Object.is(y, r) || y === r) return 0;
  if (!Number.isFinite(y) || !Number.isFinite(r)) return Number.POSITIVE_INFINITY;
  return Math.abs(y - r) / (Math.abs(r) + scale);
}

/** Of the finite values; 0 where there is none. */
export function rootMeanSquare(values: Float64Array): number {
  let sum = 0;
  let count = 0;
  for (const value of values) {
    if (Number.isFinite(value)) {
      sum += value * value;
      count += 1;
    }
  }
  return count === 0 ? 0 : Math.sqrt(sum / count);
}

/** Elements as numbers, halves decoded. */
export function toNumbers({ type, data }: TensorValue): Float64Array {
  const convert = type === 'float16' ? (value: unknown): number => halfToNumber(Number(value)) : Number;
  const numbers = new Float64Array(data.length);
  for (let index = 0; index < data.length; index++) numbers[index] = convert(data[index]);
  return numbers;
}

/** IEEE 754 binary16, as ONNX Runtime hands it over: the bits in a Uint16Array. */
export function halfToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

export const FAULTS = ['flipped-value', 'nan', 'wrong-shape', 'stale'] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * Damages the first floating-point output as a defect would; for tests of the verifier.
 * @param other outputs of another inference, which a stale buffer would hold
 */
export function damage(outputs: NamedTensors, fault: Fault, other: NamedTensors): NamedTensors {
  if (fault === 'stale') return other;
  const [name, value] = Object.entries(outputs).find(([, { data }]) => data instanceof Float32Array) ?? [];
  if (name === undefined || value === undefined) throw new Error('no float32 output to damage');
  if (fault === 'wrong-shape') return { ...outputs, [name]: { ...value, dims: [...value.dims, 1] } };
  const data = Float32Array.from(value.data as Float32Array);
  const index = Math.floor(data.length / 2);
  data[index] = fault === 'nan' ? Number.NaN : -(data[index] ?? 0);
  return { ...outputs, [name]: { type: value.type, dims: value.dims, data } };
}
