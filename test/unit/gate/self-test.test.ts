import { describe, expect, it } from 'vitest';
import { initialPolicy } from '../../../src/gate/init.ts';
import { parsePolicy } from '../../../src/gate/load.ts';
import { selfTest } from '../../../src/gate/self-test.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

const document = syntheticDocument({ seed: 3, cases: 2, launches: 20, betweenSd: 0.01, watts: 90 });

describe('gate --self-test', () => {
  const policy = parsePolicy(initialPolicy(document, '5%'), 'p.yaml').value;
  const test = selfTest(policy, [document], 40);
  it('finds what it put in, and nothing where it put in nothing', () => {
    expect(test?.launchesPerSide).toBe(10);
    const [rule] = test?.rules ?? [];
    expect(rule?.falseFail.count).toBe(0);
    expect(rule?.pass.share).toBeGreaterThan(0.95);
    const twice = rule?.regressions.find(({ slowedBy }) => slowedBy === 0.1);
    expect(twice?.fail.share).toBeGreaterThan(0.95);
    expect(twice?.pass.count).toBe(0);
  });
  it('bounds its shares', () => {
    const { share, interval } = test?.gateFail ?? { share: Number.NaN, interval: [0, 0] };
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
});
