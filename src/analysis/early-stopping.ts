/**
 * Early stopping after MLPerf LoadGen: how many queries it takes before a percentile may be claimed at a confidence. Of n
 * queries, each later than the bound with probability 1 - p at the most, t late ones are few enough when
 *
 *     P[Binomial(n, 1 - p) <= t] <= 1 - c
 *
 * since a machine whose p-quantile lies above the bound would show so few with a chance of 1 - c at the most. The inequality
 * is computed, never looked up. Source: MLPerf inference rules, "Early stopping"; LoadGen's early_stopping.cc (n = h + t).
 */

/** LoadGen's confidence. */
export const EARLY_STOPPING_CONFIDENCE = 0.99;

/** Percentiles that a load scenario may be held to. */
export const PERCENTILES = [0.9, 0.95, 0.97, 0.99, 0.999] as const;
export type Percentile = (typeof PERCENTILES)[number];

/** `p90` for 0.9, `p999` for 0.999: the end of a metric's name. */
export function percentileSuffix(percentile: number): string {
  return `p${String(percentile).slice(2).padEnd(2, '0')}`;
}

/** P[Binomial(n, q) <= k], to about 12 digits: the terms are added from the largest down. */
export function binomialAtMost(k: number, n: number, q: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  // Beyond the mean the lower tail is no small number; its complement is, term by term.
  if (k > n * q) return 1 - binomialAtMost(n - k - 1, n, 1 - q);
  // log C(n, k) as a sum of logarithms: exact to a few units in the last place, where a difference of lgammas is not.
  let logTerm = k * Math.log(q) + (n - k) * Math.log1p(-q);
  for (let i = 1; i <= k; i++) logTerm += Math.log((n - k + i) / i);
  let term = Math.exp(logTerm);
  let sum = 0;
  for (let i = k; i >= 0 && term > 0; i--) {
    sum += term;
    if (term < sum * 1e-17) break;
    term *= (i * (1 - q)) / ((n - i + 1) * q);
  }
  return Math.min(1, sum);
}

/**
 * Fewest queries in all of which `overlatency` may be late.
 * @returns n = h + t in LoadGen's letters
 */
export function minimumQueries(
  overlatency: number,
  percentile: number,
  confidence = EARLY_STOPPING_CONFIDENCE,
): number {
  const passes = (n: number): boolean => binomialAtMost(overlatency, n, 1 - percentile) <= 1 - confidence;
  // The mean is a lower bound: with fewer queries, t late ones are no less than can be expected.
  let low = Math.floor(overlatency / (1 - percentile));
  let high = Math.max(1, 2 * low);
  while (!passes(high)) high *= 2;
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (passes(middle)) high = middle;
    else low = middle;
  }
  return high;
}

/** Most queries of `queries` that may be late, or -1 where there are too few for any claim. */
export function allowedOverlatency(
  queries: number,
  percentile: number,
  confidence = EARLY_STOPPING_CONFIDENCE,
): number {
  const passes = (t: number): boolean => binomialAtMost(t, queries, 1 - percentile) <= 1 - confidence;
  if (queries <= 0 || !passes(0)) return -1;
  let low = 0;
  let high = Math.max(1, Math.ceil(queries * (1 - percentile)));
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (passes(middle)) low = middle;
    else high = middle;
  }
  return passes(high) ? high : low;
}

/**
 * An upper bound of the percentile at the confidence, as LoadGen estimates it: with t late ones allowed, the t-th highest
 * latency. Null with fewer queries than it takes for t = 1.
 */
export function earlyStoppingEstimate(
  latencies: readonly number[],
  percentile: number,
  confidence = EARLY_STOPPING_CONFIDENCE,
): number | null {
  const allowed = allowedOverlatency(latencies.length, percentile, confidence);
  if (allowed < 1) return null;
  return Float64Array.from(latencies).sort()[latencies.length - allowed] ?? null;
}
