/** Collectives among GPUs through a stand-in for NCCL (native/test/fake_gpu_collectives.inc). */
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import {
  COLLECTIVE_DTYPES,
  COLLECTIVES,
  type GpuCollectiveOptions,
  type NativeProblem,
} from '../../src/native/types.ts';
import { buildFakeGpu, noCompiler, noCompilerReason } from '../support/fake-gpu.ts';

const native = loadAddon();
const fake = buildFakeGpu();
afterAll(() => fake.remove());

const TIMING = {
  maxWarmupSeconds: 0.01,
  minSampleSeconds: 0.0002,
  targetSeconds: 0.001,
  minSamples: 2,
  maxSamples: 10,
};
const options = (more: Partial<GpuCollectiveOptions> = {}): GpuCollectiveOptions => ({
  libraries: fake.libraries('cuda'),
  devices: [0, 1, 2, 3],
  collective: 'allreduce',
  dtype: 'f32',
  op: 'sum',
  bytes: 4800,
  seed: 5,
  inPlace: false,
  perCall: false,
  ...more,
});

async function using<T>(given: GpuCollectiveOptions, body: (problem: NativeProblem) => Promise<T>): Promise<T> {
  const problem = native.createGpuCollective(given);
  try {
    await problem.prepare();
    return await body(problem);
  } finally {
    problem.dispose();
  }
}

const FOUR = 'devices=4';

describe.skipIf(noCompiler)(`collectives among GPUs${noCompilerReason}`, () => {
  test.each(COLLECTIVES)('%s: right before and after timing, each defect found', async collective => {
    await fake.told(FOUR, () =>
      using(options({ collective }), async problem => {
        expect(await problem.runAndVerify()).toMatchObject({ passed: true, error: 0, tolerance: 0 });
        const measured = await problem.measure(TIMING);
        expect(measured.rankSamplesSeconds).toHaveLength(4);
        expect(await problem.verify()).toMatchObject({ passed: true });
        // Nothing was written since: what is checked is new.
        expect((await problem.verify()).passed).toBe(false);
        for (const kind of problem.faultKinds()) {
          problem.injectFault(kind);
          expect((await problem.verify()).passed, kind).toBe(false);
        }
        expect(problem.work().bytes).toBe(4800);
      }),
    );
  });

  test.each(COLLECTIVE_DTYPES)('allreduce of %s, each operation', async dtype => {
    for (const op of ['sum', 'min', 'max'] as const)
      expect(
        await fake.told(FOUR, () => using(options({ dtype, op }), problem => problem.runAndVerify())),
      ).toMatchObject({
        passed: true,
      });
  });

  test.each(['allreduce', 'reduce-scatter', 'all-gather', 'broadcast'] as const)('%s in place', async collective => {
    await fake.told(FOUR, () =>
      using(options({ collective, inPlace: true, perCall: true }), async problem => {
        expect((await problem.runAndVerify()).passed).toBe(true);
        await problem.measure(TIMING);
        expect((await problem.verify()).passed).toBe(true);
      }),
    );
  });

  test('the bus bandwidth has the factor of nccl-tests', async () => {
    const factor = (collective: GpuCollectiveOptions['collective']) =>
      fake.told(FOUR, () => using(options({ collective }), async problem => Number(problem.facts().busFactor)));
    expect(await factor('allreduce')).toBe(1.5);
    expect(await factor('reduce-scatter')).toBe(0.75);
    expect(await factor('broadcast')).toBe(1);
  });

  test('one GPU, and a message of nothing', async () => {
    for (const more of [{ devices: [0] }, { bytes: 0 }])
      expect(await fake.told(FOUR, () => using(options(more), problem => problem.runAndVerify()))).toMatchObject({
        passed: true,
      });
  });

  test('a library that leaves a rank out is found out', async () => {
    for (const collective of ['allreduce', 'all-gather', 'broadcast', 'shift'] as const)
      expect(
        (await fake.told(`${FOUR} wrong=rank`, () => using(options({ collective }), problem => problem.runAndVerify())))
          .passed,
        collective,
      ).toBe(false);
  });

  test.each([
    ['fail=ncclCommInitAll:2', 'GPU_LIBRARY_FAILED', 'ncclCommInitAll failed: unhandled system error (2)'],
    ['fail=ncclAllReduce:3', 'GPU_LIBRARY_FAILED', 'ncclAllReduce failed: internal error (3)'],
    ['fail=ncclGroupEnd:3', 'GPU_LIBRARY_FAILED', 'ncclGroupEnd failed'],
    ['fail=cuEventSynchronize:719', 'GPU_FAULT', 'cuEventSynchronize'],
    ['free=60000000', 'GPU_OUT_OF_MEMORY', 'the vector that a rank sends'],
  ])('%s is %s', async (orders, code, message) => {
    const error = await fake.told(`${FOUR} ${orders}`, () =>
      using(options(), problem => problem.runAndVerify()).catch(
        (reason: { code: string; message: string; remedy: string }) => reason,
      ),
    );
    expect(error).toMatchObject({ code });
    expect((error as { message: string }).message).toContain(message);
  });

  test('RCCL by the same functions', async () => {
    const result = await fake.told(`${FOUR} vendor=rocm`, () =>
      using(options({ libraries: fake.libraries('rocm') }), problem => problem.runAndVerify()),
    );
    expect(result.passed).toBe(true);
  });
});
