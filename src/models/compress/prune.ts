/** Pruning by magnitude. The tensors stay dense: what it buys is what the runtime makes of zeros. */
import type { GraphBuilder, Initializer } from '../graph-builder.ts';
import { floatsOf, initializersOf, lazily } from './rewrite.ts';

export const SPARSITIES = ['2:4', 'unstructured-50', 'unstructured-90'] as const;
export type Sparsity = (typeof SPARSITIES)[number];

/** Operators whose weights are pruned, and where their inner dimension lies. */
const PRUNED = new Set(['MatMul', 'Gemm', 'Conv']);

export function prune(source: GraphBuilder, sparsity: Sparsity): GraphBuilder {
  const target = source.derive();
  target.nodes.push(...source.nodes);
  const initializers = initializersOf(source);
  const chosen = new Map<string, boolean>();
  for (const { opType, input, attribute } of source.nodes) {
    const weight = initializers.get(input[1] ?? '');
    if (!PRUNED.has(opType) || weight === undefined || weight.dims.length < 2) continue;
    const transB = attribute.some(({ name, i }) => name === 'transB' && i === 1n);
    chosen.set(weight.name, opType === 'MatMul' || (opType === 'Gemm' && !transB));
  }
  for (const initializer of source.initializers) {
    const columns = chosen.get(initializer.name);
    if (columns === undefined) target.initializers.push(initializer);
    else {
      const { name, dims, elementType } = initializer;
      target.tensor(
        name,
        elementType,
        dims,
        lazily(() => pruned(initializer, sparsity, columns)),
      );
    }
  }
  return target;
}

/** @param columns the inner dimension runs down the columns ([K, N]) and not along the rows */
function pruned(initializer: Initializer, sparsity: Sparsity, columns: boolean): Float32Array {
  const values = floatsOf(initializer);
  const stride = columns ? (initializer.dims[1] ?? 1) : 1;
  return sparsity === '2:4'
    ? pruneTwoOfFour(values, stride)
    : pruneSmallest(values, Number(sparsity.split('-')[1]) / 100);
}

/** Zeros the two smallest of each four that follow one another at `stride`; what is left over at the end stays. */
export function pruneTwoOfFour(values: Float32Array, stride: number): Float32Array {
  const rows = values.length / stride;
  for (let row = 0; row + 4 <= rows; row += 4) {
    for (let at = row * stride; at < (row + 1) * stride; at++) {
      for (let gone = 0; gone < 2; gone++) {
        let smallest = -1;
        let least = Number.POSITIVE_INFINITY;
        for (let i = at; i < at + 4 * stride; i += stride) {
          const magnitude = Math.abs(values[i] ?? 0);
          // Zeros are gone already; a weight that is zero by chance is as good as pruned.
          if (magnitude !== 0 && magnitude < least) {
            least = magnitude;
            smallest = i;
          }
        }
        if (smallest >= 0) values[smallest] = 0;
      }
    }
  }
  return values;
}

/** Zeros this share of all weights, the smallest first. */
export function pruneSmallest(values: Float32Array, share: number): Float32Array {
  const threshold = magnitudeAt(values, Math.floor(share * values.length));
  for (let i = 0; i < values.length; i++) {
    if (Math.abs(values[i] ?? 0) < threshold) values[i] = 0;
  }
  return values;
}

/** The magnitude of that rank from below: counted by the upper half of its bits, then by the lower one. */
function magnitudeAt(values: Float32Array, rank: number): number {
  const bits = new Uint32Array(values.buffer, values.byteOffset, values.length);
  const select = (counts: Uint32Array, left: number): [number, number] => {
    let at = 0;
    let rest = left;
    while (at < counts.length - 1 && rest >= (counts[at] ?? 0)) {
      rest -= counts[at] ?? 0;
      at += 1;
    }
    return [at, rest];
  };
  const upper = new Uint32Array(1 << 15);
  for (const word of bits) upper[(word & 0x7fffffff) >>> 16] = (upper[(word & 0x7fffffff) >>> 16] ?? 0) + 1;
  const [high, rest] = select(upper, rank);
  const lower = new Uint32Array(1 << 16);
  for (const word of bits) {
    if ((word & 0x7fffffff) >>> 16 === high) lower[word & 0xffff] = (lower[word & 0xffff] ?? 0) + 1;
  }
  const [low] = select(lower, rest);
  return new Float32Array(Uint32Array.of((high << 16) | low).buffer)[0] ?? 0;
}
