import { describe, expect, it } from 'vitest';
import { flat, powerAt, squareWave, step, trueJoules } from './energy-traces.ts';

describe('the exact integral that the energy tests are held against', () => {
  it('knows flat power, steps, ramps and waves', () => {
    expect(trueJoules(flat(200), -5, 15)).toBeCloseTo(4000, 9);
    expect(trueJoules(step(50, 280, 10, 25), 5, 30)).toBeCloseTo(50 * 10 + 280 * 15, 9);
    expect(trueJoules(step(50, 280, 10, 25), 10, 25)).toBeCloseTo(280 * 15, 9);
    expect(trueJoules({ times: [0, 40], watts: [50, 350] }, 0, 40)).toBeCloseTo(8000, 9);
    expect(trueJoules({ times: [0, 40], watts: [50, 350] }, 10, 20)).toBeCloseTo((125 + 200) * 5, 9);
    expect(trueJoules(squareWave(80, 250, 2, 0, 40), 0, 40)).toBeCloseTo(165 * 40, 6);
  });

  it('adds up over any division', () => {
    const trace = step(50, 280, 10, 25);
    const parts = [3, 7.5, 10, 11, 24.9, 25, 33].map((time, index, all) =>
      index === 0 ? 0 : trueJoules(trace, all[index - 1] ?? 0, time),
    );
    expect(parts.reduce((a, b) => a + b, 0)).toBeCloseTo(trueJoules(trace, 3, 33), 9);
    expect(powerAt(trace, 9.99)).toBe(50);
    expect(powerAt(trace, 10)).toBe(280);
  });
});
