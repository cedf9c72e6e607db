import { describe, expect, it } from 'vitest';
import { finishCase, recordLaunch, startCase } from '../../../src/runner/assemble.ts';
import type { LaunchOutcome } from '../../../src/runner/launch.ts';
import type { Case } from '../../../src/suite/expand.ts';
import { peak } from '../../../src/workloads/peak.ts';
import type { Params, Workload } from '../../../src/workloads/workload.ts';

const workload = {
  ...peak,
  limit: () => ({ ceiling: 'fma_flops_per_second', metric: 'flops_per_second' }),
} as unknown as Workload<Params>;

const item: Case = {
  id: 'peak/dtype=f32,threads=1/backend=native',
  workload,
  params: { dtype: 'f32', threads: 1 },
  backend: 'native',
  timing: { maxWarmupSeconds: 1, minSampleSeconds: 0.001, targetSeconds: 1, minSamples: 2, maxSamples: 10 },
  launches: 3,
};

const passed = { method: 'exact', passed: true, error: 0, tolerance: 0 };
const wrong = { method: 'exact', passed: false, error: 3, tolerance: 0 };

function measured(seconds: number, ceiling: number, complete = true): LaunchOutcome {
  return {
    kind: 'measured',
    result: {
      pid: 1,
      windowSeconds: [10, 10 + 2 * seconds],
      samplesSeconds: [seconds, seconds],
      iterationsPerSample: 4,
      work: { flops: 100 },
      warmup: { samplesSeconds: [seconds], settled: true },
      complete,
      ceilings: { fma_flops_per_second: ceiling },
      verification: passed,
      facts: { kernel: 'k' },
      warnings: [],
      state: {},
    },
  };
}

const failure = (permanent: boolean): LaunchOutcome => ({
  kind: 'failed',
  failure: { code: 'X', message: 'It broke.', remedy: 'Mend it.', permanent, unavailable: false },
});

function outcome(...outcomes: LaunchOutcome[]) {
  const progress = startCase(item);
  outcomes.forEach((one, index) => {
    recordLaunch(progress, { index, order: index, seed: index }, one);
  });
  return { progress, result: finishCase(progress, [], []) };
}

describe('what becomes of a case', () => {
  it('facts are of the last launch, the longest stall of all of them', () => {
    const stalled = (seconds: number, own: number, load: number): LaunchOutcome => {
      const one = measured(1, 200);
      if (one.kind === 'measured')
        one.result.facts = { eventLoopStallSeconds: seconds, eventLoopStallOwnSeconds: own, loadSeconds: load };
      return one;
    };
    const { result } = outcome(stalled(0.004, 0.001, 3), stalled(0.03, 0.002, 2), stalled(0.005, 0.004, 1));
    expect(result.facts).toEqual({ eventLoopStallSeconds: 0.03, eventLoopStallOwnSeconds: 0.002, loadSeconds: 1 });
  });

  it('measured: work over time, as a share of its own launch ceiling', () => {
    const { result } = outcome(measured(1, 200), measured(2, 100));
    expect(result).toMatchObject({ status: 'measured', headline: 'flops_per_second', facts: { kernel: 'k' } });
    // 100 and 50 FLOP/s: the geometric mean, and half of the ceiling each time.
    expect(result.metrics.flops_per_second?.value).toBeCloseTo(Math.sqrt(5000), 10);
    expect(result.limit?.fraction).toBeCloseTo(0.5, 12);
  });

  it('launches whose ranks sat differently are said to, those that sat alike are not', () => {
    const seated = (nanoseconds: number): LaunchOutcome => {
      const one = measured(1, 200);
      const facts = { oneWayNanosecondsBefore: `${nanoseconds}`, oneWayNanosecondsAfter: `${nanoseconds}` };
      return one.kind === 'measured' ? { ...one, result: { ...one.result, facts } } : one;
    };
    const codes = (...outcomes: LaunchOutcome[]) => outcome(...outcomes).result.warnings.map(({ code }) => code);
    expect(codes(seated(40), seated(50), seated(190))).toEqual(['PLACEMENT_DIFFERS']);
    expect(codes(seated(40), seated(50), measured(1, 200))).toEqual([]);
  });

  it('invalid: above the ceiling', () => {
    const { result } = outcome(measured(1, 99), measured(1, 99), measured(1, 99));
    expect(result).toMatchObject({ status: 'invalid', reason: expect.stringContaining('101.0 %') });
  });

  it('one crash costs one launch, and is said', () => {
    const { result } = outcome(measured(1, 200), failure(false), measured(1, 200));
    expect(result.status).toBe('measured');
    expect(result.metrics.flops_per_second?.launches).toBe(2);
    expect(result.warnings).toContainEqual(
      expect.objectContaining({ code: 'LAUNCH_FAILED', message: expect.stringContaining('1 of 3') }),
    );
  });

  it('failed: every launch failed', () => {
    expect(outcome(failure(false), failure(false)).result).toMatchObject({
      status: 'failed',
      reason: 'It broke.',
      headline: null,
      metrics: {},
    });
  });

  it('a permanent failure ends the case at once', () => {
    const { progress, result } = outcome(failure(true));
    expect(progress.ended?.status).toBe('failed');
    expect(result).toMatchObject({ status: 'failed', remedy: 'Mend it.' });
  });

  it('what only the launch finds missing is skipped, not failed', () => {
    const { result } = outcome({
      kind: 'failed',
      failure: {
        code: 'DEVICE_UNAVAILABLE',
        message: 'No adapter.',
        remedy: 'Add one.',
        permanent: true,
        unavailable: true,
      },
    });
    expect(result).toMatchObject({ status: 'skipped', reason: 'No adapter.', launches: [] });
  });

  it('a wrong output fails the case even after right ones', () => {
    const { progress, result } = outcome(measured(1, 200), { kind: 'wrong', verification: wrong, when: 'after' });
    expect(progress.ended?.status).toBe('failed');
    expect(result).toMatchObject({ status: 'failed', verification: { passed: false } });
    expect(result.reason).toMatch(/that the timed loop left is wrong/);
  });

  it('an interrupted launch is kept but does not count', () => {
    const { result } = outcome(measured(1, 200), measured(1, 200, false));
    expect(result.launches.map(({ status }) => status)).toEqual(['ok', 'interrupted']);
    expect(result.metrics.flops_per_second?.launches).toBe(1);
  });

  it('nothing ran before Ctrl-C: skipped, with the reason', () => {
    expect(outcome().result).toMatchObject({ status: 'skipped', reason: expect.stringContaining('interrupted') });
  });

  it('a case that cannot run here keeps its reason', () => {
    const progress = startCase(item);
    progress.ended = { status: 'skipped', reason: 'No GPU.', remedy: 'Add one.' };
    expect(finishCase(progress, [], [])).toMatchObject({
      status: 'skipped',
      reason: 'No GPU.',
      remedy: 'Add one.',
      verification: null,
    });
  });

  it('invalid: measured, but a rule of the workload says that the number must not be used', () => {
    const one = measured(1, 200);
    if (one.kind !== 'measured') throw new Error('not measured');
    const invalid = { reason: 'The bound does not hold.', remedy: 'Raise it.' };
    const { result } = outcome({ ...one, result: { ...one.result, invalid } }, measured(1, 200));
    expect(result).toMatchObject({ status: 'invalid', ...invalid });
    expect(result.launches).toHaveLength(2);
  });
});
