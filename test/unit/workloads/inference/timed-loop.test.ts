import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import {
  isSettled,
  iterationsPerSample,
  type LoopHooks,
  monotonicSeconds,
  runSampledLoop,
} from '../../../../src/workloads/inference/timed-loop.ts';
import { takeTurns } from '../../../../src/workloads/inference/turns.ts';
import type { Timing } from '../../../../src/workloads/workload.ts';

const timing = { maxWarmupSeconds: 0.05, minSampleSeconds: 0.001, targetSeconds: 0.1, minSamples: 5, maxSamples: 1000 };
const hooks = { stopped: () => false, progress: () => {} };
/** Longer than the calibration's limit would allow to repeat. */
const slowRun = (): Promise<void> => wait(4);

/** As a launch does it with an engine that is timed from JavaScript. */
const runTimedLoop = (run: () => Promise<unknown>, given: Timing, told: LoopHooks) =>
  runSampledLoop(takeTurns([async () => void (await run()) as never]).timeRuns, given, told);

describe('runSampledLoop', () => {
  it('samples until the time is used up, and the window encloses the samples', async () => {
    const before = monotonicSeconds();
    const result = await runTimedLoop(slowRun, timing, hooks);
    const after = monotonicSeconds();
    const total = result.samplesSeconds.reduce((sum, sample) => sum + sample, 0);
    const [start, end] = result.windowSeconds;
    expect(result).toMatchObject({ complete: true, iterationsPerSample: 1 });
    expect(total).toBeGreaterThanOrEqual(timing.targetSeconds);
    expect(end - start).toBeGreaterThanOrEqual(total);
    expect(start).toBeGreaterThan(before);
    expect(end).toBeLessThan(after);
  });

  it('keeps the samples in the order in which they were taken', async () => {
    let calls = 0;
    const result = await runTimedLoop(() => wait((calls++ % 2) * 8 + 2), timing, hooks);
    const { samplesSeconds } = result;
    const rises = samplesSeconds.slice(1).filter((sample, index) => sample > (samplesSeconds[index] ?? 0)).length;
    expect(rises).toBeGreaterThan(0);
    expect(rises).toBeLessThan(samplesSeconds.length - 1);
    expect(samplesSeconds).not.toEqual(samplesSeconds.toSorted((a, b) => a - b));
  });

  it('takes the least number of samples even beyond the time, and the greatest at most', async () => {
    const least = await runTimedLoop(slowRun, { ...timing, targetSeconds: 0.001, minSamples: 7 }, hooks);
    expect(least.samplesSeconds).toHaveLength(7);
    const most = await runTimedLoop(
      () => wait(40),
      { ...timing, targetSeconds: 0.09, maxSamples: 3, minSamples: 1 },
      hooks,
    );
    expect(most.samplesSeconds.length).toBeLessThanOrEqual(3);
  });

  it('puts several runs of a short one into a sample', async () => {
    let runs = 0;
    const result = await runTimedLoop(
      async () => {
        runs += 1;
      },
      timing,
      hooks,
    );
    const { iterationsPerSample: iterations, samplesSeconds, warmup } = result;
    expect(iterations).toBeGreaterThan(10);
    const sampled = iterations * (samplesSeconds.length + warmup.samplesSeconds.length);
    expect(runs).toBeGreaterThan(sampled);
    expect(samplesSeconds.length).toBeLessThanOrEqual(timing.maxSamples);
  });

  it('ends after the sample in hand when it is stopped', async () => {
    let calls = 0;
    const stopping = { ...hooks, stopped: () => calls > 20 };
    const run = async (): Promise<void> => {
      calls += 1;
      await wait(3);
    };
    const result = await runTimedLoop(run, { ...timing, targetSeconds: 60 }, stopping);
    expect(result.complete).toBe(false);
    expect(result.samplesSeconds.length).toBeLessThan(20);
  });

  it('fails when a run fails', async () => {
    let calls = 0;
    const run = async (): Promise<void> => {
      calls += 1;
      if (calls > 12) throw new RangeError('the thirteenth');
      await wait(3);
    };
    await expect(runTimedLoop(run, timing, hooks)).rejects.toThrow('the thirteenth');
  });

  it('reports a warm-up that never settles as unsettled, and keeps its samples', async () => {
    let milliseconds = 2;
    // Durations as told, not waited for: a wait can take any time.
    const result = await runSampledLoop(
      async () => milliseconds++ / 1000,
      { ...timing, targetSeconds: 0.01, minSamples: 1 },
      hooks,
    );
    expect(result.warmup.settled).toBe(false);
    expect(result.warmup.samplesSeconds.length).toBeGreaterThan(1);
  });
});

describe('isSettled', () => {
  it('compares the medians of the last five and the five before', () => {
    expect(isSettled([1, 1, 1, 1, 1, 1, 1, 1, 1], 100)).toBe(false);
    expect(isSettled([1, 1, 1, 1, 1, 1, 1, 1, 1, 1], 100)).toBe(true);
    expect(isSettled([9, 5, 2, 1, 1, 1, 1, 1, 1, 1], 100)).toBe(false);
    expect(isSettled([1, 1, 1, 1, 1, 1.009, 1.009, 1.009, 1, 1.5], 100)).toBe(true);
    expect(isSettled([1, 1, 1, 1, 1, 1.011, 1.011, 1.011, 1, 1.5], 100)).toBe(false);
  });

  it('compares fewer where ten do not fit into the bound, with a wider tolerance', () => {
    expect(isSettled([1], 2)).toBe(false);
    expect(isSettled([1, 1.02], 2)).toBe(true);
    expect(isSettled([1, 1.03], 2)).toBe(false);
    expect(isSettled([1, 1, 1.01, 1.02], 4.2)).toBe(false);
    expect(isSettled([1, 1, 1.01, 1.01], 4.2)).toBe(true);
    expect(isSettled([3, 3], 2)).toBe(true);
  });
});

describe('iterationsPerSample', () => {
  const spacious = { minSampleSeconds: 0, targetSeconds: 1, maxSamples: 1_000_000 };

  it('is one inference wherever the clock allows it', () => {
    expect(iterationsPerSample(0.02, spacious, 1e-4)).toBe(1);
    expect(iterationsPerSample(1e-4, spacious, 1e-4)).toBe(1);
  });

  it('reaches the shortest sample that the clock allows', () => {
    expect(iterationsPerSample(1e-5, spacious, 1e-4)).toBe(10);
    expect(iterationsPerSample(3e-5, spacious, 1e-4)).toBe(4);
  });

  it('is as long as the suite asks', () => {
    expect(iterationsPerSample(0.02, { ...spacious, minSampleSeconds: 0.05 }, 1e-4)).toBe(3);
    expect(iterationsPerSample(0.02, { ...spacious, minSampleSeconds: 0.02 }, 1e-4)).toBe(1);
  });

  it('fills the time with the samples that are allowed', () => {
    expect(iterationsPerSample(1e-3, { ...spacious, targetSeconds: 10, maxSamples: 1000 }, 1e-4)).toBe(10);
  });
});
