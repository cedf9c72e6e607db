import { describe, expect, it } from 'vitest';
import {
  allowedOverlatency,
  binomialAtMost,
  earlyStoppingEstimate,
  minimumQueries,
  PERCENTILES,
  percentileSuffix,
} from '../../../src/analysis/early-stopping.ts';

/**
 * The inequality worked out in another way: trial by trial, the probability of each count of late queries, for every n up to
 * where the last t passes. Element t is the first n with P[Bin(n, 1 - p) <= t] <= 0.01.
 */
function firstPassing(p: number, most: number): number[] {
  const counts = new Float64Array(most + 1);
  counts[0] = 1;
  const first: number[] = [];
  for (let n = 1; first.length <= most; n++) {
    for (let t = Math.min(n, most); t > 0; t--) counts[t] = p * (counts[t] ?? 0) + (1 - p) * (counts[t - 1] ?? 0);
    counts[0] = p * (counts[0] ?? 0);
    let sum = 0;
    for (let t = 0; t < first.length; t++) sum += counts[t] ?? 0;
    // The counts that pass grow one at a time: with more queries, more late ones are allowed.
    for (let t = first.length; t <= most; t++) {
      sum += counts[t] ?? 0;
      if (sum > 0.01) break;
      first.push(n);
    }
  }
  return first;
}

describe('minimumQueries', () => {
  it.each(PERCENTILES.map(p => [p, p === 0.999 ? 40 : 250] as const))(
    'p = %d: the least n for every number of late queries up to %i, as the trials give it',
    (p, most) => {
      const expected = firstPassing(p, most);
      expect(Array.from({ length: most + 1 }, (_, t) => minimumQueries(t, p))).toEqual(expected);
    },
  );

  it('gives the counts that the MLPerf rules name: 64 for the 90th percentile, 662 for the 99th', () => {
    expect(minimumQueries(1, 0.9)).toBe(64);
    expect(minimumQueries(1, 0.99)).toBe(662);
  });

  it('is exact where many are late: n passes and n - 1 does not', () => {
    for (const [t, p] of [
      [5000, 0.99],
      [20_000, 0.9],
      [3000, 0.999],
    ] as const) {
      const n = minimumQueries(t, p);
      expect(binomialAtMost(t, n, 1 - p)).toBeLessThanOrEqual(0.01);
      expect(binomialAtMost(t, n - 1, 1 - p)).toBeGreaterThan(0.01);
      expect(allowedOverlatency(n, p)).toBe(t);
      expect(allowedOverlatency(n - 1, p)).toBe(t - 1);
    }
  });
});

describe('allowedOverlatency', () => {
  it('is the inverse of minimumQueries', () => {
    for (const p of PERCENTILES) {
      expect(allowedOverlatency(minimumQueries(0, p) - 1, p)).toBe(-1);
      for (const t of [0, 1, 2, 17]) {
        expect(allowedOverlatency(minimumQueries(t, p), p)).toBe(t);
        expect(allowedOverlatency(minimumQueries(t + 1, p) - 1, p)).toBe(t);
      }
    }
    expect(allowedOverlatency(0, 0.9)).toBe(-1);
  });
});

describe('earlyStoppingEstimate', () => {
  const upTo = (n: number): number[] => Array.from({ length: n }, (_, index) => ((index * 7919) % n) + 1);

  it('is the t-th highest latency, LoadGen’s estimate', () => {
    expect(earlyStoppingEstimate(upTo(64), 0.9)).toBe(64);
    expect(earlyStoppingEstimate(upTo(minimumQueries(2, 0.9)), 0.9)).toBe(minimumQueries(2, 0.9) - 1);
    // Well above the plain percentile with few queries, close to it with many.
    expect((earlyStoppingEstimate(upTo(100_000), 0.99) ?? 0) / 99_000).toBeCloseTo(1, 2);
  });

  it('claims nothing with too few queries', () => {
    expect(earlyStoppingEstimate(upTo(63), 0.9)).toBeNull();
    expect(earlyStoppingEstimate([], 0.9)).toBeNull();
  });
});

describe('binomialAtMost', () => {
  it.each([
    [0, 10, 0.5, 1 / 1024],
    [5, 10, 0.5, 638 / 1024],
    [10, 10, 0.5, 1],
    [-1, 10, 0.5, 0],
    [8, 10, 0.1, 1 - 10 * 0.1 ** 9 * 0.9 - 0.1 ** 10],
  ])('P[Bin <= %i of %i at %d]', (k, n, q, expected) => {
    expect(binomialAtMost(k, n, q)).toBeCloseTo(expected, 13);
  });
});

it('percentileSuffix', () => {
  expect(PERCENTILES.map(percentileSuffix)).toEqual(['p90', 'p95', 'p97', 'p99', 'p999']);
});
