/** OpenCL and CLBlast: through a stand-in (native/test/fake_opencl.cc) for all that can go wrong, and through PoCL where it is installed. */
import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import { callIsolated } from '../../src/native/isolated-call.ts';
import type { NativeProblem, OpenclGemmOptions, OpenclStreamOptions } from '../../src/native/types.ts';
import { buildFakeLibrary, noCompiler, noCompilerReason } from '../support/fake-library.ts';

const native = loadAddon();
const fake = buildFakeLibrary('fake_opencl', 'FAKE_OPENCL');
const FAKE = { opencl: [fake.path], clblast: [fake.path] };
const SHORT = { maxWarmupSeconds: 0, minSampleSeconds: 0, targetSeconds: 0, minSamples: 2, maxSamples: 2 };

const open: NativeProblem[] = [];
afterEach(() => {
  for (const problem of open.splice(0)) problem.dispose();
});
afterAll(() => fake.remove());

function gemm(options: Partial<OpenclGemmOptions> = {}): NativeProblem {
  const problem = native.createOpenclGemm({ dtype: 'f32', m: 33, n: 20, k: 17, seed: 5, ...FAKE, ...options });
  open.push(problem);
  return problem;
}

function stream(options: Partial<OpenclStreamOptions> = {}): NativeProblem {
  const problem = native.createOpenclStream({
    kernel: 'triad',
    bytesPerArray: 65536,
    seed: 5,
    opencl: [fake.path],
    ...options,
  });
  open.push(problem);
  return problem;
}

async function refused(orders: string, body: () => NativeProblem): Promise<unknown> {
  return fake.told(orders, async () => {
    try {
      const problem = body();
      await problem.prepare();
      return await problem.runAndVerify();
    } catch (error) {
      return error;
    }
  });
}

describe.skipIf(noCompiler)(`OpenCL through a stand-in${noCompilerReason}`, () => {
  test('lists devices, and tells software from hardware', async () => {
    const probe = await fake.told('devices=2 fp16=0', () => native.probeOpencl(FAKE));
    expect(probe).toMatchObject({ status: 'ok', library: fake.path, clblast: { status: 'ok', library: fake.path } });
    expect(probe.devices).toMatchObject([
      { index: 0, type: 'cpu', software: true, dtypes: ['f32', 'f64'] },
      {
        index: 1,
        type: 'gpu',
        software: false,
        name: 'Fake Device 1',
        platform: 'Fake Computing',
        driverVersion: '1.2.3',
        memoryBytes: 2e9,
        maxAllocationBytes: 1e9,
        computeUnits: 128,
        clockHz: 1.5e9,
        compiler: true,
      },
    ]);
  });

  test.each([
    ['platforms=0', 'absent', 'no platform', 'pocl-opencl-icd'],
    ['devices=0', 'absent', 'no device', 'clinfo'],
    ['available=0', 'absent', 'no device', 'clinfo'],
    ['fail=clGetPlatformIDs:-6', 'broken', 'clGetPlatformIDs failed: CL_OUT_OF_HOST_MEMORY (-6)', 'device'],
    ['fail=clGetDeviceIDs:-2', 'absent', 'CL_DEVICE_NOT_AVAILABLE (-2)', 'render'],
  ])('%s is %s', async (orders, status, reason, remedy) => {
    const probe = await fake.told(orders, () => native.probeOpencl(FAKE));
    expect(probe.status).toBe(status);
    expect(probe.reason).toContain(reason);
    expect(probe.remedy).toContain(remedy);
  });

  test('libraries that are not there, or lack a function', () => {
    const nowhere = native.probeOpencl({ opencl: ['libno-such-OpenCL.so.1'], clblast: ['libno-such-clblast.so.1'] });
    expect(nowhere).toMatchObject({ status: 'absent', devices: [], clblast: { status: 'absent' } });
    expect(nowhere.reason).toContain('libno-such-OpenCL.so.1');
    expect(nowhere.clblast.remedy).toContain('libclblast1');
    const old = native.probeOpencl({
      opencl: [fake.without('clEnqueueNDRangeKernel')],
      clblast: [fake.without('CLBlastHgemmWithTempBuffer')],
    });
    expect(old).toMatchObject({ status: 'unsupported', clblast: { status: 'unsupported' } });
    expect(old.reason).toContain('has no clEnqueueNDRangeKernel');
    expect(old.clblast.reason).toContain('has no CLBlastHgemmWithTempBuffer');
  });

  test('a driver that hangs or crashes costs the answer', async () => {
    const hung = await fake.told('hang=clGetPlatformIDs', () => callIsolated('probeOpencl', [FAKE], 'OpenCL', 1));
    expect(hung).toMatchObject({ status: 'failed', kind: 'hang', reason: 'OpenCL did not answer within 1 s' });
    const crashed = await fake.told('crash=clGetDeviceInfo', () => callIsolated('probeOpencl', [FAKE], 'OpenCL', 20));
    expect(crashed).toMatchObject({ status: 'failed', kind: 'crash' });
  });

  test.each(['f32', 'f64', 'f16'] as const)(
    'a product in %s is right before and after it is timed, and damage is caught',
    async dtype => {
      const problem = gemm({ dtype });
      await problem.prepare();
      expect(await problem.runAndVerify()).toMatchObject({ passed: true });
      await problem.measure(SHORT);
      expect((await problem.verify()).passed).toBe(true);
      expect(problem.work().flops).toBe(2 * 33 * 20 * 17);
      expect(problem.facts()).toMatchObject({
        device: 'opencl:0',
        platform: 'Fake Computing',
        softwareDevice: 'no',
        library: fake.path,
      });
      for (const kind of problem.faultKinds()) {
        problem.injectFault(kind);
        expect((await problem.verify()).passed, kind).toBe(false);
        expect((await problem.runAndVerify()).passed, kind).toBe(true);
      }
    },
  );

  test('products are held against what the device multiplies and adds; a probe that fails costs the limit only', async () => {
    const problem = gemm();
    await problem.prepare();
    const { device_fma_flops_per_second: rate = 0 } = await problem.measureCeilings();
    expect(rate).toBeGreaterThan(1e10);
    // The fake does 1e12 and is late at most.
    expect(rate).toBeLessThan(1e12);
    expect((await problem.runAndVerify()).passed).toBe(true);
    await fake.told('fail=clBuildProgram:-11', async () => {
      const second = gemm();
      await second.prepare();
      expect(await second.measureCeilings()).toEqual({});
      expect(second.facts().noLimit).toMatch(
        /the probe of multiply-adds failed: clBuildProgram .*the fake does not like this/,
      );
    });
    expect(stream().facts().noLimit).toContain('the probe of the device');
  });

  test.each(['product', 'unwritten'])('a device whose product is wrong (%s) is found out', async wrong => {
    expect(await refused(`wrong=${wrong}`, () => gemm())).toMatchObject({ passed: false });
  });

  test('the time is that of the work, not of the calls that ask for it', async () => {
    const work = 0.02;
    await fake.told(`slow=${work}`, async () => {
      const problem = gemm();
      await problem.prepare();
      await problem.runAndVerify();
      const { samplesSeconds, iterationsPerSample } = await problem.measure(SHORT);
      expect(Math.min(...samplesSeconds)).toBeGreaterThanOrEqual(work * iterationsPerSample);
    });
  });

  test.each(['copy', 'scale', 'add', 'triad'] as const)(
    '%s is exact, counts its bytes, and damage is caught',
    async kernel => {
      const problem = stream({ kernel });
      await problem.prepare();
      expect(await problem.runAndVerify()).toMatchObject({ passed: true, method: 'bit for bit', tolerance: 0 });
      expect(problem.work().bytes).toBe(65536 * (kernel === 'copy' || kernel === 'scale' ? 2 : 3));
      for (const kind of problem.faultKinds()) {
        problem.injectFault(kind);
        expect(await problem.verify(), kind).toMatchObject({ passed: false, error: 1 });
        expect((await problem.runAndVerify()).passed, kind).toBe(true);
      }
    },
  );

  test.each([
    ['wrong=copy', { passed: false, error: 1 }],
    [
      'fail=clBuildProgram:-11',
      { code: 'OPENCL_FAILED', message: expect.stringContaining('the fake does not like this') },
    ],
    ['fail=clCreateKernel:-46', { message: expect.stringContaining('CL_INVALID_KERNEL_NAME') }],
    ['fail=clSetKernelArg:-51', { message: expect.stringContaining('clSetKernelArg') }],
    ['fail=clEnqueueNDRangeKernel:-54', { message: expect.stringContaining('CL_INVALID_WORK_GROUP_SIZE') }],
    [
      'fail=clEnqueueReadBuffer:-5',
      { message: expect.stringContaining('clEnqueueReadBuffer failed: CL_OUT_OF_RESOURCES (-5)') },
    ],
    ['compiler=0', { code: 'DEVICE_UNSUPPORTED' }],
    ['largest=1000', { code: 'OUT_OF_MEMORY', message: expect.stringContaining('at most 0.00 GiB in one buffer') }],
  ])('a stream with %s', async (orders, outcome) => {
    expect(await refused(orders, () => stream())).toMatchObject(outcome);
  });

  test.each([
    ['fail=clCreateContext:-2', { code: 'OPENCL_FAILED', message: expect.stringContaining('clCreateContext') }],
    ['fail=clCreateCommandQueue:-35', { code: 'OPENCL_FAILED' }],
    ['fail=clCreateBuffer:-4', { code: 'OUT_OF_MEMORY' }],
    ['fail=clEnqueueWriteBuffer:-5', { code: 'OPENCL_FAILED' }],
    ['fail=CLBlastSGemmTempBufferSize:-2041', { code: 'CLBLAST_FAILED', message: expect.stringContaining('-2041') }],
    ['fail=CLBlastSgemmWithTempBuffer:-2046', { message: expect.stringContaining('local memory') }],
    ['fail=clFinish:-5', { code: 'OPENCL_FAILED', message: expect.stringContaining('clFinish') }],
    ['memory=1000', { code: 'OUT_OF_MEMORY' }],
    ['compiler=0', { code: 'DEVICE_UNSUPPORTED' }],
  ])('a product with %s', async (orders, outcome) => {
    expect(await refused(orders, () => gemm())).toMatchObject(outcome);
  });

  test('what the device lacks is refused at once', async () => {
    expect(await refused('fp16=0', () => gemm({ dtype: 'f16' }))).toMatchObject({
      code: 'DTYPE_UNSUPPORTED',
      message: expect.stringContaining('cl_khr_fp16'),
    });
    expect(await refused('fp64=0', () => gemm({ dtype: 'f64' }))).toMatchObject({ code: 'DTYPE_UNSUPPORTED' });
    expect(await refused('', () => gemm({ device: 7 }))).toMatchObject({
      code: 'DEVICE_UNKNOWN',
      message: expect.stringContaining('opencl:7'),
    });
  });
});

const libraries = { opencl: ['libOpenCL.so.1'], clblast: ['libclblast.so.1'] };
const pocl = await (async () => {
  const answer = await callIsolated('probeOpencl', [libraries], 'OpenCL', 60);
  if (answer.status !== 'ok') return answer.reason;
  if (answer.value.status !== 'ok') return answer.value.reason;
  if (!answer.value.devices.some(({ software }) => software))
    return 'no device of PoCL; Debian: apt-get install pocl-opencl-icd';
  return answer.value.clblast.status === 'ok' ? '' : answer.value.clblast.reason;
})();

describe.skipIf(pocl !== '')(`OpenCL through PoCL${pocl === '' ? '' : ` (skipped: ${pocl})`}`, () => {
  test('bandwidth: every kernel is exact', async () => {
    for (const kernel of ['copy', 'scale', 'add', 'triad'] as const) {
      const problem = stream({ kernel, bytesPerArray: 1 << 20, opencl: libraries.opencl });
      await problem.prepare();
      await problem.measure(SHORT);
      expect((await problem.verify()).passed, kernel).toBe(true);
      expect(problem.facts().softwareDevice).toBe('yes');
    }
  }, 60_000);

  // PoCL compiles CLBlast's kernels for about 12 s of CPU time when it has no cache of them: one dtype, one shape.
  test("CLBlast's product is right; its event leaves out all but the last kernel, the host's clock does not", async () => {
    const problem = gemm({ m: 1024, n: 1024, k: 1024, ...libraries });
    await problem.prepare();
    expect((await problem.runAndVerify()).passed).toBe(true);
    const { samplesSeconds, iterationsPerSample } = await problem.measure(SHORT);
    expect((await problem.verify()).passed).toBe(true);
    problem.injectFault('sign');
    expect((await problem.verify()).passed).toBe(false);

    const program = path.join(packageRoot, `build-native-${process.platform}-${process.arch}`, 'test', 'opencl_events');
    const { stdout, stderr, status } = spawnSync(program, { encoding: 'utf8', timeout: 120_000 });
    expect(status, stderr).toBe(0);
    const { wallSeconds, eventSeconds } = JSON.parse(stdout) as { wallSeconds: number; eventSeconds: number };
    // The product is a thousand times the work of the copy that the event covers: a rate from the event would be absurd.
    expect(eventSeconds).toBeLessThan(wallSeconds / 4);
    // What was measured is of the wall's size, whatever else this machine does meanwhile.
    expect(Math.min(...samplesSeconds) / iterationsPerSample).toBeGreaterThan(4 * eventSeconds);
  }, 300_000);
});
