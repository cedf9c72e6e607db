/**
 * Rules on energy. A case has one reading per scope with its interval of 95 %, not one per launch: the interval of a
 * ratio is recovered from the two intervals (compare.ts).
 */
import { ratioInterval } from '../analysis/compare.ts';
import { normalCdf } from '../analysis/distributions.ts';
import { geometricMean, logTInterval } from '../analysis/statistics.ts';
import type { CaseEnergy } from '../results/schema.ts';
import { type Acceptable, acceptableEffect, decide } from './decide.ts';
import { absoluteSentence } from './judge-absolute.ts';
import { sentence, thresholds } from './judge-relative.ts';
import { type Judgement, withoutEstimate } from './judgement.ts';
import { kindOf, type Rule } from './policy.ts';
import { AVERAGE_WATTS } from './quantities.ts';

export interface Reading {
  value: number;
  unit: string;
  interval: [number, number];
}

const CONFIDENCE = 0.95;
/** Half of a 95 % interval over its standard error, as the energy's expanded uncertainty has it. */
const COVERAGE = 2;

/** The reading with its interval, or the reason why it cannot be judged. */
export function readingOf(entry: CaseEnergy, name: string): Reading | string {
  if (name === AVERAGE_WATTS) {
    if (entry.averageWatts === null || entry.uncertainty === null) return 'it has no mean power with an uncertainty';
    const half = entry.averageWatts * entry.uncertainty.relative;
    return { value: entry.averageWatts, unit: 'W', interval: [entry.averageWatts - half, entry.averageWatts + half] };
  }
  const rate = entry.throughputPerWatt;
  if (rate === null) return entry.reason ?? 'it has no work per joule';
  if (rate.interval === null) return 'with one launch its work per joule has no interval';
  return { value: rate.value, unit: rate.unit, interval: rate.interval };
}

/**
 * Readings of several runs as one: their geometric mean, with the t interval of the runs' spread and the largest
 * uncertainty of a single reading in quadrature. What is wrong with a sensor does not average out over runs.
 * @returns the reason where they cannot be one.
 */
export function combineReadings(readings: readonly Reading[]): Reading | string {
  const [first] = readings;
  if (first === undefined) return 'no valid energy reading';
  if (readings.length === 1) return first;
  if (readings.some(({ unit }) => unit !== first.unit)) return 'the runs give it in different units';
  if (readings.some(({ value, interval }) => !(value > 0 && interval[0] > 0)))
    return 'the uncertainty of a reading reaches down to zero';
  const value = geometricMean(readings.map(reading => reading.value));
  const spread = logTInterval(
    readings.map(reading => reading.value),
    CONFIDENCE,
  );
  if (spread === null) return 'the readings have no logarithm';
  const down = Math.max(...readings.map(reading => Math.log(reading.value / reading.interval[0])));
  const up = Math.max(...readings.map(reading => Math.log(reading.interval[1] / reading.value)));
  return {
    value,
    unit: first.unit,
    interval: [
      value * Math.exp(-Math.hypot(Math.log(value / spread[0]), down)),
      value * Math.exp(Math.hypot(Math.log(spread[1] / value), up)),
    ],
  };
}

export function judgeEnergyRatio(
  rule: Rule,
  better: 'higher' | 'lower',
  baseline: Reading,
  candidate: Reading,
): Judgement {
  if (baseline.unit !== candidate.unit)
    return withoutEstimate('INCONCLUSIVE', `not like for like: ${baseline.unit} and ${candidate.unit}`);
  const found = ratioInterval(baseline, candidate);
  if (found === null) return withoutEstimate('INCONCLUSIVE', 'the uncertainty of a reading reaches down to zero');
  const kind = kindOf(rule);
  const share = rule.not_worse ?? rule.better_by ?? rule.equivalent ?? 0;
  const direction = better === 'higher' ? 1 : -1;
  const [low, high] = [Math.log(found[0]), Math.log(found[1])];
  const log = Math.log(candidate.value / baseline.value);
  const ends: [number, number] = direction === 1 ? [low, high] : [-high, -low];
  const acceptable = acceptableEffect(kind, share, better);
  const verdict = decide(ends, acceptable);
  return withoutEstimate(
    verdict,
    `${sentence(verdict, { kind, share, better })}, by the intervals of the two readings`,
    {
      threshold: thresholds(acceptable, direction),
      estimate: {
        value: Math.exp(log),
        unit: 'ratio',
        interval: found,
        confidence: CONFIDENCE,
      },
      pFail: verdict === 'FAIL' ? pOutside(direction * log, ends, acceptable) : null,
    },
  );
}

export function judgeEnergyValue(kind: 'at_least' | 'at_most', limit: number, reading: Reading): Judgement {
  const acceptable =
    kind === 'at_least' ? { from: limit, to: Number.POSITIVE_INFINITY } : { from: Number.NEGATIVE_INFINITY, to: limit };
  const verdict = decide(reading.interval, acceptable);
  return withoutEstimate(verdict, absoluteSentence(verdict, kind), {
    estimate: { value: reading.value, unit: reading.unit, interval: reading.interval, confidence: CONFIDENCE },
    threshold: [limit],
    pFail: verdict === 'FAIL' ? pOutside(reading.value, reading.interval, acceptable) : null,
  });
}

/** One-sided p-value of lying outside, with the standard error that the interval implies (half of it towards the limit). */
function pOutside(value: number, [low, high]: readonly [number, number], { from, to }: Acceptable): number {
  const distance = value < from ? from - value : value - to;
  const half = value < from ? high - value : value - low;
  return half === 0 ? 0 : normalCdf((-COVERAGE * distance) / half);
}
