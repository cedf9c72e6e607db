import { describe, expect, it } from 'vitest';
import { hostsOf } from '../../../src/analysis/energy-scope.ts';
import { scalingGroups } from '../../../src/analysis/scaling.ts';
import { htmlReport } from '../../../src/report/html.ts';
import { scaling } from '../../../src/report/scaling.ts';
import type { CaseResult, ResultDocument } from '../../../src/results/schema.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

const base = syntheticDocument({ seed: 1, cases: 1, launches: 3, watts: 100 });
const metric = (value: number, unit: string) => ({
  ...{ value, unit, better: 'higher' as const, confidence: 0.95, launches: 3 },
  interval: [0.98 * value, 1.02 * value] as [number, number],
});

function gemm(threads: number | string, m: number, rate: number, joulesPerFlop?: number): CaseResult {
  const item = structuredClone(base.cases[0]) as CaseResult;
  const [entry] = item.energy;
  if (entry)
    entry.throughputPerWatt = joulesPerFlop ? { value: 1 / joulesPerFlop, unit: 'FLOP/J', interval: null } : null;
  return {
    ...item,
    id: `gemm/${m}/${threads}`,
    workload: 'gemm',
    status: 'measured',
    params: { dtype: 'f32', m, n: 1024, k: 1024, threads },
    headline: 'flops_per_second',
    metrics: { flops_per_second: metric(rate, 'FLOP/s') },
  };
}

function allreduce(ranks: number, bus: number): CaseResult {
  return {
    ...gemm(1, 1, 1),
    id: `allreduce/${ranks}`,
    workload: 'allreduce',
    params: { bytes: 4096, ranks },
    metrics: { bus_bandwidth_bytes_per_second: metric(bus, 'B/s') },
  };
}

function document(...cases: CaseResult[]): ResultDocument {
  const host = { ...base.host, cpu: { ...base.host.cpu, usableCores: 4 } };
  return { ...base, host, cases };
}

describe('scaling', () => {
  it('holds equal work on more cores against the fewest: speed-up, efficiency with its interval, energy', () => {
    const [strong] = scalingGroups(
      document(gemm(1, 2048, 100, 2e-9), gemm(2, 2048, 180), gemm('all', 2048, 300), gemm(8, 2048, 290)),
    );
    expect(strong?.kind).toBe('strong');
    expect(strong?.points.map(point => point.cores)).toEqual([1, 2, 4, 8]);
    expect(strong?.points.map(point => point.speedUp)).toEqual([1, 1.8, 3, 2.9]);
    expect(strong?.points.map(point => point.efficiency)).toEqual([1, 0.9, 0.75, 2.9 / 8]);
    expect(strong?.points.map(point => point.crowded)).toEqual([false, false, false, true]);
    expect(strong?.points[0]?.joulesPerWork).toBeCloseTo(2e-9, 15);
    expect(strong?.points[1]?.joulesPerWork).toBeNull();
    const [low, high] = strong?.points[1]?.efficiencyInterval ?? [0, 0];
    expect(low).toBeCloseTo(0.9 * Math.exp(-Math.hypot(Math.log(1 / 0.98), Math.log(1.02))), 9);
    expect(high).toBeGreaterThan(0.9);
  });

  it('knows weak scaling by work that grows with the cores, and does not mix it with strong', () => {
    const groups = scalingGroups(
      document(gemm(1, 1024, 100), gemm(2, 2048, 190), gemm(4, 4096, 360), gemm(1, 2048, 105)),
    );
    expect(groups.map(({ kind, points }) => [kind, points.map(point => point.cores)])).toEqual([
      ['weak', [1, 2, 4]],
      ['strong', [1, 2]],
    ]);
    expect(groups[0]?.common).toContain('mPerCore=1024');
    expect(groups[0]?.points[2]?.efficiency).toBeCloseTo(0.9, 9);
  });

  it('judges a collective by its bus bandwidth: it has no speed-up', () => {
    const [group] = scalingGroups(document(allreduce(2, 10e9), allreduce(4, 8e9)));
    expect(group?.points.map(({ speedUp, efficiency }) => [speedUp, efficiency])).toEqual([
      [null, 1],
      [null, 0.8],
    ]);
  });

  it('takes the cores of an MPI case from its facts, and gives no energy to work on several hosts', () => {
    const ranks = (count: number, rate: number): CaseResult => ({
      ...gemm(1, 2048, rate, 1e-9),
      id: `distributed-gemm/${count}`,
      workload: 'distributed-gemm',
      backend: 'mpi',
      params: { dtype: 'f32', m: 2048, n: 1024, k: 1024, threads: 1, ranks: count === 8 ? 'all' : count },
      facts: { ranks: String(count), cores: String(count), oversubscribed: count > 4 ? 'true' : 'false' },
    });
    const [strong] = scalingGroups(document(ranks(2, 190), ranks(1, 100), ranks(8, 600)));
    expect(strong?.points.map(({ cores, speedUp, crowded }) => [cores, speedUp, crowded])).toEqual([
      [1, 1, false],
      [2, 1.9, false],
      [8, 6, true],
    ]);
    expect(hostsOf({ rankHosts: 'a,b,a' })).toBe(2);
    expect(hostsOf({ rankHosts: 'a,a', hostCount: '3' })).toBe(3);
    expect(hostsOf({})).toBe(1);
  });

  it('leaves out what was not measured, and single points', () => {
    const failed: CaseResult = { ...gemm(2, 2048, 180), status: 'failed' };
    expect(scalingGroups(document(gemm(1, 2048, 100), failed))).toEqual([]);
    expect(scaling.render([document(gemm(1, 2048, 100))])).toContain('suites/scaling.yaml');
  });

  it('stands in the Markdown table and on the page', () => {
    const one = document(gemm(1, 2048, 100, 2e-9), gemm(2, 2048, 180));
    expect(scaling.render([one])).toContain('| 2 | 180.0 FLOP/s | 1.80 | 0.90 ');
    expect(htmlReport([one], item => item.id)).toContain('strong scaling of gemm');
  });
});
