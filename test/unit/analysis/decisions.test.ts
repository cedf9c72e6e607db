/** Properties that hold whatever the numbers, and edges that references do not cover. */
import { describe, expect, it } from 'vitest';
import { acceptancePlan, conclude, hypergeometricCdf } from '../../../src/analysis/acceptance.ts';
import { bcaInterval } from '../../../src/analysis/bootstrap.ts';
import { clopperPearson } from '../../../src/analysis/distributions.ts';
import { differenceOf, effectOf } from '../../../src/analysis/effect.ts';
import { holm } from '../../../src/analysis/multiplicity.ts';
import { seededRandom, shuffled } from '../../../src/analysis/random.ts';
import { hodgesLehmann, mannWhitney } from '../../../src/analysis/rank-tests.ts';
import { launchesNeeded, minimumDetectable, powerOfTwoSamples } from '../../../src/analysis/sample-size.ts';
import { logTInterval, mean } from '../../../src/analysis/statistics.ts';

describe('Hodges-Lehmann', () => {
  it('is the R interval of Hollander and Wolfe: wilcox.test on their permeability data', () => {
    // R: wilcox.test(x, y, conf.int = TRUE, conf.level = 0.95) gives shift -0.305, interval [-0.76, 0.15].
    const x = [0.8, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46];
    const y = [1.15, 0.88, 0.9, 0.74, 1.21];
    const { shift, interval } = hodgesLehmann(y, x, 0.95);
    expect(shift).toBeCloseTo(-0.305, 12);
    expect(interval?.[0]).toBeCloseTo(-0.76, 12);
    expect(interval?.[1]).toBeCloseTo(0.15, 12);
  });
  it('has no interval where the sizes cannot reach the confidence', () => {
    expect(hodgesLehmann([1, 2], [3, 4], 0.95).interval).toBeNull();
    expect(hodgesLehmann([1, 2, 3], [4, 5, 6], 0.9).interval).toEqual([-5, -1]);
  });
  it('covers at least its confidence, by counting over random normal samples', () => {
    const random = seededRandom(11);
    let covered = 0;
    for (let i = 0; i < 2000; i++) {
      const x = Array.from({ length: 5 }, () => random.normal());
      const y = Array.from({ length: 5 }, () => random.normal() + 1);
      const [low, high] = hodgesLehmann(x, y, 0.9).interval ?? [0, 0];
      if (low <= -1 && -1 <= high) covered += 1;
    }
    // 2,000 draws: three standard deviations are 2 %.
    expect(covered / 2000).toBeGreaterThan(0.88);
  });
});

describe('Mann-Whitney', () => {
  it('gives 1 where everything is tied, and its smallest value at complete separation', () => {
    expect(mannWhitney([1, 1, 1], [1, 1, 1]).twoSided).toBe(1);
    expect(mannWhitney([1, 2, 3, 4, 5], [6, 7, 8, 9, 10]).twoSided).toBeCloseTo(2 / 252, 12);
  });
  it('does not depend on which side is first', () => {
    const [x, y] = [
      [3, 1, 4, 1, 5],
      [9, 2, 6, 5],
    ];
    expect(mannWhitney(x, y).twoSided).toBeCloseTo(mannWhitney(y, x).twoSided, 12);
  });
});

describe('multiplicity', () => {
  it('is R p.adjust for Holm', () => {
    // R: p.adjust(c(0.01, 0.04, 0.03, 0.005), "holm") is 0.03 0.06 0.06 0.02.
    expect(holm([0.01, 0.04, 0.03, 0.005]).map(p => Number(p.toFixed(12)))).toEqual([0.03, 0.06, 0.06, 0.02]);
    expect(holm([])).toEqual([]);
  });
});

describe('sample sizes', () => {
  it('is the smallest n that reaches the power', () => {
    const n = launchesNeeded(0.05, 0.05, 0.05, 0.8, powerOfTwoSamples);
    if (n === null) throw new Error('no n');
    expect(powerOfTwoSamples(0.05, 0.05, n, 0.05)).toBeGreaterThanOrEqual(0.8);
    expect(powerOfTwoSamples(0.05, 0.05, n - 1, 0.05)).toBeLessThan(0.8);
    // Any table: one-sided 5 %, power 80 %, one standard deviation apart: 14 a side.
    expect(n).toBe(14);
  });
  it('says when no number of launches helps', () => {
    expect(launchesNeeded(0, 0.05, 0.05, 0.8, powerOfTwoSamples)).toBeNull();
    expect(launchesNeeded(1e-9, 0.05, 0.05, 0.8, powerOfTwoSamples)).toBeNull();
  });
  it('detectable effect and power are inverse to each other', () => {
    const effect = minimumDetectable(0.02, 10, 10, 0.9, 0.8) ?? 0;
    expect(powerOfTwoSamples(effect, 0.02, 10, 0.05)).toBeCloseTo(0.8, 6);
  });
});

describe('effect', () => {
  it('is positive where better, whichever way better is', () => {
    const slow = [1, 1.01, 1.02, 0.99];
    const fast = slow.map(value => value * 1.2);
    const higher = effectOf(slow, fast, 'higher');
    const lower = effectOf(slow, fast, 'lower');
    if (typeof higher === 'string' || typeof lower === 'string') throw new Error('no effect');
    expect(higher.better.difference).toBeCloseTo(Math.log(1.2), 12);
    expect(lower.better.difference).toBeCloseTo(-Math.log(1.2), 12);
    expect(differenceOf(lower, 0.95).ratio).toBeCloseTo(1.2, 12);
    expect(differenceOf(lower, 0.95).interval).toEqual(differenceOf(higher, 0.95).interval);
  });
  it('refuses what has no logarithm and what has no spread', () => {
    expect(effectOf([1, 0], [1, 2], 'higher')).toBe('not positive');
    expect(effectOf([1], [1, 2], 'higher')).toBe('too few launches');
  });
});

describe('bootstrap', () => {
  it('is refused below ten values, and the same for the same seed', () => {
    const random = seededRandom(5);
    const values = Array.from({ length: 12 }, () => random.normal());
    const statistic = ([group = []]: readonly (readonly number[])[]): number => mean(group);
    expect(bcaInterval([values.slice(0, 9)], statistic, { confidence: 0.9, seed: 1 })).toBeNull();
    const once = bcaInterval([values], statistic, { confidence: 0.9, seed: 1 });
    expect(bcaInterval([values], statistic, { confidence: 0.9, seed: 1 })).toEqual(once);
    expect(bcaInterval([values], statistic, { confidence: 0.9, seed: 2 })).not.toEqual(once);
  });
});

describe('acceptance sampling', () => {
  it('finds the smallest sample that keeps the promise', () => {
    const plan = acceptancePlan(1000, 0.01, 0.95, 0);
    expect(plan?.sample).toBe(258);
    expect(hypergeometricCdf(0, 1000, 10, 257)).toBeGreaterThan(0.05);
    expect(plan?.consumerRisk).toBeLessThanOrEqual(0.05);
  });
  it('draws a conclusion that agrees with the plan', () => {
    expect(conclude(1000, 258, 0, 0.95).mostDefects).toBeLessThan(10);
    expect(conclude(1000, 257, 0, 0.95).mostDefects).toBeGreaterThanOrEqual(10);
    expect(conclude(10, 10, 3, 0.95).mostDefects).toBe(3);
  });
  it('has no plan where the failures accepted are as many as the defects', () => {
    expect(acceptancePlan(100, 0.01, 0.95, 1)).toBeNull();
  });
});

describe('intervals and random numbers', () => {
  it('Clopper-Pearson covers the ends', () => {
    expect(clopperPearson(0, 20, 0.95)).toEqual([0, expect.closeTo(1 - 0.025 ** (1 / 20), 10)]);
    expect(clopperPearson(20, 20, 0.95)[1]).toBe(1);
  });
  it('the log interval holds its centre and refuses what it cannot take', () => {
    expect(logTInterval([1], 0.95)).toBeNull();
    expect(logTInterval([1, -1], 0.95)).toBeNull();
    const [low, high] = logTInterval([1, 2, 4], 0.95) ?? [0, 0];
    expect(Math.sqrt(low * high)).toBeCloseTo(2, 10);
  });
  it('the generator is uniform and normal enough, and a shuffle loses nothing', () => {
    const random = seededRandom(42);
    const draws = Array.from({ length: 20_000 }, () => random.normal());
    expect(Math.abs(mean(draws))).toBeLessThan(0.03);
    expect(mean(draws.map(value => value * value))).toBeCloseTo(1, 1);
    const values = [1, 2, 3, 4, 5, 6, 7];
    expect([...shuffled(values, random)].sort()).toEqual(values);
  });
});
