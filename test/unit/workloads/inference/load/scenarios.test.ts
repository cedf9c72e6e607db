import { describe, expect, it } from 'vitest';
import { minimumQueries } from '../../../../../src/analysis/early-stopping.ts';
import { realClock } from '../../../../../src/workloads/inference/load/clock.ts';
import { type LoadPlan, runLoadScenario } from '../../../../../src/workloads/inference/load/scenarios.ts';
import { runServer } from '../../../../../src/workloads/inference/load/server.ts';
import { monotonicSeconds } from '../../../../../src/workloads/inference/timed-loop.ts';
import { sojournQuantile, virtualEngine } from './virtual-clock.ts';

const hooks = { stopped: () => false, progress: () => {} };
const timing = { maxWarmupSeconds: 0.1, minSampleSeconds: 0.5, targetSeconds: 1, minSamples: 10, maxSamples: 100_000 };
const plan = (given: Partial<LoadPlan>): LoadPlan => ({
  scenario: 'single-stream',
  lengths: 'quick',
  percentile: 0.9,
  batch: 1,
  seed: 9,
  ...given,
});
const run = (given: Partial<LoadPlan>, service = 0.01, times: Partial<typeof timing> = {}) => {
  const engine = virtualEngine(() => service);
  return runLoadScenario(engine.query, plan(given), { ...timing, ...times }, engine.clock, hooks);
};
const codes = (warnings: { code: string }[]): string[] => warnings.map(({ code }) => code);

describe('closed loops', () => {
  it('single-stream: one query is one sample, for the suite’s time', async () => {
    const result = await run({});
    expect(result).toMatchObject({ iterationsPerSample: 1, complete: true });
    expect(result.samplesSeconds).toHaveLength(100);
    expect(result.warmup.samplesSeconds).toHaveLength(10);
    expect(result.facts).toMatchObject({ scenario: 'single-stream', queries: 100, mlperfLength: false });
    expect(codes(result.warnings)).toEqual(['NOT_MLPERF_VALID']);
  });

  it('single-stream goes on to the 64 queries that a 90th percentile takes', async () => {
    const result = await run({}, 1);
    expect(result.samplesSeconds).toHaveLength(64);
    expect(codes(result.warnings)).not.toContain('EARLY_STOPPING_SHORT');
  });

  it('multi-stream says when it has too few queries for its percentile', async () => {
    const result = await run({ scenario: 'multi-stream', percentile: 0.99, batch: 8 });
    expect(result.facts).toMatchObject({ samplesPerQuery: 8, earlyStoppingQueries: 662 });
    expect(codes(result.warnings)).toEqual(['NOT_MLPERF_VALID', 'EARLY_STOPPING_SHORT']);
  });

  it('keeps MLPerf’s lengths where they are asked for', async () => {
    const single = await run({ lengths: 'mlperf' });
    expect(single.samplesSeconds.length).toBeGreaterThanOrEqual(60_000);
    expect(single.facts).toMatchObject({ mlperfLength: true });
    expect(single.warnings).toEqual([]);
    const other = await run({ lengths: 'mlperf', percentile: 0.95, batch: 4 }, 10);
    expect(other.warnings).toEqual([
      expect.objectContaining({
        code: 'NOT_MLPERF_VALID',
        message: expect.stringContaining('held to the p95, MLPerf’s to the p90; a query has 4 samples, MLPerf’s 1'),
      }),
    ]);
    const offline = await run({ scenario: 'offline', lengths: 'mlperf', batch: 32 }, 1);
    expect(offline.warnings).toEqual([]);
    expect(offline.samplesSeconds.length * 32).toBeGreaterThanOrEqual(24_576);
    expect(offline.windowSeconds[1] - offline.windowSeconds[0]).toBeGreaterThanOrEqual(600);
  });
});

describe('server', () => {
  const service = 0.01;

  it.each([
    [3, 0.99],
    [6, 0.99],
    [4, 0.9],
  ])('finds the rate at which %d service times hold for p%d', async (bound, percentile) => {
    const result = await run({ scenario: 'server', percentile, latencyBoundSeconds: bound * service }, service, {
      targetSeconds: 200,
    });
    const load = Number(result.facts.load);
    expect(result.invalid).toBeUndefined();
    expect(result.facts).toMatchObject({
      latencyBoundSeconds: bound * service,
      serviceSeconds: expect.closeTo(service, 9),
    });
    expect(result.samplesSeconds.length).toBeGreaterThanOrEqual(minimumQueries(1, percentile));
    expect(result.samplesSeconds.filter(latency => latency > bound * service).length).toBeLessThanOrEqual(
      Number(result.facts.overlatencyAllowed),
    );
    // Never above what theory allows by more than the search's step, nor far below: early stopping costs some.
    expect(sojournQuantile(percentile, Math.max(0.05, load - 0.03))).toBeLessThanOrEqual(bound);
    expect(sojournQuantile(percentile, Math.min(0.98, load + 0.2))).toBeGreaterThan(bound);
    const [start, end] = result.windowSeconds;
    const completed = result.samplesSeconds.length / (end - start);
    expect(completed / Number(result.facts.scheduledQueriesPerSecond)).toBeCloseTo(1, 1);
  });

  it('is invalid where no rate holds the bound, and says why', async () => {
    const result = await run({ scenario: 'server', percentile: 0.9, latencyBoundSeconds: service / 2 }, service);
    expect(result.invalid).toMatchObject({
      reason: expect.stringMatching(
        /^The latency bound does not hold: \d+ of \d+ queries at .* took longer than 5\.00 ms/,
      ),
      remedy: expect.stringMatching(/^One inference alone takes 10\.0 ms: raise latencyBound/),
    });
    // There is nothing to search for, and low rates would take long to say so.
    expect(result.facts.serverProbes).toBe(1);
  });

  it('holds a fixed rate to the bound without a search', async () => {
    const given = { scenario: 'server', percentile: 0.9, latencyBoundSeconds: 3 * service } as const;
    const low = await run({ ...given, rate: 20 }, service, { targetSeconds: 20 });
    expect(low.facts).toMatchObject({ scheduledQueriesPerSecond: 20, serverProbes: 1 });
    expect(low.invalid).toBeUndefined();
    const high = await run({ ...given, rate: 99 }, service, { targetSeconds: 20 });
    expect(high.samplesSeconds).toHaveLength(1980);
    expect(high.invalid?.remedy).toMatch(/^Lower queriesPerSecond/);
  });

  it('ends the search on Ctrl-C', async () => {
    const engine = virtualEngine(() => service);
    const stopping = { ...hooks, stopped: () => engine.served() > 500 };
    const bound = { latencyBoundSeconds: 4 * service, percentile: 0.99, minSeconds: 1000, minQueries: 1, seed: 1 };
    const result = await runServer(engine.query, bound, engine.clock, stopping);
    expect(result.met).toBe(false);
    expect(engine.served()).toBeLessThan(520);
  });
});

describe('realClock', () => {
  it('returns at the time, not before', () => {
    const clock = realClock(() => false);
    for (const wait of [0, 1e-4, 4e-3]) {
      const until = monotonicSeconds() + wait;
      clock.waitUntil(until);
      expect(clock.now()).toBeGreaterThanOrEqual(until);
    }
  });

  it('does not sit out a wait after Ctrl-C', () => {
    const begin = monotonicSeconds();
    realClock(() => true).waitUntil(begin + 3600);
    expect(monotonicSeconds() - begin).toBeLessThan(60);
  });
});
