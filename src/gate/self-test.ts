/**
 * The gate judged by itself: the launches of the given documents are split at random into two halves that are the same
 * machine, and put through the policy as they are (what fails is a false alarm) and with the candidate half slowed by a
 * known amount (what fails is a find). Pure; shares come with Clopper-Pearson bounds. docs/gate.md.
 */

import { clopperPearson } from '../analysis/distributions.ts';
import { metricDefinition } from '../analysis/metrics.ts';
import { type Random, seededRandom, shuffled } from '../analysis/random.ts';
import { summarizeMetrics } from '../analysis/summarize.ts';
import type { CaseResult, Launch, ResultDocument } from '../results/schema.ts';
import { evaluate } from './evaluate.ts';
import { needsBaseline, type Policy } from './policy.ts';
import { findQuantity } from './quantities.ts';

export interface Share {
  count: number;
  of: number;
  share: number;
  /** Clopper-Pearson, 95 %. */
  interval: [number, number];
}

export interface RuleSelfTest {
  rule: string;
  /** Of identical halves. */
  falseFail: Share;
  pass: Share;
  /** By size of the regression: multiples of the rule's margin. */
  regressions: { slowedBy: number; fail: Share; pass: Share }[];
}

export interface SelfTest {
  schema: 'aibench.self-test/1';
  policy: string;
  repeats: number;
  seed: number;
  /** Launches on each side of a split, of the case that has fewest. */
  launchesPerSide: number;
  rules: RuleSelfTest[];
  /** The gate as a whole on identical halves. */
  gateFail: Share;
  gatePass: Share;
}

const REGRESSIONS = [1, 2];
const CONFIDENCE = 0.95;

/** @param documents one machine's, with at least four usable launches of each case. */
export function selfTest(policy: Policy, documents: readonly ResultDocument[], repeats: number): SelfTest | null {
  const relative: Policy = {
    ...policy,
    rules: policy.rules.filter(
      rule =>
        rule.level !== 'off' &&
        needsBaseline(rule) &&
        findQuantity(rule.on.quantity, policy.costs)?.family === 'launch',
    ),
  };
  const first = documents[0];
  const pooled = first === undefined ? null : poolLaunches(first, documents);
  if (pooled === null || relative.rules.length === 0) return null;
  const random = seededRandom(policy.seed);
  const tallies = new Map(relative.rules.map(rule => [rule.id, new Tally()]));
  const gate = { fail: 0, pass: 0 };
  for (let repeat = 0; repeat < repeats; repeat++) {
    const [baseline, candidate] = split(pooled, random);
    const result = evaluate(relative, { baseline: [baseline], candidate: [candidate] });
    if (result.verdict === 'FAIL') gate.fail += 1;
    if (result.verdict === 'PASS') gate.pass += 1;
    for (const item of result.items) tallies.get(item.rule)?.add(0, item.verdict);
    for (const rule of relative.rules) {
      const margin = rule.not_worse ?? rule.equivalent ?? rule.better_by ?? 0;
      for (const multiple of margin === 0 ? [] : REGRESSIONS) {
        const slowed = slowDown(candidate, multiple * margin);
        const { items } = evaluate({ ...relative, rules: [rule] }, { baseline: [baseline], candidate: [slowed] });
        for (const item of items) tallies.get(rule.id)?.add(multiple, item.verdict);
      }
    }
  }
  return {
    schema: 'aibench.self-test/1',
    policy: policy.name,
    repeats,
    seed: policy.seed,
    launchesPerSide: Math.min(...pooled.cases.map(({ launches }) => Math.floor(launches.length / 2))),
    rules: relative.rules.map(rule => {
      const tally = tallies.get(rule.id) ?? new Tally();
      const margin = rule.not_worse ?? rule.equivalent ?? rule.better_by ?? 0;
      return {
        rule: rule.id,
        falseFail: tally.share(0, 'FAIL'),
        pass: tally.share(0, 'PASS'),
        regressions: (margin === 0 ? [] : REGRESSIONS).map(multiple => ({
          slowedBy: multiple * margin,
          fail: tally.share(multiple, 'FAIL'),
          pass: tally.share(multiple, 'PASS'),
        })),
      };
    }),
    gateFail: shareOf(gate.fail, repeats),
    gatePass: shareOf(gate.pass, repeats),
  };
}

class Tally {
  readonly #verdicts = new Map<number, string[]>();

  add(multiple: number, verdict: string): void {
    this.#verdicts.set(multiple, [...(this.#verdicts.get(multiple) ?? []), verdict]);
  }

  share(multiple: number, verdict: string): Share {
    const all = this.#verdicts.get(multiple) ?? [];
    return shareOf(all.filter(one => one === verdict).length, all.length);
  }
}

export function shareOf(count: number, of: number): Share {
  if (of === 0) return { count, of, share: Number.NaN, interval: [0, 1] };
  return { count, of, share: count / of, interval: clopperPearson(count, of, CONFIDENCE) };
}

/** One document with the usable launches of all; null where a case that was measured has too few to be split. */
function poolLaunches(first: ResultDocument, documents: readonly ResultDocument[]): ResultDocument | null {
  const cases = first.cases
    .filter(({ status }) => status === 'measured')
    .map(result => ({
      ...result,
      launches: documents.flatMap(document =>
        (document.cases.find(({ id, status }) => id === result.id && status === 'measured')?.launches ?? []).filter(
          launch => launch.status === 'ok',
        ),
      ),
    }));
  return cases.length === 0 || cases.some(({ launches }) => launches.length < 4) ? null : { ...first, cases };
}

function split(document: ResultDocument, random: Random): [ResultDocument, ResultDocument] {
  const halves: [CaseResult[], CaseResult[]] = [[], []];
  for (const result of document.cases) {
    const order = shuffled(result.launches, random);
    const half = Math.floor(order.length / 2);
    halves[0].push(withLaunches(result, order.slice(0, half)));
    halves[1].push(withLaunches(result, order.slice(half, 2 * half)));
  }
  return [
    { ...document, cases: halves[0] },
    { ...document, cases: halves[1] },
  ];
}

/** The same case slowed, so that rates fall by `share` and times rise by it. */
function slowDown(document: ResultDocument, share: number): ResultDocument {
  const cases = document.cases.map(result => {
    const rate = metricDefinition(result.headline ?? '')?.better !== 'lower';
    const factor = rate ? 1 / (1 - share) : 1 + share;
    const launches = result.launches.map(launch => ({
      ...launch,
      samplesSeconds: launch.samplesSeconds.map(seconds => seconds * factor),
    }));
    return withLaunches(result, launches);
  });
  return { ...document, cases };
}

function withLaunches(result: CaseResult, launches: Launch[]): CaseResult {
  return { ...result, launches, metrics: summarizeMetrics(launches, Object.keys(result.metrics)) };
}
