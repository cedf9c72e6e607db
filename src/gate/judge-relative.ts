/** Rules that hold a candidate against a baseline: not_worse, better_by, equivalent. docs/statistics.md. */
import { BOOTSTRAP_MINIMUM, bcaInterval } from '../analysis/bootstrap.ts';
import {
  type Effect,
  effectBounds,
  effectOf,
  POWER,
  pAboveThreshold,
  pBelowThreshold,
  rankInterval,
} from '../analysis/effect.ts';
import { type Observations, unitsText } from '../analysis/observations.ts';
import { launchesNeeded, powerOfTwoSamples } from '../analysis/sample-size.ts';
import { geometricMean, logarithms, mean, standardDeviation } from '../analysis/statistics.ts';
import { type Acceptable, acceptableEffect, decide } from './decide.ts';
import { type Judgement, type Side, type Verdict, withoutEstimate } from './judgement.ts';
import type { RuleKind } from './policy.ts';

export interface RelativeQuestion {
  kind: RuleKind;
  share: number;
  better: 'higher' | 'lower';
  alpha: number;
  seed: number;
  /** Judged by the BCa bootstrap over launches rather than by t. */
  derived: boolean;
  /** Standard error on the log scale that does not come from the launches (a power sensor's), for derived quantities. */
  extraError: number;
}

export function sideOf(observations: Observations): Side {
  return {
    value: geometricMean(observations.values),
    units: observations.values.length,
    launches: observations.launches,
    runs: observations.runs,
    nodes: observations.nodes,
    spread: observations.values.length < 2 ? null : standardDeviation(logarithms(observations.values)),
  };
}

/** @returns null where a value is not above 0: then the rule does not suit the quantity. */
export function judgeRelative(
  baseline: Observations,
  candidate: Observations,
  question: RelativeQuestion,
): Judgement | null {
  const about = { unit: candidate.unit, baseline: sideOf(baseline), candidate: sideOf(candidate) };
  const effect = effectOf(baseline.values, candidate.values, question.better);
  if (effect === 'not positive') return null;
  if (effect === 'too few launches') {
    const reason = `${baseline.values.length} and ${candidate.values.length} usable ${unitsText(candidate.unit)}: nothing can be said of the spread`;
    return withoutEstimate('INCONCLUSIVE', reason, { ...about, launchesNeeded: 5 });
  }
  const acceptable = acceptableEffect(question.kind, question.share, question.better);
  const found = question.derived ? bootstrapBounds(effect, question) : effectBounds(effect, question.alpha);
  if (found === null) {
    const reason = `a bootstrap needs ${BOOTSTRAP_MINIMUM} ${unitsText(candidate.unit)} a side; there are ${effect.baselineCount} and ${effect.candidateCount}`;
    return withoutEstimate('INCONCLUSIVE', reason, { ...about, launchesNeeded: BOOTSTRAP_MINIMUM });
  }
  const first = decide(found, acceptable);
  const checked = question.derived
    ? { verdict: first, notes: [] }
    : checkByRanks(first, effect, acceptable, question.alpha);
  const notes = [...checked.notes];
  if (effect.weak) notes.push(`weak: fewer than four ${unitsText(candidate.unit)} on a side`);
  return {
    ...about,
    verdict: checked.verdict,
    reason: sentence(checked.verdict, question),
    estimate: {
      value: Math.exp(effect.direction * effect.better.difference),
      unit: 'ratio',
      interval: ratioEnds(found, effect.direction),
      confidence: 1 - 2 * question.alpha,
    },
    threshold: thresholds(acceptable, effect.direction),
    pFail: checked.verdict === 'FAIL' ? pOfFailure(effect, acceptable) : null,
    weak: effect.weak,
    launchesNeeded: checked.verdict === 'INCONCLUSIVE' ? stillNeeded(effect, acceptable, question) : null,
    notes,
  };
}

/** Both must say so: where the exact rank interval does not bear out Welch's verdict, there is none. */
function checkByRanks(
  verdict: Verdict,
  effect: Effect,
  acceptable: Acceptable,
  alpha: number,
): { verdict: Verdict; notes: string[] } {
  if (verdict === 'INCONCLUSIVE') return { verdict, notes: [] };
  const interval = rankInterval(effect, alpha)?.interval;
  if (interval === undefined || interval === null || decide(interval, acceptable) === verdict)
    return { verdict, notes: [] };
  const note = `Welch's interval says ${verdict}, the exact rank interval does not bear it out`;
  return { verdict: 'INCONCLUSIVE', notes: [note] };
}

function bootstrapBounds(effect: Effect, { alpha, seed, extraError }: RelativeQuestion): [number, number] | null {
  const { baseline, candidate } = effect.logs;
  const interval = bcaInterval([candidate, baseline], ([c = [], b = []]) => effect.direction * (mean(c) - mean(b)), {
    confidence: 1 - 2 * alpha,
    seed,
  });
  return interval === null ? null : widen(interval, effect.better.difference, extraError);
}

/** Adds a standard error in quadrature, with the usual coverage factor of 2. */
export function widen([low, high]: [number, number], centre: number, extraError: number): [number, number] {
  return [centre - Math.hypot(centre - low, 2 * extraError), centre + Math.hypot(high - centre, 2 * extraError)];
}

function pOfFailure(effect: Effect, { from, to }: Acceptable): number {
  return Math.min(pBelowThreshold(effect, from), to === Number.POSITIVE_INFINITY ? 1 : pAboveThreshold(effect, to));
}

/** Assumes that the true effect is the one seen; the nearer end of what is acceptable decides. */
function stillNeeded(effect: Effect, { from, to }: Acceptable, { alpha }: RelativeQuestion): number | null {
  const distance = Math.min(Math.abs(effect.better.difference - from), Math.abs(to - effect.better.difference));
  const needed = launchesNeeded(distance, effect.pooledSd, alpha, POWER, powerOfTwoSamples);
  const present = Math.min(effect.baselineCount, effect.candidateCount);
  // The rank interval and uneven spreads ask for a little more than the t test alone.
  return needed === null ? null : Math.max(needed, present + 1);
}

function ratioEnds([low, high]: readonly [number, number], direction: 1 | -1): [number, number] {
  return direction === 1 ? [Math.exp(low), Math.exp(high)] : [Math.exp(-high), Math.exp(-low)];
}

export function thresholds({ from, to }: Acceptable, direction: 1 | -1): [number, number] | [number] {
  if (to === Number.POSITIVE_INFINITY) return [Math.exp(direction * from)];
  return ratioEnds([from, to], direction);
}

/** The verdict in words. */
export function sentence(
  verdict: Verdict,
  { kind, share, better }: Pick<RelativeQuestion, 'kind' | 'share' | 'better'>,
): string {
  const percent = `${Number((100 * share).toPrecision(6))} %`;
  const worse = better === 'higher' ? 'lower' : 'higher';
  const claims: Record<string, [string, string]> = {
    not_worse: [`surely not more than ${percent} ${worse}`, `surely more than ${percent} ${worse}`],
    better_by: [`surely better by more than ${percent}`, `surely not better by ${percent}`],
    equivalent: [`surely within ${percent} of the baseline`, `surely more than ${percent} away from the baseline`],
  };
  const [pass = '', fail = ''] = claims[kind] ?? [];
  if (verdict === 'PASS') return pass;
  if (verdict === 'FAIL') return fail;
  return `neither ${pass} nor ${fail}`;
}
