/**
 * The rank tests that stand beside Welch's: exact, also with ties, so that they hold at five launches a side.
 */
import { midranks, quantileOfSorted } from './statistics.ts';

export interface MannWhitney {
  /** Pairs (x, y) with x above y, ties counting a half. */
  u: number;
  /** Exact P(U <= u) and P(U >= u) when both sides come from one distribution, given the ties. */
  lower: number;
  upper: number;
  /** Twice the smaller tail, at most 1. */
  twoSided: number;
}

/** Above this many values in all, counting every arrangement costs more than it adds to Welch's test. */
export const EXACT_RANKS_LIMIT = 60;

/**
 * Exact Mann-Whitney test, conditional on the ties. The number of ways in which m of the doubled midranks (whole numbers)
 * add up to each total is counted by dynamic programming: Streitberg and Roehmel, Computational Statistics Quarterly 3
 * (1986). The asymptotic form is never used: at small n with ties it is wrong.
 */
export function mannWhitney(x: readonly number[], y: readonly number[]): MannWhitney {
  const doubled = midranks([...x, ...y]).map(rank => Math.round(2 * rank));
  const tied = new Set(doubled).size < doubled.length;
  const counts = tied ? rankSumCounts(doubled, x.length) : countsWithoutTies(x.length, y.length);
  const observed = doubled.slice(0, x.length).reduce((total, rank) => total + rank, 0);
  let ways = 0;
  let below = 0;
  let above = 0;
  for (let total = 0; total < counts.length; total++) {
    const count = counts[total] ?? 0;
    ways += count;
    if (total <= observed) below += count;
    if (total >= observed) above += count;
  }
  const lower = below / ways;
  const upper = above / ways;
  const u = observed / 2 - (x.length * (x.length + 1)) / 2;
  return { u, lower, upper, twoSided: Math.min(1, 2 * Math.min(lower, upper)) };
}

const withoutTies = new Map<string, Float64Array>();

/** The counts depend on the sizes alone when nothing is tied: worked out once per pair of sizes. */
function countsWithoutTies(m: number, n: number): Float64Array {
  const key = `${m}/${n}`;
  let counts = withoutTies.get(key);
  if (counts === undefined) {
    counts = rankSumCounts(
      Array.from({ length: m + n }, (_, index) => 2 * (index + 1)),
      m,
    );
    withoutTies.set(key, counts);
  }
  return counts;
}

/** counts[s]: subsets of `size` of the ranks whose sum is s. Doubles: exact up to 2^53, and to rounding beyond. */
function rankSumCounts(ranks: readonly number[], size: number): Float64Array {
  const limit = ranks.reduce((total, rank) => total + rank, 0);
  const table = Array.from({ length: size + 1 }, () => new Float64Array(limit + 1));
  const start = table[0];
  if (start !== undefined) start[0] = 1;
  let reached = 0;
  for (const rank of ranks) {
    reached += rank;
    for (let taken = size; taken >= 1; taken--) {
      const to = table[taken];
      const from = table[taken - 1];
      if (to === undefined || from === undefined) continue;
      for (let total = reached; total >= rank; total--) to[total] = (to[total] ?? 0) + (from[total - rank] ?? 0);
    }
  }
  return table[size] ?? new Float64Array(0);
}

export interface HodgesLehmann {
  /** Median of all differences x - y. */
  shift: number;
  /** Exact two-sided interval; null where no interval of that confidence exists at these sizes. */
  interval: [number, number] | null;
}

/**
 * Hodges-Lehmann shift of x against y with the exact interval that inverts the Mann-Whitney test (Hollander, Wolfe and
 * Chicken, Nonparametric Statistical Methods, 3rd ed., §4.3). Its confidence is at least the one asked for; with ties it
 * is more.
 */
export function hodgesLehmann(x: readonly number[], y: readonly number[], confidence: number): HodgesLehmann {
  const differences = Float64Array.from({ length: x.length * y.length });
  let at = 0;
  for (const a of x) for (const b of y) differences[at++] = a - b;
  differences.sort();
  const shift = quantileOfSorted(differences, 0.5);
  const depth = hodgesLehmannDepth(x.length, y.length, (1 - confidence) / 2);
  if (depth === 0) return { shift, interval: null };
  return { shift, interval: [differences[depth - 1] ?? shift, differences[differences.length - depth] ?? shift] };
}

const depths = new Map<string, number>();

/**
 * How many differences may be cut from either end: the largest d with P(U <= d - 1) <= tail, without ties. 0 when even
 * the whole range does not reach that confidence.
 */
function hodgesLehmannDepth(m: number, n: number, tail: number): number {
  const key = `${m}/${n}/${tail}`;
  const known = depths.get(key);
  if (known !== undefined) return known;
  const counts = countsWithoutTies(m, n);
  let ways = 0;
  for (const count of counts) ways += count;
  const smallest = m * (m + 1);
  let cumulative = 0;
  let depth = 0;
  for (let u = 0; u <= m * n; u++) {
    cumulative += counts[smallest + 2 * u] ?? 0;
    if (cumulative / ways > tail + 1e-12) break;
    depth = u + 1;
  }
  const bounded = Math.min(depth, Math.floor((m * n + 1) / 2));
  depths.set(key, bounded);
  return bounded;
}
