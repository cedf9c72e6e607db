import { describe, expect, it } from 'vitest';
import { estimatePower } from '../../../src/analysis/estimate.ts';
import type { Series } from '../../../src/results/schema.ts';

const times = [0, 1, 2, 3, 4];
const series = (quantity: string, perSecond: number): Series => ({
  ...{ source: `proc/${quantity}`, quantity, unit: 's' },
  timeSeconds: times,
  values: times.map(time => time * perSecond),
});

describe('estimates', () => {
  it('are the rated power times the share of CPU time in use, and say that they are no measurement', () => {
    const cpus = [series('idleTime', 2), series('iowaitTime', 1), series('totalTime', 4)];
    const [one, ...others] = estimatePower(
      280,
      [
        { id: 'gemm', launches: [{ windowSeconds: [0.1, 2.1] }, { windowSeconds: [3, 4] }] },
        { id: 'skipped', launches: [] },
      ],
      cpus,
    );
    expect(one).toMatchObject({ case: 'gemm', ratedWatts: 280, load: 0.25, watts: 70 });
    expect(one?.note).toMatch(/not a measurement; never ranked, gated or compared/);
    expect(others).toEqual([]);
  });

  it('take a window between two readings, and one that ends after the last', () => {
    const cpus = [series('idleTime', 1), series('totalTime', 4)];
    for (const window of [
      [1.2, 1.7],
      [3.5, 9],
    ] as const) {
      const [one] = estimatePower(280, [{ id: 'gemm', launches: [{ windowSeconds: [...window] }] }], cpus);
      expect(one?.load).toBeCloseTo(0.75);
    }
    expect(estimatePower(280, [{ id: 'gemm', launches: [{ windowSeconds: [5, 9] }] }], cpus)).toEqual([]);
  });

  it('are none without CPU times', () => {
    expect(estimatePower(280, [{ id: 'gemm', launches: [{ windowSeconds: [0, 1] }] }], [])).toEqual([]);
  });
});
