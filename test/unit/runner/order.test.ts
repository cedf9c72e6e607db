import { describe, expect, it } from 'vitest';
import { planLaunches } from '../../../src/runner/order.ts';

const cases = [
  { name: 'a', launches: 3 },
  { name: 'b', launches: 3 },
  { name: 'c', launches: 1 },
];

describe('randomised blocks', () => {
  it('run each case as often as it asks, one launch per block', () => {
    const plan = planLaunches(cases, 7);
    expect(plan.map(({ order }) => order)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(
      plan
        .slice(0, 3)
        .map(planned => planned.case.name)
        .sort(),
    ).toEqual(['a', 'b', 'c']);
    expect(
      plan
        .slice(3, 5)
        .map(planned => planned.case.name)
        .sort(),
    ).toEqual(['a', 'b']);
    expect(plan.filter(planned => planned.case.name === 'a').map(({ index }) => index)).toEqual([0, 1, 2]);
  });

  it('are the same for the same seed, and differ for another', () => {
    const names = (seed: number): string =>
      planLaunches(cases, seed)
        .map(planned => `${planned.case.name}${planned.seed}`)
        .join();
    expect(names(1)).toBe(names(1));
    expect(names(1)).not.toBe(names(2));
  });

  it('put each case in each place of a block about equally often', () => {
    const first = new Map<string, number>();
    for (let seed = 0; seed < 3000; seed++) {
      const name = planLaunches(cases, seed)[0]?.case.name ?? '';
      first.set(name, (first.get(name) ?? 0) + 1);
    }
    // 3000 draws from 3: sd of a count is 26, so 130 is five of them.
    for (const count of first.values()) expect(Math.abs(count - 1000)).toBeLessThan(130);
  });
});
