import { describe, expect, it } from 'vitest';
import { initialPolicy } from '../../../src/gate/init.ts';
import { parsePolicy } from '../../../src/gate/load.ts';
import { selects } from '../../../src/gate/selector.ts';
import { selfTest } from '../../../src/gate/self-test.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

const document = syntheticDocument({ seed: 3, cases: 2, launches: 20, betweenSd: 0.01, watts: 90 });

describe('gate --self-test', () => {
  const policy = parsePolicy(initialPolicy(document, '5%'), 'p.yaml').value;
  const test = selfTest(policy, [document], 40);
  it('finds what it put in, and nothing where it put in nothing', () => {
    expect(test?.launchesPerSide).toBe(10);
    const [rule] = test?.rules ?? [];
    expect(rule?.identical.fail.count).toBe(0);
    expect(rule?.identical.pass.share).toBeGreaterThan(0.95);
    expect(rule?.seeded.map(({ change }) => change)).toEqual([-0.05, -0.1]);
    expect(rule?.seeded[0]?.pass.share).toBeLessThan(0.2);
    expect(rule?.seeded[1]?.fail.share).toBeGreaterThan(0.95);
    expect(rule?.seeded[1]?.pass.count).toBe(0);
  });
  it('says which rules it cannot test', () => {
    expect(test?.untested.map(({ rule }) => rule)).toEqual(['gemm-native-package-energy']);
  });
  it('puts gains in where the rule asks for one, and knows a PASS of nothing for false', () => {
    const better = parsePolicy(
      'schema: aibench.policy/1\nname: better\nrules:\n  - {id: r, reason: for the test, on: latency_seconds_p50, better_by: 10%}\n',
      'p.yaml',
    ).value;
    const [rule] = selfTest(better, [document], 20)?.rules ?? [];
    expect(rule?.identical.pass.count).toBe(0);
    expect(rule?.seeded.map(({ change }) => change)).toEqual([0.1, 0.2]);
    expect(rule?.seeded[1]?.pass.share).toBeGreaterThan(0.95);
  });
  it('bounds its shares', () => {
    const { share, interval } = test?.gate.fail ?? { share: Number.NaN, interval: [0, 0] };
    expect(interval[0]).toBeLessThanOrEqual(share);
    expect(interval[1]).toBeGreaterThan(share);
  });
  it('is the same for the same seed, and refuses what cannot be split', () => {
    expect(selfTest(policy, [document], 40)).toEqual(test);
    expect(selfTest(policy, [syntheticDocument({ seed: 1, launches: 3 })], 10)).toBeNull();
  });
});

describe('gate init', () => {
  it('writes a policy that holds what the document has, also where names are unfriendly', () => {
    const odd = structuredClone(document);
    for (const result of odd.cases) result.workload = 'a: "b" #c';
    const written = initialPolicy(odd, '2.5%');
    const { value } = parsePolicy(written, 'p.yaml');
    expect(value.rules.map(rule => rule.not_worse)).toEqual([0.025, 0.025]);
    expect(value.rules[0]?.on.quantity).toBe('flops_per_second');
  });
  it('keeps apart what one workload measures, so that no rule meets a case without its metric', () => {
    const mixed = structuredClone(document);
    const [first, second] = mixed.cases;
    if (first === undefined || second === undefined) throw new Error('two cases are needed');
    const { value, ...rest } = second.metrics.latency_seconds_p50 ?? {};
    Object.assign(second, { headline: 'latency_seconds_p50', metrics: { latency_seconds_p50: { value, ...rest } } });
    first.params = { ...first.params, kernel: 'triad' };
    second.params = { ...second.params, kernel: 'latency' };
    const { rules } = parsePolicy(initialPolicy(mixed, '5%'), 'p.yaml').value;
    expect(new Set(rules.map(({ id }) => id)).size).toBe(4);
    const selected = rules
      .filter(({ level }) => level === 'error')
      .map(({ on }) => mixed.cases.filter(result => selects(on, result)).map(({ headline }) => headline));
    expect(selected).toEqual([['flops_per_second'], ['latency_seconds_p50']]);
  });
  it('names the cases by id where no parameter tells them apart', () => {
    const mixed = structuredClone(document);
    const [first, second] = mixed.cases;
    if (first === undefined || second === undefined) throw new Error('two cases are needed');
    first.params = {};
    second.params = {};
    second.headline = 'latency_seconds_p50';
    const { rules } = parsePolicy(initialPolicy(mixed, '5%'), 'p.yaml').value;
    expect(rules.map(({ on }) => mixed.cases.filter(result => selects(on, result)).length)).toEqual([1, 1, 1, 1]);
  });
});
