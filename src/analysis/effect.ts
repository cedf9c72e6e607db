/**
 * The effect of candidate against baseline on one metric, on the logarithm, positive where the candidate is better; with
 * Welch's bounds and the exact rank interval that is held beside them. docs/statistics.md.
 */
import { EXACT_RANKS_LIMIT, type HodgesLehmann, hodgesLehmann, mannWhitney } from './rank-tests.ts';
import { minimumDetectable } from './sample-size.ts';
import { logarithms, standardDeviation, variance } from './statistics.ts';
import { bounds, pAbove, pBelow, pDifferent, type Welch, welch } from './welch.ts';

/** Fewer values than this on a side and the result is labelled weak: the spread itself is a guess. */
export const WEAK_BELOW = 4;
/** Chance of finding a true difference that sample sizes and detectable effects are stated for. */
export const POWER = 0.8;

export interface Effect {
  /** Units on each side. */
  baselineCount: number;
  candidateCount: number;
  weak: boolean;
  /** d (mean ln candidate - mean ln baseline), d = +1 where higher is better. */
  better: Welch;
  direction: 1 | -1;
  /** The logarithms, for the rank tests and the sample size. */
  logs: { baseline: number[]; candidate: number[] };
  /** Standard deviation of ln of one unit, pooled. */
  pooledSd: number;
}

export type EffectProblem = 'too few launches' | 'not positive';

/** @returns the effect, or why there is none: fewer than two values a side, or values without a logarithm. */
export function effectOf(
  baseline: readonly number[],
  candidate: readonly number[],
  better: 'higher' | 'lower',
): Effect | EffectProblem {
  const logs = { baseline: logarithms(baseline), candidate: logarithms(candidate) };
  if ([...logs.baseline, ...logs.candidate].some(value => !Number.isFinite(value))) return 'not positive';
  const comparison = welch(logs.candidate, logs.baseline);
  if (comparison === null) return 'too few launches';
  const direction = better === 'higher' ? 1 : -1;
  const degrees = baseline.length + candidate.length - 2;
  const pooled =
    ((baseline.length - 1) * variance(logs.baseline) + (candidate.length - 1) * variance(logs.candidate)) / degrees;
  return {
    baselineCount: baseline.length,
    candidateCount: candidate.length,
    weak: Math.min(baseline.length, candidate.length) < WEAK_BELOW,
    better: { ...comparison, difference: direction * comparison.difference },
    direction,
    logs,
    pooledSd: Math.sqrt(pooled),
  };
}

/** One-sided Welch bounds of the effect, each with error `alpha`. */
export function effectBounds(effect: Effect, alpha: number): [number, number] {
  return bounds(effect.better, alpha);
}

/** Hodges-Lehmann shift and its exact interval of confidence 1 - 2 alpha, in the direction of the effect. */
export function rankInterval(effect: Effect, alpha: number): HodgesLehmann | null {
  if (effect.baselineCount + effect.candidateCount > EXACT_RANKS_LIMIT) return null;
  const { shift, interval } = hodgesLehmann(effect.logs.candidate, effect.logs.baseline, 1 - 2 * alpha);
  if (effect.direction === 1) return { shift, interval };
  return { shift: -shift, interval: interval === null ? null : [-interval[1], -interval[0]] };
}

export interface Difference {
  /** Candidate over baseline, with the two-sided interval at the confidence. */
  ratio: number;
  interval: [number, number];
  pWelch: number;
  /** Exact Mann-Whitney, two-sided; null where the sizes are too small for it to reach the level, or too large to count. */
  pRank: number | null;
  /** Spread of one unit on either side, as a share: standard deviation of ln. */
  baselineSpread: number;
  candidateSpread: number;
  /** Smallest true change, as a share, that would be found with a chance of POWER. */
  minimumDetectable: number | null;
}

/** The effect as `compare` prints it: as a ratio of candidate to baseline. */
export function differenceOf(effect: Effect, confidence: number): Difference {
  const [low, high] = bounds(effect.better, (1 - confidence) / 2);
  const ends: [number, number] = effect.direction === 1 ? [low, high] : [-high, -low];
  const { baseline, candidate } = effect.logs;
  const total = effect.baselineCount + effect.candidateCount;
  const detectable = minimumDetectable(effect.pooledSd, effect.baselineCount, effect.candidateCount, confidence, POWER);
  return {
    ratio: Math.exp(effect.direction * effect.better.difference),
    interval: [Math.exp(ends[0]), Math.exp(ends[1])],
    pWelch: pDifferent(effect.better),
    pRank: canReach(total, effect, confidence) ? mannWhitney(candidate, baseline).twoSided : null,
    baselineSpread: standardDeviation(baseline),
    candidateSpread: standardDeviation(candidate),
    minimumDetectable: detectable === null ? null : Math.expm1(detectable),
  };
}

/** Two complete separations out of all arrangements: the smallest two-sided p-value that these sizes allow. */
function canReach(total: number, effect: Effect, confidence: number): boolean {
  if (total > EXACT_RANKS_LIMIT) return false;
  let arrangements = 1;
  for (let i = 1; i <= effect.baselineCount; i++) arrangements *= (effect.candidateCount + i) / i;
  return 2 / arrangements <= 1 - confidence;
}

/** p-values of "surely below / above this threshold", on the log scale of the effect. */
export function pBelowThreshold(effect: Effect, threshold: number): number {
  return pBelow(effect.better, threshold);
}

export function pAboveThreshold(effect: Effect, threshold: number): number {
  return pAbove(effect.better, threshold);
}
