/**
 * Against references made elsewhere: SciPy 1.17 (t, beta, binomial, normal, Welch, exact Mann-Whitney without ties, BCa,
 * hypergeometric, Benjamini-Hochberg, Spearman), mpmath 1.3 quadrature (noncentral t), and counting every arrangement by
 * brute force (Mann-Whitney with ties). The numbers are in test/fixtures/statistics-reference.json.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hypergeometricCdf } from '../../../src/analysis/acceptance.ts';
import { bcaInterval } from '../../../src/analysis/bootstrap.ts';
import {
  betaQuantile,
  binomialCdf,
  noncentralTCdf,
  normalQuantile,
  studentTCdf,
  studentTQuantile,
} from '../../../src/analysis/distributions.ts';
import { benjaminiHochberg } from '../../../src/analysis/multiplicity.ts';
import { mannWhitney } from '../../../src/analysis/rank-tests.ts';
import { powerOfTwoSamples } from '../../../src/analysis/sample-size.ts';
import { mean, quantile, spearman } from '../../../src/analysis/statistics.ts';
import { bounds, pDifferent, welch } from '../../../src/analysis/welch.ts';

interface Reference {
  studentTQuantile: [number, number, number][];
  studentTCdf: [number, number, number][];
  betaQuantile: [number, number, number, number][];
  binomialCdf: [number, number, number, number][];
  normalQuantile: [number, number][];
  noncentralTCdf: [number, number, number, number][];
  power: [number, number, number, number, number][];
  mannWhitney: [number[], number[], number, number][];
  welch: [number[], number[], number, number, [number, number]][];
  bca: [number[], number[], [number, number]];
  hypergeometric: [number, number, number, number, number][];
  bh: [number[], number[]];
  spearman: [number[], number[], number];
  quantile: [number[], [number, number][]];
}

const reference = JSON.parse(
  readFileSync(new URL('../../fixtures/statistics-reference.json', import.meta.url), 'utf8'),
) as Reference;

function expectClose(actual: number, expected: number, relative: number): void {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(relative * Math.max(Math.abs(expected), 1e-12));
}

describe('distributions', () => {
  it.each(reference.studentTQuantile)('t quantile p=%d df=%d', (p, df, expected) => {
    expectClose(studentTQuantile(p, df), expected, 1e-11);
  });
  it.each(reference.studentTCdf)('t cdf t=%d df=%d', (t, df, expected) => {
    expectClose(studentTCdf(t, df), expected, 1e-12);
  });
  it.each(reference.betaQuantile)('beta quantile p=%d a=%d b=%d', (p, a, b, expected) => {
    expectClose(betaQuantile(p, a, b), expected, 1e-11);
  });
  it.each(reference.binomialCdf)('binomial cdf k=%d n=%d p=%d', (k, n, p, expected) => {
    expect(Math.abs(binomialCdf(k, n, p) - expected)).toBeLessThan(1e-11);
  });
  it.each(reference.normalQuantile)('normal quantile p=%d', (p, expected) => {
    expect(Math.abs(normalQuantile(p) - expected)).toBeLessThan(1e-12);
  });
  it.each(reference.noncentralTCdf)('noncentral t t=%d df=%d delta=%d', (t, df, delta, expected) => {
    expect(Math.abs(noncentralTCdf(t, df, delta) - expected)).toBeLessThan(1e-10);
  });
});

describe('tests', () => {
  it.each(reference.welch)('Welch %#', (x, y, p, df, interval) => {
    const result = welch(x, y);
    if (result === null) throw new Error('no result');
    expectClose(pDifferent(result), p, 1e-10);
    expectClose(result.df, df, 1e-10);
    const [low, high] = bounds(result, 0.05);
    expect(low).toBeCloseTo(interval[0], 10);
    expect(high).toBeCloseTo(interval[1], 10);
  });
  it.each(reference.mannWhitney)('exact Mann-Whitney %#', (x, y, lower, upper) => {
    const result = mannWhitney(x, y);
    expect(result.lower).toBeCloseTo(lower, 10);
    expect(result.upper).toBeCloseTo(upper, 10);
    expect(result.twoSided).toBeCloseTo(Math.min(1, 2 * Math.min(lower, upper)), 10);
  });
  it.each(reference.power)('power effect=%d sd=%d n=%d alpha=%d', (effect, sd, n, alpha, expected) => {
    expect(powerOfTwoSamples(effect, sd, n, alpha)).toBeCloseTo(expected, 8);
  });
  it('BCa agrees with 200,000 replicates of SciPy within the noise of 20,000', () => {
    const [x, y, [low, high]] = reference.bca;
    const found = bcaInterval([x, y], ([a = [], b = []]) => mean(a) - mean(b), {
      confidence: 0.9,
      seed: 3,
      replicates: 20_000,
    });
    expect(found?.[0]).toBeCloseTo(low, 1);
    expect(found?.[1]).toBeCloseTo(high, 1);
    expect(Math.abs((found?.[0] ?? 9) - low)).toBeLessThan(0.02);
    expect(Math.abs((found?.[1] ?? 9) - high)).toBeLessThan(0.02);
  });
  it.each(reference.hypergeometric)('hypergeometric k=%d N=%d D=%d n=%d', (k, lot, defects, sample, expected) => {
    expect(hypergeometricCdf(k, lot, defects, sample)).toBeCloseTo(expected, 8);
  });
  it('Benjamini-Hochberg', () => {
    const [p, expected] = reference.bh;
    benjaminiHochberg(p).forEach((value, index) => {
      expect(value).toBeCloseTo(expected[index] ?? -1, 12);
    });
  });
  it('Spearman with ties, and quantile type 7', () => {
    const [x, y, expected] = reference.spearman;
    expect(spearman(x, y)).toBeCloseTo(expected, 12);
    const [values, points] = reference.quantile;
    for (const [p, value] of points) expect(quantile(values, p)).toBeCloseTo(value, 12);
  });
});
