/** Pure: seeded inputs for a model that aibench did not make, from what the model says of its inputs. */
import { AibenchError } from '../../errors.ts';
import { Random } from '../../models/random.ts';
import { elementCount, type NamedTensors, type TensorData, type TensorValue } from '../../models/tensor.ts';
import type { TensorInfo } from './engine.ts';

const BATCH_NAMES = /^(n|b|bs|batch|batch_?size)$/i;
const SEQUENCE_NAMES = /^(s|seq|seq_?len(gth)?|sequence|sequence_?length|num_?tokens)$/i;

/** Ids up to here exist in every vocabulary worth the name. */
const ID_LIMIT = 100;

export interface Dimensions {
  batch: number;
  sequence: number | undefined;
  /** `name=size`; an unnamed dimension is `input.axis=size`. */
  dims: readonly string[];
}

/**
 * The shape of every input. A dynamic dimension takes its size from `dims`, else from `batch` or `sequence` where its name
 * says that it is one.
 * @throws AibenchError MODEL_DIMENSION for a dimension without a size, or a size without a dimension.
 */
export function resolveShapes(
  inputs: readonly TensorInfo[],
  { batch, sequence, dims }: Dimensions,
  what: string,
): { shapes: Map<string, number[]>; batched: boolean } {
  const sizes = new Map(dims.map(text => [text.slice(0, text.lastIndexOf('=')), Number(text.split('=').at(-1))]));
  const used = new Set<string>();
  let batched = false;
  const sizeOf = (input: string, axis: number, name: string): number => {
    const key = name === '' ? `${input}.${axis}` : name;
    const named = sizes.get(key);
    if (named !== undefined) {
      used.add(key);
      if (BATCH_NAMES.test(name)) batched = named === batch;
      return named;
    }
    if (BATCH_NAMES.test(name)) {
      batched = true;
      return batch;
    }
    if (SEQUENCE_NAMES.test(name) && sequence !== undefined) return sequence;
    throw dimensionProblem(
      `${what} has a dynamic dimension \`${key}\` (axis ${axis} of input ${input}) without a size`,
      key,
    );
  };
  const shapes = new Map(
    inputs.map(({ name, dims: own }) => [
      name,
      own.map((dim, axis) => (typeof dim === 'number' ? dim : sizeOf(name, axis, dim))),
    ]),
  );
  const unused = [...sizes.keys()].find(key => !used.has(key));
  if (unused !== undefined) {
    const known = inputs.flatMap(({ name, dims: own }) =>
      own.flatMap((dim, axis) => (typeof dim === 'string' ? [dim === '' ? `${name}.${axis}` : dim] : [])),
    );
    throw new AibenchError(
      'MODEL_DIMENSION',
      `${what} has no dynamic dimension \`${unused}\`.`,
      known.length === 0
        ? 'All its dimensions are fixed: leave dims out.'
        : `It has: ${[...new Set(known)].join(', ')}.`,
    );
  }
  if (batch > 1 && !batched) {
    throw new AibenchError(
      'MODEL_DIMENSION',
      `${what} has no dynamic batch dimension, so batch=${batch} has no effect on it.`,
      'Leave batch out, or export the model with a dynamic first dimension called batch.',
    );
  }
  return { shapes, batched };
}

/**
 * Seeded values: floats in [-1, 1), masks of ones, ids below 100, other integers 0 or 1.
 * @param integers values of integer inputs that stand for something, by name
 */
export function genericInputs(
  inputs: readonly TensorInfo[],
  shapes: ReadonlyMap<string, number[]>,
  seed: number,
  what: string,
  integers: Readonly<Record<string, number>> = {},
): NamedTensors {
  const random = new Random(seed);
  return Object.fromEntries(
    inputs.map(
      ({ name, type }) => [name, makeTensor(name, type, shapes.get(name) ?? [], random, what, integers[name])] as const,
    ),
  );
}

function makeTensor(
  name: string,
  type: string | null,
  dims: number[],
  random: Random,
  what: string,
  given?: number,
): TensorValue {
  const count = elementCount(dims);
  const integer = (): number => {
    if (given !== undefined) return given;
    if (/mask/i.test(name)) return 1;
    return /token_type|segment/i.test(name) ? 0 : random.integer(/id/i.test(name) ? ID_LIMIT : 2);
  };
  const makers: Record<string, () => TensorData> = {
    float32: () => random.fill(new Float32Array(count), 1 / Math.sqrt(3)),
    float64: () => Float64Array.from({ length: count }, () => random.symmetric()),
    // binary16 of 0.0 to 0.98 in steps of 1/64: exact, and enough for a benchmark.
    float16: () => Uint16Array.from({ length: count }, () => halfOfSixtyFourths(random.integer(64))),
    int64: () => BigInt64Array.from({ length: count }, () => BigInt(integer())),
    int32: () => Int32Array.from({ length: count }, integer),
    int8: () => Int8Array.from({ length: count }, () => random.integer(256) - 128),
    uint8: () => Uint8Array.from({ length: count }, () => random.integer(256)),
    bool: () => Uint8Array.from({ length: count }, () => 1),
  };
  const make = type === null ? undefined : makers[type];
  if (make === undefined || type === null) {
    throw new AibenchError(
      'MODEL_INPUT',
      `${what} wants ${type ?? 'something other than a tensor'} for its input ${name}, which cannot be generated.`,
      'Export the model with inputs of float32, float16, float64, int64, int32, int8, uint8 or bool.',
    );
  }
  return { type, dims, data: make() };
}

/** Bits of n/64 as binary16. */
function halfOfSixtyFourths(n: number): number {
  if (n === 0) return 0;
  const exponent = Math.floor(Math.log2(n));
  return ((exponent - 6 + 15) << 10) | ((n - 2 ** exponent) * 2 ** (10 - exponent));
}

function dimensionProblem(sentence: string, key: string): AibenchError {
  return new AibenchError('MODEL_DIMENSION', `${sentence}.`, `Give it one, such as \`--set dims=${key}=64\`.`);
}
