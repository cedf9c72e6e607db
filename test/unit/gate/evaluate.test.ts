import { describe, expect, it } from 'vitest';
import { checkAgainstDocuments } from '../../../src/gate/check.ts';
import { evaluate, type GateResult } from '../../../src/gate/evaluate.ts';
import { parsePolicy } from '../../../src/gate/load.ts';
import type { ResultDocument } from '../../../src/results/schema.ts';
import { type SyntheticOptions, syntheticDocument } from '../../fixtures/synthetic.ts';

function rules(...lines: string[]): string {
  const written = lines.map((line, index) => `  - {id: r${index}, reason: for the test, ${line}}`);
  return `schema: aibench.policy/1\nname: test\nrules:\n${written.join('\n')}\n`;
}

const ON = 'on: "flops_per_second{workload:gemm}"';

function gate(policy: string, baseline: ResultDocument[], candidate: ResultDocument[]): GateResult {
  const loaded = parsePolicy(policy, 'p.yaml');
  checkAgainstDocuments(loaded, { baseline, candidate });
  return evaluate(loaded.value, { baseline, candidate });
}

function one(options: Partial<SyntheticOptions> = {}): ResultDocument {
  return syntheticDocument({ seed: 1, cases: 1, launches: 10, ...options });
}

describe('verdicts against a baseline', () => {
  const base = one();
  it.each([
    ['not_worse: 5%', 1, 'PASS'],
    ['not_worse: 5%', 0.85, 'FAIL'],
    ['not_worse: 5%', 1.5, 'PASS'],
    ['better_by: 10%', 1.3, 'PASS'],
    ['better_by: 10%', 1, 'FAIL'],
    ['equivalent: 5%', 1, 'PASS'],
    ['equivalent: 5%', 1.2, 'FAIL'],
    ['equivalent: 5%', 0.8, 'FAIL'],
  ])('%s at %d times the speed is %s', (rule, speed, verdict) => {
    expect(gate(rules(`${ON}, ${rule}`), [base], [one({ seed: 2, speed })]).verdict).toBe(verdict);
  });

  it.each([
    ['not_worse: 5%', 0.95],
    ['better_by: 10%', 1.1],
    ['equivalent: 5%', 1.05],
  ])('%s at its margin is undecided where launches differ by 5 %', (rule, speed) => {
    const noisy = { betweenSd: 0.05, launches: 8 };
    expect(gate(rules(`${ON}, ${rule}`), [one(noisy)], [one({ ...noisy, seed: 4, speed })]).verdict).toBe(
      'INCONCLUSIVE',
    );
  });

  it('knows that lower is better for times', () => {
    const policy = rules('on: latency_seconds_p50, not_worse: 5%');
    expect(gate(policy, [base], [one({ seed: 2, speed: 0.85 })]).verdict).toBe('FAIL');
    expect(gate(policy, [base], [one({ seed: 2, speed: 1.3 })]).verdict).toBe('PASS');
  });

  it('prints the interval that decides', () => {
    const [item] = gate(rules(`${ON}, not_worse: 5%`), [base], [one({ seed: 2, speed: 0.85 })]).items;
    expect(item?.estimate?.confidence).toBe(0.9);
    expect(item?.threshold).toEqual([expect.closeTo(0.95, 12)]);
    expect(item?.estimate?.interval[1]).toBeLessThan(0.95);
    expect(item?.pFail).toBeLessThan(0.05);
  });

  it('says how many launches would decide', () => {
    const noisy = { betweenSd: 0.05, launches: 5 };
    const [item] = gate(rules(`${ON}, not_worse: 5%`), [one(noisy)], [one({ ...noisy, seed: 9 })]).items;
    expect(item?.verdict).toBe('INCONCLUSIVE');
    expect(item?.launchesNeeded).toBeGreaterThan(5);
  });

  it('takes zero spread on both sides by the exact rule', () => {
    const still = { betweenSd: 0, withinSd: 0 };
    const policy = rules(`${ON}, not_worse: 5%`);
    expect(gate(policy, [one(still)], [one({ ...still, seed: 3 })]).verdict).toBe('PASS');
    expect(gate(policy, [one(still)], [one({ ...still, speed: 0.94 })]).verdict).toBe('FAIL');
  });

  it('judges p99 by the bootstrap, which it refuses below ten launches', () => {
    const policy = rules('on: latency_seconds_p99, not_worse: 5%');
    expect(gate(policy, [base], [one({ seed: 2 })]).verdict).toBe('PASS');
    expect(gate(policy, [base], [one({ seed: 2, speed: 0.8 })]).verdict).toBe('FAIL');
    expect(() => gate(policy, [one({ launches: 9 })], [one({ seed: 2, launches: 9 })])).toThrow(
      /p\.yaml:4:\d+: rule r0: it can never decide: .* needs 10 launches a side; the candidate has 9/,
    );
    const broken = one({ seed: 2 });
    Object.assign(broken.cases[0]?.launches[3] ?? {}, { status: 'failed', reason: 'crash' });
    const [item] = gate(policy, [base], [broken]).items;
    expect(item?.verdict).toBe('INCONCLUSIVE');
    expect(item?.launchesNeeded).toBe(10);
  });

  it('takes machines for the unit when there are three a side, and says what may be claimed', () => {
    const side = (seed: number, speed = 1): ResultDocument[] =>
      [0, 1, 2, 3].map(node => one({ seed: seed + node, host: `${seed}-${node}`, speed, launches: 5 }));
    const same = gate(rules(`${ON}, not_worse: 5%`), side(10), side(20));
    expect(same.items[0]?.unit).toBe('node');
    expect(same.items[0]?.baseline?.units).toBe(4);
    expect(same.claim).toMatch(/model of machine/);
    expect(gate(rules(`${ON}, not_worse: 5%`), side(10), side(20, 0.8)).verdict).toBe('FAIL');
    expect(gate(rules(`${ON}, not_worse: 5%`), [base], [one({ seed: 2 })]).claim).toBe('this machine');
  });
});

describe('verdicts on absolute values', () => {
  it.each([
    ['at_least: 150 GFLOP/s', 'PASS'],
    ['at_least: 250 GFLOP/s', 'FAIL'],
    ['at_most: 250 GFLOP/s', 'PASS'],
    ['at_most: 150 GFLOP/s', 'FAIL'],
  ])('%s is %s', (rule, verdict) => {
    expect(gate(rules(`${ON}, ${rule}`), [], [one()]).verdict).toBe(verdict);
  });

  it('is undecided where the limit lies within the interval', () => {
    const value = one().cases[0]?.metrics.flops_per_second?.value ?? 0;
    expect(gate(rules(`${ON}, at_least: ${value} FLOP/s`), [], [one()]).verdict).toBe('INCONCLUSIVE');
  });

  it('holds a quantile by the binomial rule in every launch', () => {
    const many = one({ samples: 400, launches: 3 });
    const on = 'on: latency_seconds_p50, quantile_at_most: {quantile: 99%, value:';
    expect(gate(rules(`${on} 11 ms}`), [], [many]).verdict).toBe('PASS');
    expect(gate(rules(`${on} 9 ms}`), [], [many]).verdict).toBe('FAIL');
  });

  it('exact wants one and the same value', () => {
    const still = { betweenSd: 0, withinSd: 0, launches: 3 };
    expect(gate(rules(`${ON}, exact: true`), [one(still)], [one({ ...still, seed: 5 })]).verdict).toBe('PASS');
    expect(gate(rules(`${ON}, exact: true`), [one(still)], [one({ seed: 5, launches: 3 })]).verdict).toBe('FAIL');
  });
});

describe('energy and cost', () => {
  const base = one({ watts: 100 });
  it('compares work per joule at one scope', () => {
    const policy = rules('on: "throughput_per_watt{scope:package}", not_worse: 10%');
    expect(gate(policy, [base], [one({ seed: 2, watts: 101 })]).verdict).toBe('PASS');
    expect(gate(policy, [base], [one({ seed: 2, watts: 150 })]).verdict).toBe('FAIL');
  });
  it('a scope that nobody measured never passes', () => {
    const policy = rules('on: "throughput_per_watt{scope:wall}", not_worse: 10%');
    expect(gate(policy, [base], [one({ seed: 2, watts: 100 })]).verdict).toBe('INCONCLUSIVE');
    expect(gate(rules('on: "average_watts{scope:package}", at_most: 50 W'), [], [one()]).verdict).toBe('INCONCLUSIVE');
  });
  it('takes several runs together, and lets the spread between them count', () => {
    const policy = rules('on: "throughput_per_watt{scope:package}", not_worse: 10%');
    const side = (seed: number, watts: number[]): ResultDocument[] =>
      watts.map((value, index) => one({ seed: seed + index, watts: value }));
    expect(gate(policy, side(10, [100, 101, 99]), side(20, [101, 100, 100])).verdict).toBe('PASS');
    expect(gate(policy, side(10, [100, 101, 99]), side(20, [150, 152, 149])).verdict).toBe('FAIL');
    expect(gate(policy, side(10, [100, 101, 99]), side(20, [80, 100, 130])).verdict).toBe('INCONCLUSIVE');
  });
  it('counts machines, not launches, for a cost where there are three a side', () => {
    const costs =
      'costs: {currency: USD, pricePerUnit: 36000, lifetimeHours: 10000, powerPricePerKilowattHour: 0.1, pue: 1.2}\n';
    const policy = rules('on: "flop_per_currency{scope:package}", at_least: 1 GFLOP/USD') + costs;
    const nodes = (count: number): ResultDocument[] =>
      Array.from({ length: count }, (_, node) => one({ seed: 30 + node, host: `h${node}`, watts: 100 }));
    expect(() => gate(policy, [], nodes(3))).toThrow(/needs 10 nodes a side; the candidate has 3/);
    const [item] = gate(policy, [], nodes(10)).items;
    expect(item?.unit).toBe('node');
    expect(item?.candidate?.units).toBe(10);
    expect(item?.verdict).toBe('PASS');
  });
  it('holds power to a limit', () => {
    expect(gate(rules('on: "average_watts{scope:package}", at_most: 120 W'), [], [base]).verdict).toBe('PASS');
    expect(gate(rules('on: "average_watts{scope:package}", at_most: 80 W'), [], [base]).verdict).toBe('FAIL');
  });
  it('works out what a FLOP costs', () => {
    const costs =
      'costs: {currency: USD, pricePerUnit: 36000, lifetimeHours: 10000, powerPricePerKilowattHour: 0.1, pue: 1.2}\n';
    // 36,000 USD over 10,000 h is 1e-3 USD/s; 100 W × 1.2 × 0.1 USD/kWh is 3.33e-6 USD/s; 2e11 FLOP/s.
    const policy = (limit: string): string =>
      rules(`on: "flop_per_currency{scope:package}", at_least: ${limit}`) + costs;
    const [item] = gate(policy('100 TFLOP/USD'), [], [base]).items;
    expect(item?.verdict).toBe('PASS');
    expect(item?.estimate?.value).toBeCloseTo((item?.candidate?.value ?? 0) / 1, 0);
    expect((item?.estimate?.value ?? 0) / (2e11 / (1e-3 + 100 * 1.2 * (0.1 / 3.6e6)))).toBeCloseTo(1, 1);
    expect(gate(policy('300 TFLOP/USD'), [], [base]).verdict).toBe('FAIL');
  });
});

describe('what never passes', () => {
  const base = one();
  const policy = rules(`${ON}, not_worse: 5%`);
  const changed = (change: (document: ResultDocument) => void): ResultDocument => {
    const copy = structuredClone(one({ seed: 2 }));
    change(copy);
    return copy;
  };
  const first = (document: ResultDocument) => {
    const [result] = document.cases;
    if (result === undefined) throw new Error('no case');
    return result;
  };
  it.each([
    ['a case that is missing', 'INCONCLUSIVE', (document: ResultDocument) => document.cases.pop()],
    [
      'a case that was skipped',
      'INCONCLUSIVE',
      (document: ResultDocument) => Object.assign(first(document), { status: 'skipped', reason: 'no room' }),
    ],
    [
      'a case that failed',
      'INCONCLUSIVE',
      (document: ResultDocument) => Object.assign(first(document), { status: 'failed', reason: 'crash' }),
    ],
    [
      'a case that is invalid',
      'UNFIT',
      (document: ResultDocument) => Object.assign(first(document), { status: 'invalid', reason: 'above the peak' }),
    ],
    [
      'wrong output',
      'FAIL',
      (document: ResultDocument) =>
        Object.assign(first(document), {
          status: 'failed',
          verification: { method: 'residual', passed: false, error: 9, tolerance: 1 },
        }),
    ],
    [
      'output that nobody checked',
      'INCONCLUSIVE',
      (document: ResultDocument) => Object.assign(first(document), { verification: null }),
    ],
    [
      'a metric that is missing',
      'INCONCLUSIVE',
      (document: ResultDocument) => Object.assign(first(document), { metrics: {} }),
    ],
    [
      'other parameters under the same id',
      'INCONCLUSIVE',
      (document: ResultDocument) => Object.assign(first(document).params, { m: 1 }),
    ],
    [
      'another count of work',
      'INCONCLUSIVE',
      (document: ResultDocument) =>
        first(document).launches.forEach(launch => {
          launch.work = { flops: 1e9 };
        }),
    ],
    [
      'another run at the same time',
      'UNFIT',
      (document: ResultDocument) => document.warnings.push({ code: 'CONCURRENT_RUN', message: 'two', remedy: 'wait' }),
    ],
    [
      'a throttled case',
      'UNFIT',
      (document: ResultDocument) =>
        first(document).warnings.push({ code: 'GPU_THROTTLED', message: 'hot', remedy: 'cool' }),
    ],
  ])('%s is %s', (_name, verdict, change) => {
    const loaded = parsePolicy(policy, 'p.yaml');
    const result = evaluate(loaded.value, {
      baseline: [base],
      candidate: [changed(change as (document: ResultDocument) => void)],
    });
    expect(result.verdict).toBe(verdict);
    expect(result.items).toHaveLength(1);
    expect(result.items[0]?.reason).not.toBe('');
  });

  it('a machine whose own ceiling moved is unfit, unless the policy says not to look', () => {
    const before = one({ ceilings: { fma: 3e11 } });
    const after = one({ seed: 2, ceilings: { fma: 2.5e11 } });
    expect(gate(policy, [before], [after]).verdict).toBe('UNFIT');
    expect(gate(`${policy}fitness: {ceilingShift: off}\n`, [before], [after]).verdict).toBe('PASS');
    expect(gate(policy, [before], [one({ seed: 2, ceilings: { fma: 2.5e11 }, host: 'other' })]).verdict).toBe('PASS');
  });
});

describe('the gate as a whole', () => {
  it('needs every check to pass', () => {
    const base = syntheticDocument({ seed: 1, cases: 3, launches: 10 });
    const speed = (index: number): number => (index === 2 ? 0.95 : 1);
    const result = gate(
      rules(`${ON}, not_worse: 5%`),
      [base],
      [syntheticDocument({ seed: 2, cases: 3, launches: 10, speed })],
    );
    expect(result.counts).toEqual({ PASS: 2, FAIL: 0, INCONCLUSIVE: 1, UNFIT: 0 });
    expect(result.verdict).toBe('INCONCLUSIVE');
  });

  it('corrects failures for their number: one of many that fails alone is not a failure', () => {
    // At the margin's edge, forty checks of identical machines bring some failures alone (about one in twenty).
    const base = syntheticDocument({ seed: 5, cases: 40, launches: 5, betweenSd: 0.02 });
    const other = syntheticDocument({ seed: 6, cases: 40, launches: 5, betweenSd: 0.02 });
    const result = gate(rules(`${ON}, better_by: 0.001%`), [base], [other]);
    expect(result.counts.FAIL).toBeGreaterThan(0);
    expect(result.items.filter(item => item.verdict === 'FAIL').every(item => (item.pFailCorrected ?? 0) > 0.05)).toBe(
      true,
    );
    expect(result.verdict).toBe('INCONCLUSIVE');
  });

  it('a rule of level warn is shown and does not decide', () => {
    const base = one();
    const policy = rules(`${ON}, level: warn, better_by: 50%`, `${ON}, not_worse: 5%`);
    const result = gate(policy, [base], [one({ seed: 2 })]);
    expect(result.items.map(item => item.verdict)).toEqual(['FAIL', 'PASS']);
    expect(result.verdict).toBe('PASS');
  });

  it('is the same, byte for byte, for the same input', () => {
    const run = (): string =>
      JSON.stringify(
        gate(rules(`${ON}, not_worse: 5%`, 'on: latency_seconds_p99, not_worse: 5%'), [one()], [one({ seed: 2 })]),
      );
    expect(run()).toBe(run());
  });

  it('selects by parameters, with alternatives', () => {
    const base = syntheticDocument({ seed: 1, cases: 4, launches: 5 });
    const result = gate(
      rules('on: "flops_per_second{m:256|512}", not_worse: 5%'),
      [base],
      [syntheticDocument({ seed: 2, cases: 4, launches: 5 })],
    );
    expect(result.items.map(item => item.case.match(/m=(\d+)/)?.[1])).toEqual(['256', '512']);
  });
});

describe('rules that could never fire are errors', () => {
  it.each([
    ['one launch', rules(`${ON}, not_worse: 5%`), one({ launches: 1 }), /never decide/],
    [
      'too few samples for a quantile',
      rules('on: latency_seconds_p50, quantile_at_most: {quantile: 99%, value: 1 s}'),
      one(),
      /never pass/,
    ],
    ['a metric that is not there', rules('on: decode_tokens_per_second, not_worse: 5%'), one(), /no selected case has/],
  ])('%s', (_name, policy, document, message) => {
    expect(() => gate(policy, [document], [document])).toThrow(message);
    expect(() => gate(policy, [document], [document])).toThrow(/p\.yaml:\d+:\d+/);
  });
  it('a rule against a baseline that is not given', () => {
    expect(() => gate(rules(`${ON}, not_worse: 5%`), [], [one()])).toThrow(/baseline/);
  });
});
