/** One rule on one case: from documents to a judgement. Pure. What is missing or unfit is said, and never passes. */
import { identityDifference, isTrusted } from '../analysis/comparability.ts';
import { ceilingShift, unfitReasons } from '../analysis/fitness.ts';
import {
  gather,
  launchValues,
  machineOf,
  type Observations,
  observe,
  type Sighting,
  type Unit,
  unitOf,
} from '../analysis/observations.ts';
import { usableLaunches } from '../analysis/summarize.ts';
import { AibenchError } from '../errors.ts';
import { judgeAbsolute, judgeExact, judgeQuantile } from './judge-absolute.ts';
import { combineReadings, judgeEnergyRatio, judgeEnergyValue, type Reading, readingOf } from './judge-energy.ts';
import { judgeRelative } from './judge-relative.ts';
import { type Judgement, withoutEstimate } from './judgement.ts';
import { amountOf } from './load.ts';
import { kindOf, needsBaseline, type Policy, type Rule } from './policy.ts';
import {
  AVERAGE_WATTS,
  costPerSecond,
  costValues,
  findQuantity,
  isDerived,
  type Quantity,
  rateMetric,
  selectEnergy,
} from './quantities.ts';
import { parseQuantity } from './quantity-text.ts';

export interface Question {
  policy: Policy;
  rule: Rule;
  baseline: readonly Sighting[];
  candidate: readonly Sighting[];
}

/** @throws AibenchError POLICY_INVALID where the rule cannot apply to the values that the documents hold. */
export function judge(question: Question): Judgement {
  const { policy, rule, candidate } = question;
  const wrong = candidate.find(({ result }) => result.verification?.passed === false);
  if (wrong !== undefined) {
    const error = wrong.result.verification?.error ?? 'not a number';
    return withoutEstimate('FAIL', `the output is wrong (${wrong.result.verification?.method}: error ${error})`, {
      pFail: 0,
    });
  }
  const sides = needsBaseline(rule) ? [...question.baseline, ...candidate] : candidate;
  const missing = missingReason(question);
  const unfit = unfitReasons(sides, policy.fitness.unfitOn);
  const [first] = unfit;
  if (first !== undefined)
    return withoutEstimate('UNFIT', unfit.map(({ reason }) => reason.replace(/\.$/, '')).join('; '));
  if (missing !== null) return withoutEstimate('INCONCLUSIVE', missing);
  if (needsBaseline(rule)) {
    const reference = question.baseline[0]?.result;
    for (const { result } of sides) {
      const difference = reference === undefined ? null : identityDifference(reference, result);
      if (difference !== null) return withoutEstimate('INCONCLUSIVE', `not like for like: ${difference}`);
    }
    if (policy.fitness.ceilingShift !== 'off') {
      const moved = ceilingShift(question.baseline, candidate, policy.fitness.ceilingShift);
      if (moved !== null) return withoutEstimate('UNFIT', moved.reason);
    }
  }
  const quantity = findQuantity(rule.on.quantity, policy.costs);
  if (quantity === null) throw invalid(rule, `unknown metric ${rule.on.quantity}`);
  return quantity.family === 'energy' ? judgeEnergy(question, quantity) : judgeValues(question, quantity);
}

function missingReason({ rule, baseline, candidate }: Question): string | null {
  const sides: [string, readonly Sighting[]][] = [['candidate', candidate]];
  if (needsBaseline(rule)) sides.push(['baseline', baseline]);
  for (const [side, sightings] of sides) {
    if (sightings.length === 0) return `the case is missing in the ${side}`;
    for (const { result } of sightings) {
      if (result.status !== 'measured' && result.status !== 'invalid')
        return `${result.status} in the ${side}: ${result.reason ?? 'no reason given'}`;
      if (!isTrusted(result)) return `not verified, or wrong, in the ${side}`;
    }
  }
  return null;
}

function judgeValues(question: Question, quantity: Quantity): Judgement {
  const { policy, rule, candidate, baseline } = question;
  const kind = kindOf(rule);
  if (kind === 'quantile_at_most') {
    const limit = parseQuantity(rule.quantile_at_most?.value ?? '', 's');
    if (limit === null || rule.quantile_at_most === undefined) throw invalid(rule, 'the value is no time');
    const launches = candidate.flatMap(({ result }) => usableLaunches(result.launches));
    if (launches.length === 0) return withoutEstimate('INCONCLUSIVE', 'no usable launch');
    return judgeQuantile(launches, rule.quantile_at_most.quantile, limit, policy.alpha);
  }
  const unit = unitOf(needsBaseline(rule) ? [baseline, candidate] : [candidate]);
  const extraErrors: number[] = [];
  const sides: Observations[] = [];
  for (const sightings of needsBaseline(rule) ? [baseline, candidate] : [candidate]) {
    const found =
      quantity.family === 'cost' ? observeCost(question, sightings, unit) : observe(sightings, quantity.name, unit);
    if (typeof found === 'string') return withoutEstimate('INCONCLUSIVE', found);
    if ('observations' in found) {
      sides.push(found.observations);
      extraErrors.push(found.error);
    } else sides.push(found);
  }
  const [before, after] = sides.length === 2 ? sides : [undefined, sides[0]];
  if (after === undefined || sides.some(side => side.values.length === 0))
    return withoutEstimate('INCONCLUSIVE', `the case has no ${quantity.name}`);
  const common = {
    alpha: policy.alpha,
    seed: policy.seed,
    derived: isDerived(quantity.name),
    extraError: Math.hypot(...extraErrors, 0),
  };
  if (kind === 'exact') return judgeExact(before?.values ?? [], after.values);
  const share = rule.not_worse ?? rule.better_by ?? rule.equivalent;
  const judgement =
    before !== undefined && share !== undefined
      ? judgeRelative(before, after, { ...common, kind, share, better: quantity.better })
      : judgeAbsolute(after, {
          ...common,
          kind: kind === 'at_least' ? 'at_least' : 'at_most',
          value: parseQuantity(amountOf(rule) ?? '', quantity.unit ?? '') ?? Number.NaN,
          unit: quantity.unit ?? '',
        });
  if (judgement === null)
    throw invalid(rule, `${quantity.name} has values that are not above 0, which have no logarithm`);
  return judgement;
}

/** Cost per launch, and the standard error on its logarithm that the power reading brings: its share of the cost. */
function observeCost(
  { policy, rule }: Question,
  sightings: readonly Sighting[],
  unit: Unit,
): { observations: Observations; error: number } | string {
  const { costs } = policy;
  if (costs === undefined) throw invalid(rule, 'the policy states no costs');
  const byRun: { machine: string; values: number[] }[] = [];
  let error = 0;
  for (const { document, result } of sightings) {
    const metric = rateMetric(rule.on.quantity, result);
    if (metric === null) return `the case has no rate that ${rule.on.quantity} could be made of`;
    const [entry] = selectEnergy(result, rule.on);
    if (entry === undefined) return 'no energy reading of that scope';
    const reading = readingOf(entry, AVERAGE_WATTS);
    if (typeof reading === 'string') return reading;
    const values = costValues(rule.on.quantity, launchValues(result, metric), costs, reading.value);
    byRun.push({ machine: machineOf(document), values });
    const { machine, power } = costPerSecond(costs, reading.value);
    error = Math.max(error, ((entry.uncertainty?.relative ?? 0) / 2) * (power / (machine + power)));
  }
  return { observations: gather(byRun, unit), error };
}

function judgeEnergy({ rule, baseline, candidate }: Question, quantity: Quantity): Judgement {
  const read = (sightings: readonly Sighting[], side: string): Reading | string => {
    const readings: Reading[] = [];
    for (const { result } of sightings) {
      const [entry, ...others] = selectEnergy(result, rule.on);
      if (entry === undefined) return `no valid energy reading of that scope in the ${side}`;
      if (others.length > 0)
        return `several readings of that scope in the ${side}: name one with source: (${[entry, ...others].map(({ source }) => source).join(', ')})`;
      const reading = readingOf(entry, quantity.name);
      if (typeof reading === 'string') return reading;
      readings.push(reading);
    }
    return combineReadings(readings);
  };
  const after = read(candidate, 'candidate');
  if (typeof after === 'string') return withoutEstimate('INCONCLUSIVE', after);
  if (!needsBaseline(rule)) {
    const limit = parseQuantity(amountOf(rule) ?? '', after.unit);
    if (limit === null) throw invalid(rule, `\`${amountOf(rule)}\` is not a value in ${after.unit}`);
    return judgeEnergyValue(kindOf(rule) === 'at_least' ? 'at_least' : 'at_most', limit, after);
  }
  const before = read(baseline, 'baseline');
  if (typeof before === 'string') return withoutEstimate('INCONCLUSIVE', before);
  return judgeEnergyRatio(rule, quantity.better, before, after);
}

function invalid(rule: Rule, fact: string): AibenchError {
  return new AibenchError('POLICY_INVALID', `Rule ${rule.id}: ${fact}.`, 'Correct the rule, or take it out.');
}
