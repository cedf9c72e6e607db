import { describe, expect, it } from 'vitest';
import { hashText, mixSeeds, Random } from '../../../src/models/random.ts';

describe('Random', () => {
  it('gives the same stream on every machine', () => {
    const random = new Random(1);
    const stream = [random.integer(1000), random.integer(1000), random.integer(1000), random.integer(1000)];
    expect(new Random(1).integer(1000)).toBe(stream[0]);
    expect(stream).toMatchInlineSnapshot(`
      [
        186,
        507,
        229,
        555,
      ]
    `);
  });

  it('is uniform in [-1, 1) with the moments of a uniform deviate', () => {
    const values = Array.from(
      { length: 100_000 },
      (
        (random: Random) => () =>
          random.symmetric()
      )(new Random(0)),
    );
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(1);
    expect(values.reduce((sum, v) => sum + v, 0) / values.length).toBeCloseTo(0, 1);
    expect(values.reduce((sum, v) => sum + v * v, 0) / values.length).toBeCloseTo(1 / 3, 2);
  });

  it('covers every integer below the bound and none above', () => {
    const random = new Random(9);
    const seen = new Set(Array.from({ length: 1000 }, () => random.integer(10)));
    expect([...seen].toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('fills in pieces as it fills at once', () => {
    const whole = new Random(5).fill(new Float32Array(100), 2, 1);
    const random = new Random(5);
    const pieces = new Float32Array(100);
    random.fill(pieces.subarray(0, 37), 2, 1);
    random.fill(pieces.subarray(37), 2, 1);
    expect(pieces).toEqual(whole);
  });
});

describe('seeds', () => {
  it('keep tensors of like names apart', () => {
    const seeds = Array.from({ length: 1000 }, (_, layer) => mixSeeds(1, hashText(`layer.${layer}.weight`)));
    expect(new Set(seeds).size).toBe(1000);
    expect(mixSeeds(1, 2)).not.toBe(mixSeeds(2, 1));
  });
});
