/**
 * Summaries of plain numbers. Pure: numbers in, numbers out. The unit of inference is the launch (docs/statistics.md), so
 * the intervals here expect one number per launch.
 */
import { studentTQuantile } from './distributions.ts';

/** Fewest values of which one in a hundred is one: the 99th percentile of fewer is nearly the largest. */
export const TAIL_SAMPLES = 100;

export function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}

/** Arithmetic mean; NaN for no values. */
export function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

/** Sample variance, divisor n - 1; NaN for fewer than two values. */
export function variance(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  let squares = 0;
  for (const value of values) squares += (value - centre) ** 2;
  return squares / (values.length - 1);
}

/** Sample standard deviation, divisor n - 1; NaN for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  return Math.sqrt(variance(values));
}

/**
 * Quantile type 7 of Hyndman and Fan (The American Statistician 50, 1996), the default of R and NumPy: linear between the
 * order statistics at h = (n - 1)p. `p` in [0, 1]; NaN for no values.
 */
export function quantile(values: readonly number[], p: number): number {
  return quantileOfSorted(Float64Array.from(values).sort(), p);
}

/** The same for values that are sorted already, ascending. */
export function quantileOfSorted(sorted: ArrayLike<number>, p: number): number {
  if (sorted.length === 0) return Number.NaN;
  const h = (sorted.length - 1) * p;
  const below = Math.floor(h);
  const low = sorted[below] ?? Number.NaN;
  const high = sorted[Math.min(below + 1, sorted.length - 1)] ?? Number.NaN;
  return low + (h - below) * (high - low);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** exp of the mean logarithm; NaN where a value is not above 0, for which there is no logarithm. */
export function geometricMean(values: readonly number[]): number {
  return Math.exp(mean(logarithms(values)));
}

/** Natural logarithms; NaN in place of values that are not above 0. */
export function logarithms(values: readonly number[]): number[] {
  return values.map(value => (value > 0 ? Math.log(value) : Number.NaN));
}

export interface Estimate {
  value: number;
  /** null with fewer than two values: nothing can be said of the spread. */
  interval: [number, number] | null;
}

/** Mean with its two-sided t interval. `confidence` such as 0.95. */
export function meanWithInterval(values: readonly number[], confidence: number): Estimate {
  const centre = mean(values);
  if (values.length < 2) return { value: centre, interval: null };
  const half =
    (studentTQuantile((1 + confidence) / 2, values.length - 1) * standardDeviation(values)) / Math.sqrt(values.length);
  return { value: centre, interval: [centre - half, centre + half] };
}

/**
 * Two-sided t interval of the geometric mean, taken on the logarithms, where the spread of rates and times is nearest to
 * normal. null with fewer than two values, or where one is not above 0.
 */
export function logTInterval(values: readonly number[], confidence: number): [number, number] | null {
  const { interval } = meanWithInterval(logarithms(values), confidence);
  if (interval === null || Number.isNaN(interval[0])) return null;
  return [Math.exp(interval[0]), Math.exp(interval[1])];
}

/** Ranks from 1, with tied values sharing the mean of the ranks that they span. */
export function midranks(values: readonly number[]): number[] {
  const order = values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const ranks = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    const value = values[order[start] ?? 0];
    let end = start + 1;
    while (end < order.length && values[order[end] ?? 0] === value) end++;
    const shared = (start + 1 + end) / 2;
    for (let k = start; k < end; k++) ranks[order[k] ?? 0] = shared;
    start = end;
  }
  return ranks;
}

/** Spearman's rank correlation, ties by midranks; NaN where one side does not vary. */
export function spearman(x: readonly number[], y: readonly number[]): number {
  const rx = midranks(x);
  const ry = midranks(y);
  const mx = mean(rx);
  const my = mean(ry);
  let xy = 0;
  let xx = 0;
  let yy = 0;
  for (let i = 0; i < rx.length; i++) {
    const dx = (rx[i] ?? 0) - mx;
    const dy = (ry[i] ?? 0) - my;
    xy += dx * dy;
    xx += dx * dx;
    yy += dy * dy;
  }
  return xy / Math.sqrt(xx * yy);
}
