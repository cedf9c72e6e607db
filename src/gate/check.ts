/**
 * What only the documents can tell of a policy: a selector that matches nothing, a metric that no candidate has, a rule
 * that could never fire at this number of launches. Errors at load, with file and line; a gate that cannot fail is worse
 * than none.
 */
import { BOOTSTRAP_MINIMUM } from '../analysis/bootstrap.ts';
import { index } from '../analysis/comparability.ts';
import { machineOf, type Sighting, type Unit, unitOf, unitsText } from '../analysis/observations.ts';
import { usableLaunches } from '../analysis/summarize.ts';
import { nearest } from '../config/nearest.ts';
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import { casesOf, type Documents } from './evaluate.ts';
import { samplesForQuantile } from './judge-absolute.ts';
import { type LoadedPolicy, ruleError } from './load.ts';
import { needsBaseline, type Rule } from './policy.ts';
import { findQuantity, isDerived, rateMetric } from './quantities.ts';
import { CASE_TAGS, ENERGY_TAGS } from './selector.ts';

/** @throws AibenchError POLICY_INVALID, exit 2, naming file, line and rule. */
export function checkAgainstDocuments(loaded: LoadedPolicy, documents: Documents): void {
  const policy = loaded.value;
  const before = index(documents.baseline);
  const after = index(documents.candidate);
  policy.rules.forEach((rule, position) => {
    if (rule.level === 'off') return;
    const refuse = (key: string, fact: string, remedy: string): never => {
      throw ruleError(loaded, position, key, fact, remedy);
    };
    if (needsBaseline(rule) && documents.baseline.length === 0)
      refuse('on', 'it compares with a baseline, and there is none', 'Give one with --baseline.');
    const ids = casesOf(rule, before, after);
    if (ids.length === 0)
      refuse(
        'on',
        explainEmpty(rule, documents),
        'Correct the selector; `aibench gate init` lists what a document holds.',
      );
    const candidates = ids.flatMap(id => after.get(id) ?? []).map(({ result }) => result);
    checkMetric(rule, candidates, refuse);
    checkLaunches(rule, documents, candidates, policy.alpha, refuse);
  });
}

type Refuse = (key: string, fact: string, remedy: string) => never;

function explainEmpty(rule: Rule, { baseline, candidate }: Documents): string {
  const cases = [...candidate, ...baseline].flatMap(document => document.cases);
  const known = new Set([...CASE_TAGS, ...ENERGY_TAGS, ...cases.flatMap(({ params }) => Object.keys(params))]);
  for (const { name } of rule.on.tags) {
    if (known.has(name)) continue;
    const guess = nearest(name, [...known]);
    return `no case has the tag ${name}${guess === null ? '' : `; did you mean \`${guess}\`?`}`;
  }
  return 'the selector matches no case';
}

/** A case that was skipped has no metrics: only cases that were measured can show that a metric does not exist. */
function checkMetric(rule: Rule, candidates: readonly CaseResult[], refuse: Refuse): void {
  const measured = candidates.filter(result => result.status === 'measured');
  if (measured.length === 0) return;
  const quantity = findQuantity(rule.on.quantity, undefined);
  const has = (result: CaseResult): boolean => {
    if (quantity?.family === 'energy') return true;
    if (quantity?.family === 'cost') return rateMetric(rule.on.quantity, result) !== null;
    return rule.on.quantity === 'limit_fraction'
      ? result.limit !== null
      : Object.hasOwn(result.metrics, rule.on.quantity);
  };
  if (measured.some(has)) return;
  const names = [...new Set(measured.flatMap(result => Object.keys(result.metrics)))];
  refuse('on', `no selected case has ${rule.on.quantity}`, `They have ${names.join(', ') || 'no metrics'}.`);
}

function checkLaunches(
  rule: Rule,
  { baseline, candidate }: Documents,
  candidates: readonly CaseResult[],
  alpha: number,
  refuse: Refuse,
): void {
  if (rule.exact === true || findQuantity(rule.on.quantity, undefined)?.family === 'energy') return;
  if (rule.quantile_at_most !== undefined) {
    const needed = samplesForQuantile(rule.quantile_at_most.quantile, alpha);
    const most = Math.max(
      0,
      ...candidates.flatMap(({ launches }) => launches.map(launch => launch.samplesSeconds.length)),
    );
    if (candidates.some(({ status }) => status === 'measured') && most < needed)
      refuse(
        'quantile_at_most',
        `it can never pass: it needs ${needed} iterations in a launch, and the most there are is ${most}`,
        'Measure longer, or ask for a lower quantile.',
      );
    const timed = candidates.flatMap(({ launches }) => usableLaunches(launches));
    if (timed.length > 0 && timed.every(({ iterationsPerSample }) => iterationsPerSample !== 1))
      refuse(
        'quantile_at_most',
        'it can never decide: every sample of the selected cases holds many iterations, so that single ones cannot be told',
        'Take a case whose iterations are timed one by one (inference), or at_most on a latency.',
      );
    return;
  }
  const sides: [string, readonly ResultDocument[]][] = [['candidate', candidate]];
  if (needsBaseline(rule)) sides.push(['baseline', baseline]);
  for (const [side, documents] of sides) {
    const planned = documents.reduce((total, document) => total + document.run.launches, 0);
    if (planned < 2)
      refuse(
        'on',
        `it can never decide: the ${side} was run with ${planned} launch, which shows no spread`,
        'Run with --launches 5 or more.',
      );
    const { unit, count } = unitsOf(sides, documents);
    if (isDerived(rule.on.quantity) && count < BOOTSTRAP_MINIMUM)
      refuse(
        'on',
        `it can never decide: ${rule.on.quantity} is judged by a bootstrap, which needs ${BOOTSTRAP_MINIMUM} ${unitsText(unit)} a side; the ${side} has ${count}`,
        'Run with --launches 10 or more, or hold a median or a rate to the margin.',
      );
  }
}

/** What the documents of a side count as, where every case is in all of them, and how many there are. */
function unitsOf(
  sides: readonly (readonly [string, readonly ResultDocument[]])[],
  documents: readonly ResultDocument[],
): { unit: Unit; count: number } {
  const sightings = (of: readonly ResultDocument[]): Sighting[] =>
    of.flatMap(document => {
      const [result] = document.cases;
      return result === undefined ? [] : [{ document, result }];
    });
  const unit = unitOf(sides.map(([, of]) => sightings(of)));
  if (unit === 'node') return { unit, count: new Set(documents.map(machineOf)).size };
  if (unit === 'run') return { unit, count: documents.length };
  return { unit, count: documents.reduce((total, document) => total + document.run.launches, 0) };
}
