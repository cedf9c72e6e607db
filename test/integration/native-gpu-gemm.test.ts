/** Products on GPUs through a stand-in whose products are truly computed (native/test/fake_gpu.cc). */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import { GPU_DTYPES, type GpuGemmOptions, type NativeProblem } from '../../src/native/types.ts';
import { buildFakeGpu, noCompiler, noCompilerReason } from '../support/fake-gpu.ts';

const native = loadAddon();
const fake = buildFakeGpu();
afterAll(() => fake.remove());

const TIMING = {
  maxWarmupSeconds: 0.01,
  minSampleSeconds: 0.0002,
  targetSeconds: 0.002,
  minSamples: 2,
  maxSamples: 20,
};
/** Where blocks of scales are there, MXFP4 too. */
const BLACKWELL = 'cc=100 version=13000 lt=130100 mxfp4=1';
const options = (more: Partial<GpuGemmOptions> = {}): GpuGemmOptions => ({
  libraries: fake.libraries('cuda'),
  devices: [0],
  dtype: 'bf16',
  m: 48,
  n: 32,
  k: 64,
  layout: 'tn',
  workspaceBytes: 1 << 20,
  algorithms: 8,
  graphBelowSeconds: 0,
  seed: 7,
  ...more,
});

/** Makes a problem, prepares it, hands it over, disposes of it. */
async function using<T>(given: GpuGemmOptions, body: (problem: NativeProblem) => Promise<T>): Promise<T> {
  const problem = native.createGpuGemm(given);
  try {
    await problem.prepare();
    return await body(problem);
  } finally {
    problem.dispose();
  }
}

const failure = (orders: string, given = options()): Promise<{ code: string; message: string; remedy: string }> =>
  fake.told(orders, () =>
    using(given, async problem => {
      await problem.runAndVerify();
      await problem.measure(TIMING);
      return { code: 'none', message: '', remedy: '' };
    }).catch(error => error as { code: string; message: string; remedy: string }),
  );

describe.skipIf(noCompiler)(`products on a GPU${noCompilerReason}`, () => {
  test.each(GPU_DTYPES)('%s is right before and after timing', async dtype => {
    await fake.told(BLACKWELL, () =>
      using(options({ dtype, m: 64 }), async problem => {
        expect(await problem.runAndVerify()).toMatchObject({ passed: true, tolerance: 1 });
        const measured = await problem.measure(TIMING);
        expect(measured.complete).toBe(true);
        const after = await problem.verify();
        expect(after).toMatchObject({ passed: true });
        expect(after.error).toBeLessThanOrEqual(1);
        expect(problem.work().flops).toBe(2 * 64 * 32 * 64);
      }),
    );
  });

  test.each(['f64', 'f32', 'bf16', 'f8e4m3', 's8', 'mxfp8', 'nvfp4'] as const)(
    '%s: a wrong value and a stale tile are found',
    async dtype => {
      await fake.told(BLACKWELL, () =>
        using(options({ dtype, m: 64 }), async problem => {
          expect(problem.faultKinds()).toEqual(['value', 'stale-tile']);
          for (const kind of problem.faultKinds()) {
            expect((await problem.runAndVerify()).passed, kind).toBe(true);
            problem.injectFault(kind);
            expect((await problem.verify()).passed, kind).toBe(false);
          }
        }),
      );
    },
  );

  test('shapes without a common factor, one row, one column, the other layout', async () => {
    for (const shape of [
      { m: 1, n: 33, k: 70 },
      { m: 37, n: 1, k: 5 },
      { m: 31, n: 29, k: 1, layout: 'nn' as const },
      { m: 17, n: 23, k: 41, layout: 'nn' as const },
    ])
      expect(
        await fake.told('', () => using(options(shape), problem => problem.runAndVerify())),
        JSON.stringify(shape),
      ).toMatchObject({ passed: true });
  });

  test('every offered algorithm is tried, and the fastest is taken and recorded', async () => {
    const facts = await fake.told('algorithms=5', () => using(options(), async problem => problem.facts()));
    // The first says that it cannot, the last wants too much workspace; the fastest is the last of the other three.
    expect(facts).toMatchObject({
      algorithmsOffered: '3',
      algorithmsTried: '3',
      algorithm: '67',
      algorithmRank: "3 of the heuristics' order",
      workspaceBytes: String(1 << 20),
      algorithmWorkspaceBytes: '1024',
      libraryVersion: '12.4.5',
      deviceName: 'Fake H200',
      deviceUuids: 'GPU-00010203-0405-0607-0809-0a0b0c0d0e0f',
      devicePciBusIds: '0000:10:00.0',
      output: 'bf16',
    });
    expect(Number(facts.algorithmSeconds)).toBeLessThan(Number(facts.firstAlgorithmSeconds));
  });

  test('operands rotate through more than L2, as graphs of whole rounds', async () => {
    const facts = await fake.told('l2=100000 algorithms=1', () =>
      using(options({ m: 8, n: 8, k: 8, graphBelowSeconds: 100 }), async problem => {
        expect((await problem.runAndVerify()).passed).toBe(true);
        await problem.measure(TIMING);
        expect((await problem.verify()).passed).toBe(true);
        return problem.facts();
      }),
    );
    expect(facts).toMatchObject({ bufferSets: '64', productsPerGraph: '128' });
  });

  test('without graphs in the driver it launches one by one', async () => {
    const library = fake.without('cuGraphLaunch');
    const libraries = fake.libraries('cuda', { driver: library, matmul: library });
    const facts = await fake.told('algorithms=1', () =>
      using(options({ m: 8, n: 8, k: 8, graphBelowSeconds: 100, libraries }), async problem => {
        expect((await problem.runAndVerify()).passed).toBe(true);
        return problem.facts();
      }),
    );
    expect(facts).toMatchObject({ productsPerGraph: '0', noGraph: 'the driver has no graphs' });
  });

  test('events that cover a part of the work only do not make a rate of fantasy', async () => {
    const seconds = await fake.told('events=0.03', () =>
      using(options({ m: 96, n: 96, k: 96 }), async problem => {
        const { samplesSeconds, iterationsPerSample, windowStart, windowEnd } = await problem.measure(TIMING);
        const sum = samplesSeconds.reduce((total, sample) => total + sample, 0);
        expect(Number(problem.facts().timerDisagreements)).toBeGreaterThan(0);
        expect(iterationsPerSample).toBeGreaterThan(0);
        return sum / (windowEnd - windowStart);
      }),
    );
    // Samples fill the window, as they truly did: by the events they would fill 3 % of it.
    expect(seconds).toBeGreaterThan(0.5);
  });

  test('several devices at once, each with its own time', async () => {
    await fake.told('devices=3', () =>
      using(options({ devices: [0, 1, 2] }), async problem => {
        expect((await problem.runAndVerify()).passed).toBe(true);
        const measured = await problem.measure(TIMING);
        expect(measured.rankSamplesSeconds).toHaveLength(3);
        expect(problem.work().flops).toBe(3 * 2 * 48 * 32 * 64);
        expect(problem.facts().devicePciBusIds).toBe('0000:10:00.0 0000:11:00.0 0000:12:00.0');
        problem.injectFault('value');
        expect((await problem.verify()).passed).toBe(false);
      }),
    );
  });

  test('AMD: the same code with its numbers, its algorithm description and its fp8', async () => {
    for (const dtype of ['bf16', 'f8e4m3', 'f8e5m2', 's8'] as const) {
      const verification = await fake.told('vendor=rocm', () =>
        using(options({ dtype, libraries: fake.libraries('rocm') }), problem => problem.runAndVerify()),
      );
      expect(verification, dtype).toMatchObject({ passed: true });
    }
  });

  test("AMD: operands rotate through more than the Infinity Cache, of which HIP's L2 says nothing", async () => {
    const facts = await fake.told('vendor=rocm algorithms=1', () =>
      using(options({ m: 8, n: 8, k: 8, libraries: fake.libraries('rocm') }), async problem => problem.facts()),
    );
    expect(facts).toMatchObject({ bufferSets: '64', lastCacheBytes: String(256 * 2 ** 20) });
    expect(Number(facts.l2Bytes)).toBeLessThan(256 * 2 ** 20);
  });

  test('blocks of scales: many tiles of them, incomplete ones, and sets of their own', async () => {
    for (const dtype of ['mxfp8', 'mxfp4', 'nvfp4'] as const) {
      // 160 rows are two tiles of 128, the last not full; 5 or 10 blocks of a row are tiles of 4, the last not full either.
      const facts = await fake.told(`${BLACKWELL} algorithms=1 l2=100000`, () =>
        using(options({ dtype, m: 160, n: 160, k: 160 }), async problem => {
          expect(await problem.runAndVerify(), dtype).toMatchObject({ passed: true });
          await problem.measure(TIMING);
          expect((await problem.verify()).passed, dtype).toBe(true);
          return problem.facts();
        }),
      );
      expect(Number(facts.bufferSets)).toBeGreaterThan(1);
      expect(facts.scales).toBe(dtype === 'nvfp4' ? 'a UE4M3 for each 16 along k' : 'a UE8M0 for each 32 along k');
    }
  });

  test.each([
    ['cc=90 lt=130100 version=13000', 'mxfp8', 'GPU_UNSUPPORTED', 'Fake H200 (compute capability 9.0) has no mxfp8'],
    ['cc=100 lt=120600', 'nvfp4', 'LIBRARY_UNSUPPORTED', '12.6.0 has no nvfp4: blocks of scales came with 12.8'],
    ['cc=100 lt=130100 version=13000', 'mxfp4', 'GPU_ALGORITHM_NONE', 'not supported'],
    [
      'cc=100 lt=130100 version=13000 mxfp4=1 fail=cublasLtMatmulAlgoGetHeuristic:7',
      'mxfp4',
      'GPU_ALGORITHM_NONE',
      'status 7',
    ],
  ] as const)('%s: %s is %s', async (orders, dtype, code, message) => {
    const error = await failure(orders, options({ dtype, m: 64 }));
    expect(error).toMatchObject({ code });
    expect(error.message).toContain(message);
    expect(error.remedy).not.toBe('');
  });

  test('a library that looks for scales row by row, or takes one for all, is found out', async () => {
    for (const wrong of ['scales-by-row', 'one-scale'])
      for (const dtype of ['mxfp8', 'nvfp4'] as const)
        expect(
          await fake.told(`${BLACKWELL} wrong=${wrong}`, () =>
            using(options({ dtype, m: 160, n: 160, k: 160, algorithms: 1 }), problem => problem.runAndVerify()),
          ),
          `${wrong} ${dtype}`,
        ).toMatchObject({ passed: false });
  });

  test('AMD has no blocks of scales here', async () => {
    const given = options({ dtype: 'mxfp8', m: 64, libraries: fake.libraries('rocm') });
    expect(await failure('vendor=rocm', given)).toMatchObject({
      code: 'GPU_UNSUPPORTED',
      message: expect.stringContaining('how hipblasLt lays scales out is not confirmed'),
    });
  });

  test('the bound of the hardware comes with the measurement', async () => {
    const ceilings = await fake.told('', () =>
      using(options(), async problem => {
        await problem.measure(TIMING);
        return problem.ceilings();
      }),
    );
    // 132 SMs, 4096 flops per clock, 1.98 GHz.
    expect(ceilings.device_flops_per_second_bound).toBeCloseTo(132 * 4096 * 1.98e9, -3);
  });

  test.each(['matmul', 'stale', 'copy'])('a library that gives wrong results (%s) is found out', async kind => {
    const result = await fake.told(`wrong=${kind}`, () =>
      using(options({ dtype: 'f32' }), problem => problem.runAndVerify()),
    );
    expect(result.passed).toBe(false);
  });

  const CALLS: [string, number, string][] = [
    ['cuDeviceGet', 101, 'GPU_CALL_FAILED'],
    ['cuDevicePrimaryCtxRetain', 2, 'GPU_OUT_OF_MEMORY'],
    ['cuCtxSetCurrent', 201, 'GPU_CALL_FAILED'],
    ['cuStreamCreate', 999, 'GPU_CALL_FAILED'],
    ['cuEventCreate', 999, 'GPU_CALL_FAILED'],
    ['cuMemGetInfo_v2', 999, 'GPU_CALL_FAILED'],
    ['cuMemAlloc_v2', 2, 'GPU_OUT_OF_MEMORY'],
    ['cuMemcpyHtoDAsync_v2', 700, 'GPU_FAULT'],
    ['cuMemcpyDtoHAsync_v2', 719, 'GPU_FAULT'],
    ['cuMemsetD32Async', 999, 'GPU_CALL_FAILED'],
    ['cuStreamSynchronize', 719, 'GPU_FAULT'],
    ['cuEventRecord', 999, 'GPU_CALL_FAILED'],
    ['cuEventSynchronize', 719, 'GPU_FAULT'],
    ['cuEventElapsedTime', 999, 'GPU_CALL_FAILED'],
    ['cublasLtCreate', 3, 'GPU_OUT_OF_MEMORY'],
    ['cublasLtMatmulDescCreate', 14, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatmulDescSetAttribute', 7, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatrixLayoutCreate', 7, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatmulPreferenceCreate', 14, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatmulPreferenceSetAttribute', 7, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatmulAlgoGetHeuristic', 15, 'GPU_ALGORITHM_NONE'],
    ['cublasLtMatmulAlgoGetHeuristic', 8, 'GPU_ALGORITHM_NONE'],
    ['cublasLtMatmulAlgoGetHeuristic', 7, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatmul', 13, 'GPU_LIBRARY_FAILED'],
    ['cublasLtMatmul', 15, 'GPU_ALGORITHM_NONE'],
  ];
  test.each(CALLS)('%s that gives %i is %s', async (call, result, code) => {
    const error = await failure(`fail=${call}:${result}`);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(/^[a-z]/);
    expect(error.remedy).not.toBe('');
  });

  test('a call that begins to fail in the middle of the measuring ends it with its name', async () => {
    const error = await failure('fail=cuEventSynchronize:719 after=6');
    expect(error).toMatchObject({ code: 'GPU_FAULT' });
    expect(error.message).toBe('the call cuEventSynchronize failed: CUDA_ERROR_LAUNCH_FAILED (719)');
    expect(error.remedy).toContain('xid');
  });

  test('find-peak takes the same libraries', () => {
    const script = path.join(packageRoot, 'scripts', 'find-peak.mjs');
    const { stdout, stderr } = spawnSync(
      process.execPath,
      [
        script,
        '--backend',
        'cublaslt',
        '--dtype',
        'bf16',
        '--layout',
        'nn',
        '--start',
        '64',
        '--seconds',
        '0',
        '--json',
      ],
      {
        encoding: 'utf8',
        env: { ...process.env, AIBENCH_CUDA: fake.library, AIBENCH_CUBLASLT: fake.library, FAKE_GPU: 'algorithms=1' },
      },
    );
    expect(stderr).toBe('');
    expect(JSON.parse(stdout)).toMatchObject({
      dtype: 'bf16',
      results: [{ m: 64, n: 64, k: 64, verification: { passed: true } }],
    });
  });

  test('never asks for more than is free', async () => {
    const error = await failure('free=70000000', options({ m: 2048, n: 2048, k: 2048 }));
    expect(error.code).toBe('GPU_OUT_OF_MEMORY');
    expect(error.message).toContain('of which 66 MiB are free');
  });

  test('a device, a dtype or a shape that is not there', async () => {
    expect(await failure('devices=2', options({ devices: [5] }))).toMatchObject({
      code: 'GPU_NO_SUCH_DEVICE',
      message: 'there is no GPU 5: the CUDA driver lists 2, numbers 0 to 1',
    });
    expect(() => native.createGpuGemm(options({ dtype: 'f9' as never }))).toThrow('gpu-gemm has no dtype "f9"');
    expect(() => native.createGpuGemm(options({ dtype: 'f8e4m3', k: 20 }))).toThrow('multiples of 16');
    expect(() => native.createGpuGemm(options({ devices: [] }))).toThrow('devices');
  });
});
