/**
 * The gate judged by itself: the launches of the given documents are split at random into two halves that are the same
 * machine, and put through the policy as they are (what fails is a false alarm) and with the candidate half slowed by a
 * known amount (what fails is a find). Pure; shares come with Clopper-Pearson bounds. docs/gate.md.
 */

import { clopperPearson } from '../analysis/distributions.ts';
import { type Random, seededRandom, shuffled } from '../analysis/random.ts';
import { summarizeMetrics } from '../analysis/summarize.ts';
import type { CaseResult, Launch, ResultDocument } from '../results/schema.ts';
import { evaluate } from './evaluate.ts';
import { needsBaseline, type Policy, type Rule } from './policy.ts';
import { findQuantity } from './quantities.ts';

export interface Share {
  count: number;
  of: number;
  share: number;
  /** Clopper-Pearson, 95 %. */
  interval: [number, number];
}

interface Outcome {
  fail: Share;
  pass: Share;
}

export interface RuleSelfTest {
  rule: string;
  /** Of identical halves. A FAIL is a false alarm, but for better_by, where a PASS is the false one. */
  identical: Outcome;
  /**
   * The candidate half changed by a known share, negative where slowed: by the margin (where the rule may err with alpha)
   * and by twice the margin (which it should find).
   */
  seeded: (Outcome & { change: number })[];
}

export interface SelfTest {
  schema: 'aibench.self-test/1';
  policy: string;
  repeats: number;
  seed: number;
  /** Launches on each side of a split, of the case that has fewest. */
  launchesPerSide: number;
  rules: RuleSelfTest[];
  /** Rules that halves of one machine cannot test, and why. */
  untested: { rule: string; reason: string }[];
  /** The gate as a whole (its tested rules) on identical halves. */
  gate: Outcome;
}

const MULTIPLES = [1, 2];
const CONFIDENCE = 0.95;

/**
 * @param documents one machine's, with at least four usable launches of each case.
 * @returns null where there is nothing to split, or no rule that a split could test.
 */
export function selfTest(policy: Policy, documents: readonly ResultDocument[], repeats: number): SelfTest | null {
  const untested = policy.rules.flatMap(rule => {
    const reason = untestable(rule, policy);
    return reason === null ? [] : [{ rule: rule.id, reason }];
  });
  const tested: Policy = { ...policy, rules: policy.rules.filter(rule => untestable(rule, policy) === null) };
  const first = documents[0];
  const pooled = first === undefined ? null : poolLaunches(first, documents);
  if (pooled === null || tested.rules.length === 0) return null;
  const random = seededRandom(policy.seed);
  const tallies = new Map(tested.rules.map(rule => [rule.id, new Tally()]));
  const gate = new Tally();
  for (let repeat = 0; repeat < repeats; repeat++) {
    const [baseline, candidate] = split(pooled, random);
    const result = evaluate(tested, { baseline: [baseline], candidate: [candidate] });
    gate.add(0, result.verdict);
    for (const item of result.items) tallies.get(item.rule)?.add(0, item.verdict);
    for (const rule of tested.rules) {
      for (const change of changesOf(rule)) {
        const changed = changeSpeed(candidate, change, betterOf(rule));
        const { items } = evaluate({ ...tested, rules: [rule] }, { baseline: [baseline], candidate: [changed] });
        for (const item of items) tallies.get(rule.id)?.add(change, item.verdict);
      }
    }
  }
  return {
    schema: 'aibench.self-test/1',
    policy: policy.name,
    repeats,
    seed: policy.seed,
    launchesPerSide: Math.min(...pooled.cases.map(({ launches }) => Math.floor(launches.length / 2))),
    rules: tested.rules.map(rule => {
      const tally = tallies.get(rule.id) ?? new Tally();
      const seeded = changesOf(rule).map(change => ({ change, ...tally.outcome(change) }));
      return { rule: rule.id, identical: tally.outcome(0), seeded };
    }),
    untested,
    gate: gate.outcome(0),
  };
}

function untestable(rule: Rule, policy: Policy): string | null {
  if (rule.level === 'off') return 'its level is off';
  if (!needsBaseline(rule)) return 'it holds a value to a fixed limit, which two halves of one machine say nothing of';
  if (findQuantity(rule.on.quantity, policy.costs)?.family !== 'launch')
    return 'it rests on one energy reading per case, which cannot be split';
  return null;
}

/** What is done to the candidate half: a loss, or for better_by a gain, of the margin and of twice the margin. */
function changesOf(rule: Rule): number[] {
  const loss = rule.not_worse ?? rule.equivalent;
  const share = loss === undefined ? (rule.better_by ?? 0) : -loss;
  return share === 0 ? [] : MULTIPLES.map(multiple => multiple * share).filter(change => change > -1);
}

function betterOf(rule: Rule): 'higher' | 'lower' {
  return findQuantity(rule.on.quantity, undefined)?.better ?? 'higher';
}

class Tally {
  readonly #verdicts = new Map<number, string[]>();

  add(change: number, verdict: string): void {
    const known = this.#verdicts.get(change);
    if (known === undefined) this.#verdicts.set(change, [verdict]);
    else known.push(verdict);
  }

  outcome(change: number): Outcome {
    const all = this.#verdicts.get(change) ?? [];
    const of = (verdict: string): Share => shareOf(all.filter(one => one === verdict).length, all.length);
    return { fail: of('FAIL'), pass: of('PASS') };
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

/** The same cases with a rate that is (1 + change) times what it was; where lower is better, with a time (1 - change) times. */
function changeSpeed(document: ResultDocument, change: number, better: 'higher' | 'lower'): ResultDocument {
  const factor = better === 'higher' ? 1 / (1 + change) : 1 - change;
  const cases = document.cases.map(result => {
    const launches = result.launches.map(launch => ({
      ...launch,
      samplesSeconds: launch.samplesSeconds.map(seconds => seconds * factor),
      ...(launch.windowSeconds !== undefined && { windowSeconds: stretched(launch.windowSeconds, factor) }),
    }));
    return withLaunches(result, launches);
  });
  return { ...document, cases };
}

/** Rates over the window follow it too. */
function stretched([start, end]: readonly [number, number], factor: number): [number, number] {
  return [start, start + factor * (end - start)];
}

function withLaunches(result: CaseResult, launches: Launch[]): CaseResult {
  return { ...result, launches, metrics: summarizeMetrics(launches, Object.keys(result.metrics)) };
}
