import { describe, expect, it } from 'vitest';
import {
  calibrationTable,
  fitLink,
  interpolateLink,
  linkTime,
  predictAllreduce,
} from '../../../src/analysis/collective-model.ts';
import type { CaseResult } from '../../../src/results/schema.ts';

const wire = { alphaSeconds: 1e-3, betaSecondsPerByte: 8e-8 };
const table = [64, 4096, 65536, 1 << 20].map(bytes => ({ bytes, seconds: linkTime(wire)(bytes) }));

describe('alpha and beta', () => {
  it('come back from a table made of them', () => {
    const fit = fitLink(table);
    expect(fit?.alphaSeconds).toBeCloseTo(1e-3, 9);
    expect(fit?.betaSecondsPerByte).toBeCloseTo(8e-8, 13);
  });
  it('are refused where the table cannot carry them', () => {
    expect(fitLink([])).toBeNull();
    expect(fitLink([{ bytes: 8, seconds: 1e-6 }])).toBeNull();
    expect(
      fitLink([
        { bytes: 8, seconds: 1e-3 },
        { bytes: 1 << 20, seconds: 1e-6 },
      ]),
    ).toBeNull();
  });
  it('the table itself can be read between its points and beyond', () => {
    expect(interpolateLink(table, 4096)).toBeCloseTo(linkTime(wire)(4096), 12);
    const between = interpolateLink(table, 20_000) ?? 0;
    expect(between).toBeGreaterThan(linkTime(wire)(4096));
    expect(between).toBeLessThan(linkTime(wire)(65536));
    expect(interpolateLink(table, 2 << 20)).toBeCloseTo(2 * linkTime(wire)(1 << 20), 9);
    expect(interpolateLink([], 8)).toBeNull();
  });
});

describe('predictions', () => {
  const link = linkTime(wire);
  // Published forms: Thakur, Rabenseifner, Gropp, IJHPCA 2005, table 1, with the reduction folded into beta.
  it.each([
    ['ring', 4, 1 << 20, 2 * 3 * 1e-3 + ((2 * 3) / 4) * (1 << 20) * 8e-8],
    ['recursive-doubling', 8, 4096, 3 * (1e-3 + 4096 * 8e-8)],
    ['rabenseifner', 8, 1 << 20, 2 * 3 * 1e-3 + 2 * (7 / 8) * (1 << 20) * 8e-8],
    ['recursive-doubling', 5, 4096, 2 * (1e-3 + 4096 * 8e-8) + 2 * (1e-3 + 4096 * 8e-8)],
  ] as const)('%s over %d ranks', (algorithm, ranks, bytes, expected) => {
    expect(predictAllreduce(algorithm, ranks, bytes, link)).toBeCloseTo(expected, 9);
  });
  it('one rank needs no message', () => {
    expect(predictAllreduce('ring', 1, 4096, link)).toBe(0);
  });
});

it('a document gives its own table: half of a round trip, the median over launches', () => {
  const launch = (seconds: number[]) => ({ status: 'ok', samplesSeconds: seconds, iterationsPerSample: 2 });
  const cases = [
    {
      workload: 'ping-pong',
      backend: 'mpi',
      status: 'measured',
      params: { bytes: 4096 },
      launches: [launch([4, 8, 4])],
    },
    {
      workload: 'ping-pong',
      backend: 'mpi',
      status: 'measured',
      params: { bytes: 8 },
      launches: [launch([2]), launch([4]), launch([6])],
    },
    { workload: 'ping-pong', backend: 'processes', status: 'measured', params: { bytes: 8 }, launches: [launch([1])] },
    { workload: 'shift', backend: 'mpi', status: 'skipped', params: { bytes: 8 }, launches: [] },
  ] as unknown as CaseResult[];
  expect(calibrationTable(cases, 'ping-pong', 'mpi')).toEqual([
    { bytes: 8, seconds: 1 },
    { bytes: 4096, seconds: 1 },
  ]);
  expect(calibrationTable(cases, 'shift', 'mpi')).toEqual([]);
  // Another kind of vectors is another table, not a second point at the same size.
  const [of4k] = cases;
  const other = {
    ...of4k,
    params: { bytes: 4096, buffers: 'shared' },
    launches: [launch([40])],
  } as unknown as CaseResult;
  expect(calibrationTable([other, ...cases], 'ping-pong', 'mpi')).toEqual(calibrationTable(cases, 'ping-pong', 'mpi'));
});
