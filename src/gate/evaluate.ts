/** A policy on documents. Pure: the same policy and documents give the same result, byte for byte. */
import { index } from '../analysis/comparability.ts';
import { holm } from '../analysis/multiplicity.ts';
import { claimOf, type Sighting, unitOf } from '../analysis/observations.ts';
import type { ResultDocument } from '../results/schema.ts';
import { judge } from './judge.ts';
import type { Judgement, Verdict } from './judgement.ts';
import { kindOf, needsBaseline, type Policy, type Rule, type RuleKind } from './policy.ts';
import { selects } from './selector.ts';

export interface GateItem extends Judgement {
  rule: string;
  level: 'error' | 'warn';
  kind: RuleKind;
  quantity: string;
  /** Case id. */
  case: string;
  /** pFail corrected for the number of items that could have failed (Holm); decides the gate's own verdict. */
  pFailCorrected: number | null;
}

export interface GateResult {
  schema: 'aibench.gate/1';
  policy: string;
  verdict: Verdict;
  /** One sentence. */
  headline: string;
  claim: string;
  counts: Record<Verdict, number>;
  items: GateItem[];
}

export interface Documents {
  baseline: readonly ResultDocument[];
  candidate: readonly ResultDocument[];
}

/**
 * Judges every rule on every case that it selects in either side, and the gate as a whole: PASS only when every item of
 * level `error` passes (an intersection-union test needs no correction); FAIL when a failure stands after Holm's
 * correction; UNFIT before INCONCLUSIVE otherwise.
 * @throws AibenchError POLICY_INVALID where a rule cannot apply to the values found.
 */
export function evaluate(policy: Policy, { baseline, candidate }: Documents): GateResult {
  const before = index(baseline);
  const after = index(candidate);
  const items: GateItem[] = [];
  for (const rule of policy.rules) {
    if (rule.level === 'off') continue;
    for (const id of casesOf(rule, before, after)) {
      const question = { policy, rule, baseline: before.get(id) ?? [], candidate: after.get(id) ?? [] };
      const about = { rule: rule.id, level: rule.level, kind: kindOf(rule), quantity: rule.on.quantity, case: id };
      items.push({ ...about, ...judge(question), pFailCorrected: null });
    }
  }
  correctFailures(items);
  const deciding = items.filter(item => item.level === 'error');
  const verdict = overall(deciding, policy.alpha);
  const sides = needsAnyBaseline(policy) ? [before, after] : [after];
  const sightings = sides.map(side => [...side.values()].flat());
  return {
    schema: 'aibench.gate/1',
    policy: policy.name,
    verdict,
    headline: headlineOf(verdict, deciding, policy.alpha),
    claim: claimOf(unitOf(sides.map(fewestPerCase)), sightings),
    counts: countsOf(items),
    items,
  };
}

/** Cases that the rule selects, in the order of the candidate, then what only the baseline has. */
export function casesOf(rule: Rule, before: Map<string, Sighting[]>, after: Map<string, Sighting[]>): string[] {
  const chosen = (side: Map<string, Sighting[]>): string[] =>
    [...side].filter(([, sightings]) => sightings.some(({ result }) => selects(rule.on, result))).map(([id]) => id);
  return [...new Set([...chosen(after), ...(needsBaseline(rule) ? chosen(before) : [])])];
}

function needsAnyBaseline(policy: Policy): boolean {
  return policy.rules.some(rule => rule.level !== 'off' && needsBaseline(rule));
}

/** The sightings of the case that is seen least often: it limits what may be claimed of all. */
function fewestPerCase(side: Map<string, Sighting[]>): Sighting[] {
  let fewest: Sighting[] | undefined;
  for (const sightings of side.values())
    if (fewest === undefined || sightings.length < fewest.length) fewest = sightings;
  return fewest ?? [];
}

/** Items without a test of their own (missing, unfit) cannot fail and do not count; every other one could have. */
function correctFailures(items: GateItem[]): void {
  const tested = items.filter(item => item.level === 'error' && (item.estimate !== null || item.pFail !== null));
  const corrected = holm(tested.map(item => item.pFail ?? 1));
  tested.forEach((item, position) => {
    if (item.verdict === 'FAIL') item.pFailCorrected = corrected[position] ?? 1;
  });
}

function standsAfterCorrection(item: GateItem, alpha: number): boolean {
  return item.verdict === 'FAIL' && (item.pFailCorrected ?? 1) <= alpha;
}

function overall(items: readonly GateItem[], alpha: number): Verdict {
  if (items.some(item => standsAfterCorrection(item, alpha))) return 'FAIL';
  if (items.some(item => item.verdict === 'UNFIT')) return 'UNFIT';
  return items.length > 0 && items.every(item => item.verdict === 'PASS') ? 'PASS' : 'INCONCLUSIVE';
}

function headlineOf(verdict: Verdict, items: readonly GateItem[], alpha: number): string {
  const many = (count: number): string => `${count} of ${items.length} checks`;
  const failed = items.filter(item => standsAfterCorrection(item, alpha));
  if (verdict === 'PASS') return `all ${items.length} checks pass`;
  if (verdict === 'FAIL') return `${many(failed.length)} fail, proven also after correction for their number`;
  if (verdict === 'UNFIT')
    return `${many(items.filter(item => item.verdict === 'UNFIT').length)} could not be judged: the measurement was not fit`;
  const doubtful = items.filter(item => item.verdict === 'FAIL').length;
  const suffix = doubtful === 0 ? '' : `; ${doubtful} fail alone but not after correction for the number of checks`;
  return `${many(items.filter(item => item.verdict !== 'PASS').length)} are undecided${suffix}`;
}

function countsOf(items: readonly GateItem[]): Record<Verdict, number> {
  const counts: Record<Verdict, number> = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0, UNFIT: 0 };
  for (const item of items) counts[item.verdict] += 1;
  return counts;
}
