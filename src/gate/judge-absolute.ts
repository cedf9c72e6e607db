/** Rules on the value itself: at_least, at_most, quantile_at_most, exact. docs/statistics.md. */
import { BOOTSTRAP_MINIMUM, bcaInterval } from '../analysis/bootstrap.ts';
import { binomialCdf } from '../analysis/distributions.ts';
import { POWER, WEAK_BELOW } from '../analysis/effect.ts';
import { type Observations, unitsText } from '../analysis/observations.ts';
import { launchesNeeded, powerOfOneSample } from '../analysis/sample-size.ts';
import { logarithms, mean, standardDeviation } from '../analysis/statistics.ts';
import { bounds, oneSample, pAbove, pBelow } from '../analysis/welch.ts';
import type { Launch } from '../results/schema.ts';
import { type Acceptable, decide } from './decide.ts';
import { sideOf, widen } from './judge-relative.ts';
import { type Judgement, withoutEstimate } from './judgement.ts';

export interface AbsoluteQuestion {
  kind: 'at_least' | 'at_most';
  /** In the quantity's unit. */
  value: number;
  unit: string;
  alpha: number;
  seed: number;
  derived: boolean;
  extraError: number;
}

/** One-sample bound on ln(value). @returns null where a value is not above 0. */
export function judgeAbsolute(candidate: Observations, question: AbsoluteQuestion): Judgement | null {
  const logs = logarithms(candidate.values);
  if (logs.some(value => !Number.isFinite(value))) return null;
  const about = { unit: candidate.unit, candidate: sideOf(candidate) };
  const estimate = oneSample(logs);
  if (estimate === null) {
    const reason = `${logs.length} usable ${unitsText(candidate.unit)}: nothing can be said of the spread`;
    return withoutEstimate('INCONCLUSIVE', reason, { ...about, launchesNeeded: 5 });
  }
  const acceptable = acceptableValue(question);
  const found = question.derived ? bootstrapped(logs, question) : bounds(estimate, question.alpha);
  if (found === null) {
    const reason = `a bootstrap needs ${BOOTSTRAP_MINIMUM} ${unitsText(candidate.unit)}; there are ${logs.length}`;
    return withoutEstimate('INCONCLUSIVE', reason, { ...about, launchesNeeded: BOOTSTRAP_MINIMUM });
  }
  const verdict = decide(found, acceptable);
  const threshold = Math.log(question.value);
  const pFail = question.kind === 'at_least' ? pBelow(estimate, threshold) : pAbove(estimate, threshold);
  const sd = standardDeviation(logs);
  const needed = launchesNeeded(estimate.difference - threshold, sd, question.alpha, POWER, powerOfOneSample);
  const weak = logs.length < WEAK_BELOW;
  return {
    ...about,
    verdict,
    reason: absoluteSentence(verdict, question.kind),
    estimate: {
      value: Math.exp(estimate.difference),
      unit: question.unit,
      interval: [Math.exp(found[0]), Math.exp(found[1])],
      confidence: 1 - 2 * question.alpha,
    },
    threshold: [question.value],
    baseline: null,
    pFail: verdict === 'FAIL' ? pFail : null,
    weak,
    launchesNeeded: verdict === 'INCONCLUSIVE' && needed !== null ? Math.max(needed, logs.length + 1) : null,
    notes: weak ? [`weak: fewer than four ${unitsText(candidate.unit)}`] : [],
  };
}

function acceptableValue({ kind, value }: AbsoluteQuestion): Acceptable {
  return kind === 'at_least'
    ? { from: Math.log(value), to: Number.POSITIVE_INFINITY }
    : { from: Number.NEGATIVE_INFINITY, to: Math.log(value) };
}

export function absoluteSentence(verdict: Judgement['verdict'], kind: 'at_least' | 'at_most'): string {
  const [good, bad] = kind === 'at_least' ? ['at or above', 'below'] : ['at or below', 'above'];
  if (verdict === 'PASS') return `surely ${good} the limit`;
  if (verdict === 'FAIL') return `surely ${bad} the limit`;
  return `neither surely ${good} nor surely ${bad} the limit`;
}

function bootstrapped(logs: readonly number[], { alpha, seed, extraError }: AbsoluteQuestion): [number, number] | null {
  const interval = bcaInterval([logs], ([group = []]) => mean(group), { confidence: 1 - 2 * alpha, seed });
  return interval === null ? null : widen(interval, mean(logs), extraError);
}

/**
 * The binomial rule of MLPerf's early stopping (inference rules, appendix "Early Stopping Criterion"), for each launch on
 * its own: of n iterations, k were over the limit; the share over it is surely at most 1 - quantile when so few would be
 * improbable otherwise. Launches are not pooled: what one process does, its iterations share.
 */
export function judgeQuantile(launches: readonly Launch[], quantile: number, limit: number, alpha: number): Judgement {
  const batched = launches.find(launch => launch.iterationsPerSample !== 1);
  if (batched !== undefined) {
    const reason = `a sample holds ${batched.iterationsPerSample} iterations: quantiles of single ones cannot be told`;
    return withoutEstimate('INCONCLUSIVE', reason);
  }
  const counts = launches.map(({ samplesSeconds }) => ({
    n: samplesSeconds.length,
    over: samplesSeconds.filter(seconds => seconds > limit).length,
  }));
  const share = 1 - quantile;
  const passes = counts.every(({ n, over }) => binomialCdf(over, n, share) <= alpha);
  const failures = counts.map(({ n, over }) => (over === 0 ? 1 : 1 - binomialCdf(over - 1, n, share)));
  const worst = Math.min(1, Math.min(...failures) * counts.length);
  const total = counts.reduce((sum, { over }) => sum + over, 0);
  const all = counts.reduce((sum, { n }) => sum + n, 0);
  const found = `${total} of ${all} iterations over the limit in ${counts.length} launches`;
  if (passes) return withoutEstimate('PASS', `${found}; each launch holds the quantile`);
  if (worst <= alpha) return withoutEstimate('FAIL', `${found}; a launch surely misses the quantile`, { pFail: worst });
  const needed = samplesForQuantile(quantile, alpha);
  return withoutEstimate(
    'INCONCLUSIVE',
    `${found}; at least ${needed} iterations a launch are needed to hold the quantile`,
  );
}

/** Iterations with none over the limit that prove a quantile: ln(alpha) / ln(quantile), rounded up. */
export function samplesForQuantile(quantile: number, alpha: number): number {
  return Math.ceil(Math.log(alpha) / Math.log(quantile));
}

/** Every launch of both sides has one and the same value. */
export function judgeExact(baseline: readonly number[], candidate: readonly number[]): Judgement {
  const values = [...new Set([...baseline, ...candidate])];
  if (values.length === 1) return withoutEstimate('PASS', 'one and the same value in every launch', { pFail: null });
  const shown = values.slice(0, 3).join(', ') + (values.length > 3 ? ', …' : '');
  return withoutEstimate('FAIL', `${values.length} different values: ${shown}`, { pFail: 0 });
}
