/**
 * Two documents, or two sets of them, side by side: per case and metric the ratio with its interval and what may be said
 * of it. Pure. Nothing here is a verdict on a machine: that takes a margin, and a policy states it (src/gate).
 */

import type { CaseEnergy, CaseResult, ResultDocument } from '../results/schema.ts';
import { type Apart, type Pair, pairCases } from './comparability.ts';
import { type Difference, differenceOf, effectOf } from './effect.ts';
import { isOfOtherDevice } from './energy-scope.ts';
import { ceilingShift, unfitReasons } from './fitness.ts';
import { holm } from './multiplicity.ts';
import { claimOf, observe, quantity, type Unit, unitOf } from './observations.ts';
import { geometricMean } from './statistics.ts';

export type ChangeVerdict = 'better' | 'worse' | 'no difference shown' | 'tests disagree' | 'too few launches';

export interface ComparedMetric {
  case: string;
  metric: string;
  unit: string;
  better: 'higher' | 'lower';
  baseline: { value: number; units: number };
  candidate: { value: number; units: number };
  /** Candidate over baseline without an interval, where there are too few launches for one. */
  ratio: number;
  difference: Difference | null;
  /** Two-sided p-value corrected for all rows of this comparison (Holm); null without an interval. */
  pCorrected: number | null;
  verdict: ChangeVerdict;
  weak: boolean;
  unfit: string[];
}

export interface ComparedEnergy {
  case: string;
  source: string;
  scope: string;
  baselineWatts: number | null;
  candidateWatts: number | null;
  /** Throughput per watt, candidate over baseline. */
  ratio: number | null;
  interval: [number, number] | null;
}

export interface GeometricMean {
  metric: string;
  ratio: number;
  /** The cases that it covers: it says nothing of any other, and no verdict rests on it. */
  cases: string[];
}

export interface Comparison {
  unit: Unit;
  claim: string;
  confidence: number;
  rows: ComparedMetric[];
  energy: ComparedEnergy[];
  apart: Apart[];
  /** Readings that have no counterpart of the same scope and source on the other side. */
  energyApart: Apart[];
  geometricMeans: GeometricMean[];
  notes: string[];
}

export interface CompareOptions {
  confidence: number;
  /** Metrics to compare; `headline` is each case's own, `all` every one that both have. */
  metrics: 'headline' | 'all' | readonly string[];
}

export function compareDocuments(
  baseline: readonly ResultDocument[],
  candidate: readonly ResultDocument[],
  options: CompareOptions,
): Comparison {
  const { pairs, apart, notes } = pairCases(baseline, candidate);
  const units = new Set<Unit>();
  const rows: ComparedMetric[] = [];
  for (const pair of pairs) {
    const unit = unitOf([pair.baseline, pair.candidate]);
    units.add(unit);
    for (const name of metricsOf(pair, options.metrics)) {
      const row = compareMetric(pair, name, unit, options.confidence);
      if (row !== null) rows.push(row);
    }
  }
  decideAll(rows, options.confidence);
  const unit = units.has('launch') || units.size === 0 ? 'launch' : units.has('run') ? 'run' : 'node';
  return {
    unit,
    claim: claimOf(unit, [pairs.flatMap(pair => pair.baseline), pairs.flatMap(pair => pair.candidate)]),
    confidence: options.confidence,
    rows,
    energy: pairs.flatMap(compareEnergy),
    apart,
    energyApart: pairs.flatMap(energyWithoutMatch),
    geometricMeans: geometricMeans(rows),
    notes,
  };
}

function metricsOf(pair: Pair, chosen: CompareOptions['metrics']): string[] {
  const first = pair.baseline[0]?.result;
  if (first === undefined) return [];
  if (chosen === 'headline') return first.headline === null ? [] : [first.headline];
  const shared = Object.keys(first.metrics);
  return chosen === 'all' ? shared : shared.filter(name => chosen.includes(name));
}

function compareMetric(pair: Pair, name: string, unit: Unit, confidence: number): ComparedMetric | null {
  const about = quantity(name);
  const before = observe(pair.baseline, name, unit).values;
  const after = observe(pair.candidate, name, unit).values;
  if (about === null || before.length === 0 || after.length === 0) return null;
  const effect = effectOf(before, after, about.better);
  if (effect === 'not positive') return null;
  const unfit = unfitReasons([...pair.baseline, ...pair.candidate]).map(({ reason }) => reason);
  const moved = ceilingShift(pair.baseline, pair.candidate);
  if (moved !== null) unfit.push(moved.reason);
  const [left, right] = [geometricMean(before), geometricMean(after)];
  return {
    case: pair.id,
    metric: name,
    ...about,
    baseline: { value: left, units: before.length },
    candidate: { value: right, units: after.length },
    ratio: right / left,
    difference: effect === 'too few launches' ? null : differenceOf(effect, confidence),
    pCorrected: null,
    verdict: 'too few launches',
    weak: effect !== 'too few launches' && effect.weak,
    unfit,
  };
}

/** Marks are corrected for their number over the whole table (Holm), and the exact rank test has to bear them out. */
function decideAll(rows: ComparedMetric[], confidence: number): void {
  const tested = rows.filter(row => row.difference !== null);
  const corrected = holm(tested.map(row => row.difference?.pWelch ?? 1));
  tested.forEach((row, index) => {
    row.pCorrected = corrected[index] ?? 1;
    row.verdict = verdictOf(row, 1 - confidence);
  });
}

function verdictOf({ difference, pCorrected, ratio, better }: ComparedMetric, alpha: number): ChangeVerdict {
  if (difference === null || pCorrected === null || pCorrected > alpha) return 'no difference shown';
  const { pRank, baselineSpread, candidateSpread } = difference;
  // Below four launches a side the rank test cannot reach 5 % whatever the values: then it has no say (pRank is null).
  if (pRank !== null && pRank > alpha && baselineSpread + candidateSpread > 0) return 'tests disagree';
  return ratio > 1 === (better === 'higher') ? 'better' : 'worse';
}

function geometricMeans(rows: readonly ComparedMetric[]): GeometricMean[] {
  const groups = new Map<string, ComparedMetric[]>();
  for (const row of rows) groups.set(row.metric, [...(groups.get(row.metric) ?? []), row]);
  return [...groups].map(([metric, members]) => ({
    metric,
    ratio: geometricMean(members.map(member => member.ratio)),
    cases: members.map(member => member.case),
  }));
}

/** Side by side only at the same scope and from the same kind of source; with one document a side. */
function compareEnergy(pair: Pair): ComparedEnergy[] {
  const [before, ...moreBefore] = pair.baseline;
  const [after, ...moreAfter] = pair.candidate;
  if (before === undefined || after === undefined || moreBefore.length + moreAfter.length > 0) return [];
  return valid(before.result).flatMap(left => {
    const right = valid(after.result).find(entry => entry.source === left.source && entry.scope === left.scope);
    return right === undefined ? [] : [energyRow(pair.id, left, right)];
  });
}

/** What a reading covers is part of the number: a package beside a board is said, not compared. */
function energyWithoutMatch(pair: Pair): Apart[] {
  const [before, ...moreBefore] = pair.baseline;
  const [after, ...moreAfter] = pair.candidate;
  if (before === undefined || after === undefined || moreBefore.length + moreAfter.length > 0) return [];
  const [left, right] = [valid(before.result), valid(after.result)];
  const lacks = (entry: CaseEnergy, others: readonly CaseEnergy[]): boolean =>
    !others.some(other => other.source === entry.source && other.scope === entry.scope);
  const text = (entry: CaseEnergy): string => `${entry.scope} (${entry.source})`;
  const onlyLeft = left.filter(entry => lacks(entry, right)).map(text);
  const onlyRight = right.filter(entry => lacks(entry, left)).map(text);
  if (onlyLeft.length + onlyRight.length === 0) return [];
  const list = (found: string[]): string => (found.length === 0 ? 'no other reading' : found.join(', '));
  return [{ id: pair.id, reason: `${list(onlyLeft)} in the baseline, ${list(onlyRight)} in the candidate` }];
}

function valid(result: CaseResult): CaseEnergy[] {
  return result.energy.filter(entry => entry.status === 'ok' && !isOfOtherDevice(entry));
}

function energyRow(id: string, left: CaseEnergy, right: CaseEnergy): ComparedEnergy {
  const [a, b] = [left.throughputPerWatt, right.throughputPerWatt];
  const comparable = a !== null && b !== null && a.unit === b.unit && a.value > 0 && b.value > 0;
  return {
    case: id,
    source: left.source,
    scope: left.scope,
    baselineWatts: left.averageWatts,
    candidateWatts: right.averageWatts,
    ratio: comparable ? b.value / a.value : null,
    interval:
      comparable && a.interval !== null && b.interval !== null
        ? ratioInterval({ ...a, interval: a.interval }, { ...b, interval: b.interval })
        : null,
  };
}

interface WithInterval {
  value: number;
  interval: [number, number];
}

/**
 * Interval of candidate / baseline from the interval of each (MOVER on logarithms: Zou and Donner, Statistics in Medicine
 * 27, 2008, eq. 9). Same confidence as the two; null where an interval reaches down to zero.
 */
export function ratioInterval(baseline: WithInterval, candidate: WithInterval): [number, number] | null {
  if ([baseline, candidate].some(({ value, interval }) => !(value > 0 && interval[0] > 0))) return null;
  const log = Math.log(candidate.value / baseline.value);
  const down = Math.hypot(
    Math.log(candidate.value / candidate.interval[0]),
    Math.log(baseline.interval[1] / baseline.value),
  );
  const up = Math.hypot(
    Math.log(candidate.interval[1] / candidate.value),
    Math.log(baseline.value / baseline.interval[0]),
  );
  return [Math.exp(log - down), Math.exp(log + up)];
}
