import { describe, expect, it } from 'vitest';
import { quantile } from '../../../../../src/analysis/statistics.ts';
import { poissonArrivals, runClosedLoop, runOpenLoop } from '../../../../../src/workloads/inference/load/queries.ts';
import { sojournQuantile, virtualEngine, waitAtMost } from './virtual-clock.ts';

const hooks = { stopped: () => false, progress: () => {} };

describe('poissonArrivals', () => {
  it('has exponential gaps of the rate, seeded', () => {
    const arrivals = poissonArrivals(100_001, 50, 3);
    const gaps = Array.from(arrivals.subarray(1), (at, index) => at - (arrivals[index] ?? 0));
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length;
    expect(mean * 50).toBeCloseTo(1, 1);
    expect(Math.abs(mean * 50 - 1)).toBeLessThan(0.02);
    // The median of an exponential is ln 2 of its mean, its standard deviation is its mean.
    expect(quantile(gaps, 0.5) / mean).toBeCloseTo(Math.LN2, 1);
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length);
    expect(Math.abs(deviation / mean - 1)).toBeLessThan(0.03);
    expect(poissonArrivals(10, 50, 3)).toEqual(arrivals.slice(0, 10));
    expect(poissonArrivals(10, 50, 4)).not.toEqual(arrivals.slice(0, 10));
    expect(arrivals.every(Number.isFinite)).toBe(true);
  });
});

describe('runOpenLoop against queueing theory', () => {
  it('the theory at hand is right where it has a closed form', () => {
    expect(waitAtMost(0, 0.7)).toBeCloseTo(0.3, 12);
    expect(waitAtMost(0.5, 0.7)).toBeCloseTo(0.3 * Math.exp(0.35), 12);
    expect(waitAtMost(20, 0.7)).toBeCloseTo(1, 5);
  });

  it.each([
    [0.5, 200_000],
    [0.7, 300_000],
    [0.9, 1_500_000],
  ])('load %d: p50, p90 and p99 of an engine of known service time within 5 %% of M/D/1', async (rho, count) => {
    const service = 1e-3;
    const engine = virtualEngine(() => service);
    const arrivals = poissonArrivals(count, rho / service, 11);
    const log = await runOpenLoop(engine.query, arrivals, engine.clock, hooks);
    expect(log.latencies).toHaveLength(count);
    for (const p of [0.5, 0.9, 0.99]) {
      const expected = service * sojournQuantile(p, rho);
      expect(Math.abs(quantile(log.latencies, p) / expected - 1), `p${100 * p}`).toBeLessThan(0.05);
    }
    const [start, end] = log.windowSeconds;
    expect(end - start).toBeGreaterThanOrEqual(arrivals.at(-1) ?? 0);
  });
});

describe('a stall of the engine', () => {
  const service = 1e-3;
  const stall = 0.5;
  const stalled = () => virtualEngine(query => (query === 500 ? stall : service));

  it('is charged to every query that should have come during it', async () => {
    const rate = 500;
    const arrivals = poissonArrivals(5000, rate, 5);
    const engine = stalled();
    const { latencies } = await runOpenLoop(engine.query, arrivals, engine.clock, hooks);
    const hit = latencies.filter(latency => latency > stall / 10).length;
    // 500 per second for half a second, and as many again until the queue at load 0.5 is empty; one tenth counts as short.
    expect(hit).toBeGreaterThan(0.8 * rate * stall);
    expect(Math.max(...latencies)).toBeGreaterThanOrEqual(stall);
    expect(quantile(latencies, 0.99)).toBeGreaterThan(stall / 2);
    // Measured from when a query was sent, as a closed loop does, the same stall is one query in 5000.
    const naive = stalled();
    const closed = await runClosedLoop(naive.query, queries => queries === 5000, naive.clock, hooks);
    expect(closed.latencies.filter(latency => latency > stall / 10)).toHaveLength(1);
    expect(quantile(closed.latencies, 0.99)).toBeCloseTo(service, 9);
  });

  it('at the intended times, not a moment earlier: an idle engine adds nothing', async () => {
    const engine = virtualEngine(() => service);
    const { latencies } = await runOpenLoop(engine.query, Float64Array.of(0, 1, 2, 3), engine.clock, hooks);
    for (const latency of latencies) expect(latency).toBeCloseTo(service, 12);
  });
});

describe('ending', () => {
  it('a closed loop ends when it has enough, or is stopped', async () => {
    const engine = virtualEngine(() => 0.1);
    const log = await runClosedLoop(engine.query, (_queries, elapsed) => elapsed >= 0.95, engine.clock, hooks);
    expect(log).toMatchObject({ complete: true });
    expect(log.latencies).toHaveLength(10);
    const stopped = { ...hooks, stopped: () => engine.served() >= 15 };
    const cut = await runClosedLoop(engine.query, () => false, engine.clock, stopped);
    expect(cut).toMatchObject({ complete: false });
    expect(cut.latencies).toHaveLength(5);
  });

  it('an open loop ends where it is hopeless or stopped, and says that it is not complete', async () => {
    const engine = virtualEngine(() => 0.1);
    const arrivals = poissonArrivals(100, 5, 1);
    const log = await runOpenLoop(engine.query, arrivals, engine.clock, hooks, () => engine.served() === 7);
    expect(log).toMatchObject({ complete: false });
    expect(log.latencies).toHaveLength(7);
  });

  it('fails when a query fails', async () => {
    const engine = virtualEngine(() => 0.1);
    const query = () => Promise.reject(new RangeError('no'));
    await expect(runOpenLoop(query, Float64Array.of(0), engine.clock, hooks)).rejects.toThrow('no');
  });
});
