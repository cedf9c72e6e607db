/** Bandwidth on GPUs through a stand-in (native/test/fake_gpu.cc). */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import { GPU_MEMORY_KERNELS, type GpuMemoryOptions, type NativeProblem } from '../../src/native/types.ts';
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
const BYTES = 16 * 5000;
const options = (kernel: GpuMemoryOptions['kernel'], more: Partial<GpuMemoryOptions> = {}): GpuMemoryOptions => ({
  libraries: fake.libraries('cuda'),
  devices: kernel === 'peer' ? [0, 1] : [0],
  kernel,
  bytes: BYTES,
  seed: 3,
  ...more,
});

async function using<T>(given: GpuMemoryOptions, body: (problem: NativeProblem) => Promise<T>): Promise<T> {
  const problem = native.createGpuMemory(given);
  try {
    await problem.prepare();
    return await body(problem);
  } finally {
    problem.dispose();
  }
}

describe.skipIf(noCompiler)(`bandwidth of a GPU${noCompilerReason}`, () => {
  test.each(GPU_MEMORY_KERNELS)('%s moves every word, and one that is wrong is found', async kernel => {
    await fake.told('devices=2', () =>
      using(options(kernel), async problem => {
        expect(await problem.runAndVerify()).toMatchObject({ passed: true, error: 0 });
        const measured = await problem.measure(TIMING);
        expect(measured.complete).toBe(true);
        expect(await problem.verify()).toMatchObject({ passed: true });
        problem.injectFault('word');
        expect(await problem.verify()).toMatchObject({ passed: false, error: 1 });
        // What is checked is what was written since the last check.
        expect(await problem.verify()).toMatchObject({ passed: false, error: BYTES / 4 });
        const moved = kernel === 'triad' ? 3 : kernel === 'copy' || kernel === 'memcpy' ? 2 : 1;
        expect(problem.work().bytes).toBe(moved * BYTES);
      }),
    );
  });

  test.each(['triad', 'copy', 'memcpy', 'd2h'] as const)(
    '%s: a device that loses a word is found out',
    async kernel => {
      const result = await fake.told('wrong=copy', () => using(options(kernel), problem => problem.runAndVerify()));
      expect(result.passed).toBe(false);
    },
  );

  test('the bound of the memory comes with what stays inside', async () => {
    const bound = (kernel: GpuMemoryOptions['kernel']) =>
      fake.told('', () =>
        using(options(kernel), async problem => {
          await problem.measure(TIMING);
          return problem.ceilings().device_memory_bytes_per_second_bound;
        }),
      );
    // 3201 MHz, both edges, 6144 bits.
    expect(await bound('copy')).toBeCloseTo(2 * 3.201e9 * 768, -6);
    expect(await bound('h2d')).toBeUndefined();
  });

  test('two devices that do not see each other go through the host, and it says so', async () => {
    const facts = await fake.told('devices=2 peer=0', () => using(options('peer'), async problem => problem.facts()));
    expect(facts).toMatchObject({ peerAccess: 'through the host', devicePciBusIds: '0000:10:00.0 0000:11:00.0' });
  });

  test.each([
    ['fail=cuModuleLoadDataEx:222', 'copy', 'GPU_CALL_FAILED'],
    ['fail=cuLaunchKernel:701', 'triad', 'GPU_CALL_FAILED'],
    ['fail=cuMemHostAlloc:2', 'h2d', 'GPU_OUT_OF_MEMORY'],
    ['fail=cuMemcpyPeerAsync:700 devices=2', 'peer', 'GPU_FAULT'],
    ['free=60000000', 'memcpy', 'GPU_OUT_OF_MEMORY'],
    ['devices=1', 'peer', 'GPU_NO_SUCH_DEVICE'],
  ] as const)('%s: %s is %s', async (orders, kernel, code) => {
    const error = await fake.told(orders, () =>
      using(options(kernel), problem => problem.runAndVerify()).catch(
        (reason: { code: string; remedy: string }) => reason,
      ),
    );
    expect(error).toMatchObject({ code });
  });

  test.each(['copy', 'triad', 'memcpy'] as const)('AMD: %s, with our own kernels compiled by hipRTC', async kernel => {
    const facts = await fake.told('vendor=rocm', () =>
      using(options(kernel, { libraries: fake.libraries('rocm') }), async problem => {
        expect((await problem.runAndVerify()).passed).toBe(true);
        problem.injectFault('word');
        expect((await problem.verify()).passed).toBe(false);
        return problem.facts();
      }),
    );
    expect(facts.kernel).toBe(kernel === 'memcpy' ? undefined : 'own, compiled by hipRTC 6.3, 256 threads');
  });

  test.each([
    ['', '/nowhere/libhiprtc.so', 'LIBRARY_ABSENT', '/nowhere/libhiprtc.so', 'AIBENCH_HIPRTC'],
    ['fail=hiprtcCompileProgram:6', '', 'GPU_COMPILER_FAILED', 'its log: the fake does not like thi', 'ROCm'],
    ['fail=cuModuleLoadDataEx:209', '', 'GPU_CALL_FAILED', 'hipModuleLoadDataEx', 'rocm-smi'],
  ] as const)('AMD without its compiler: %s %s is %s', async (orders, compiler, code, message, remedy) => {
    const libraries = fake.libraries('rocm', compiler === '' ? {} : { compiler });
    const error = await fake.told(`vendor=rocm ${orders}`, () =>
      using(options('copy', { libraries }), problem => problem.runAndVerify()).catch(
        (reason: { code: string; message: string; remedy: string }) => reason,
      ),
    );
    expect(error).toMatchObject({
      code,
      message: expect.stringContaining(message),
      remedy: expect.stringContaining(remedy),
    });
  });

  test('the source for hipRTC is that of the PTX', () => {
    const kernels = path.join(packageRoot, 'native', 'gpu', 'kernels');
    const [cuda, text] = ['memory.cu', 'memory_source.inc'].map(name => readFileSync(path.join(kernels, name), 'utf8'));
    expect(text?.replace(/^.*\n|R"hip\(|\)hip"\n$/g, '')).toBe(cuda?.slice(cuda.indexOf('extern "C"')));
  });

  test('bad options are refused', () => {
    expect(() => native.createGpuMemory(options('copy', { bytes: 24 }))).toThrow('multiple of 16');
    expect(() => native.createGpuMemory(options('nothing' as never))).toThrow('gpu-memory has no kernel "nothing"');
  });
});
