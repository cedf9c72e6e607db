/** Welch's comparison of two means, on numbers that are already logarithms (docs/statistics.md). */
import { studentTCdf, studentTQuantile } from './distributions.ts';
import { mean, variance } from './statistics.ts';

export interface Welch {
  /** Mean of the candidate less mean of the baseline. */
  difference: number;
  standardError: number;
  /** Welch-Satterthwaite degrees of freedom. */
  df: number;
}

/**
 * Difference of means without assuming equal spread (Welch, Biometrika 34, 1947; degrees of freedom: Satterthwaite 1946).
 * Needs two values a side; null otherwise. Zero spread on both sides gives standardError 0 and df Infinity.
 */
export function welch(candidate: readonly number[], baseline: readonly number[]): Welch | null {
  if (candidate.length < 2 || baseline.length < 2) return null;
  const vc = variance(candidate) / candidate.length;
  const vb = variance(baseline) / baseline.length;
  const difference = mean(candidate) - mean(baseline);
  if (vc + vb === 0) return { difference, standardError: 0, df: Number.POSITIVE_INFINITY };
  const df = (vc + vb) ** 2 / (vc ** 2 / (candidate.length - 1) + vb ** 2 / (baseline.length - 1));
  return { difference, standardError: Math.sqrt(vc + vb), df };
}

/** One-sample counterpart: the mean and its standard error. Needs two values; null otherwise. */
export function oneSample(values: readonly number[]): Welch | null {
  if (values.length < 2) return null;
  const standardError = Math.sqrt(variance(values) / values.length);
  return { difference: mean(values), standardError, df: values.length - 1 };
}

/** One-sided bounds, each with error `alpha`; together the two-sided interval of confidence 1 - 2 alpha. */
export function bounds({ difference, standardError, df }: Welch, alpha: number): [number, number] {
  if (standardError === 0) return [difference, difference];
  const half = studentTQuantile(1 - alpha, df) * standardError;
  return [difference - half, difference + half];
}

/** p-value against "the true difference is at least `threshold`": small when it is surely below. */
export function pBelow({ difference, standardError, df }: Welch, threshold: number): number {
  if (standardError === 0) return difference < threshold ? 0 : 1;
  return studentTCdf((difference - threshold) / standardError, df);
}

/** p-value against "the true difference is at most `threshold`": small when it is surely above. */
export function pAbove(comparison: Welch, threshold: number): number {
  if (comparison.standardError === 0) return comparison.difference > threshold ? 0 : 1;
  return studentTCdf((threshold - comparison.difference) / comparison.standardError, comparison.df);
}

/** Two-sided p-value against no difference. */
export function pDifferent(comparison: Welch): number {
  return Math.min(1, 2 * Math.min(pBelow(comparison, 0), pAbove(comparison, 0)));
}
