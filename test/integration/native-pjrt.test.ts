/** PJRT through a stand-in (native/test/fake_pjrt.cc) that truly computes what it is sent, and can be told to fail in every way. */
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import { callIsolated } from '../../src/native/isolated-call.ts';
import type { NativeProblem, PjrtAllReduceOptions, PjrtGemmOptions } from '../../src/native/types.ts';
import { buildFakeLibrary, noCompiler, noCompilerReason } from '../support/fake-library.ts';

const native = loadAddon();
const fake = buildFakeLibrary('fake_pjrt', 'FAKE_PJRT');
const SHORT = { maxWarmupSeconds: 0, minSampleSeconds: 0, targetSeconds: 0, minSamples: 2, maxSamples: 2 };
const DTYPES = ['f64', 'f32', 'f16', 'bf16'] as const;

const open: NativeProblem[] = [];
afterEach(() => {
  for (const problem of open.splice(0)) problem.dispose();
});
afterAll(() => fake.remove());

let copies = 0;
/** A plugin stays open in a process with what it claimed first: one that claims something else is another file. */
function anotherCopy(): string {
  copies += 1;
  return fake.copy(`plugin-${copies}`);
}

function gemm(options: Partial<PjrtGemmOptions> = {}): NativeProblem {
  const problem = native.createPjrtGemm({ dtype: 'f32', m: 33, n: 20, k: 17, seed: 5, plugin: fake.path, ...options });
  open.push(problem);
  return problem;
}

function allReduce(options: Partial<PjrtAllReduceOptions> = {}): NativeProblem {
  const problem = native.createPjrtAllReduce({ dtype: 'f32', bytes: 4096, seed: 5, plugin: fake.path, ...options });
  open.push(problem);
  return problem;
}

async function outcome(orders: string, body: () => NativeProblem): Promise<unknown> {
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

describe.skipIf(noCompiler)(`PJRT through a stand-in${noCompilerReason}`, () => {
  test('lists devices', async () => {
    const probe = await fake.told('devices=4', () => native.probePjrt(fake.path));
    expect(probe).toMatchObject({
      status: 'ok',
      version: '0.81',
      platform: 'fake',
      platformVersion: 'fake 1.2',
      library: fake.path,
    });
    expect(probe.devices).toHaveLength(4);
    expect(probe.devices[3]).toEqual({ index: 3, name: 'Fake TPU v9', memoryBytes: 1e9 });
  });

  test.each([
    ['major=1', 'unsupported', 'speaks PJRT 1.81'],
    ['minor=12', 'unsupported', 'speaks PJRT 0.12'],
    ['functions=55', 'unsupported', 'has no PJRT_LoadedExecutable_Execute'],
    ['null=PJRT_Event_Await', 'unsupported', 'has no PJRT_Event_Await'],
    ['null=PJRT_Client_BufferFromHostBuffer', 'unsupported', 'has no PJRT_Client_BufferFromHostBuffer'],
    [
      'fail=PJRT_Plugin_Initialize:13',
      'broken',
      'PJRT_Plugin_Initialize failed: the fake was told to fail with 13 (PJRT',
    ],
    ['fail=PJRT_Client_Create:13', 'broken', 'PJRT_Client_Create failed'],
    ['fail=PJRT_Client_AddressableDevices:13', 'broken', 'PJRT_Client_AddressableDevices failed'],
    ['fail=PJRT_DeviceDescription_Kind:13', 'broken', 'PJRT_DeviceDescription_Kind failed'],
    ['devices=0', 'absent', 'lists no device'],
  ])('%s is %s', async (orders, status, reason) => {
    const probe = await fake.told(orders, () => native.probePjrt(anotherCopy()));
    expect(probe).toMatchObject({ status, devices: [], reason: expect.stringContaining(reason) });
    expect(probe.remedy).not.toBe('');
  });

  test('an older plugin with what is needed, and one without statistics of memory, are good', async () => {
    expect(await fake.told('minor=33 functions=71', () => native.probePjrt(anotherCopy()))).toMatchObject({
      status: 'ok',
      version: '0.33',
    });
    for (const orders of ['null=PJRT_Device_MemoryStats', 'fail=PJRT_Device_MemoryStats:12']) {
      const probe = await fake.told(orders, () => native.probePjrt(anotherCopy()));
      expect(probe.devices).toEqual([{ index: 0, name: 'Fake TPU v9', memoryBytes: null }]);
    }
  });

  test('a file that is not there, and a library that is no plugin', () => {
    expect(native.probePjrt('/nowhere/libtpu.so')).toMatchObject({
      status: 'absent',
      remedy: expect.stringContaining('AIBENCH_PJRT_PLUGIN'),
    });
    expect(native.probePjrt(fake.without('GetPjrtApi'))).toMatchObject({
      status: 'unsupported',
      reason: expect.stringContaining('no GetPjrtApi'),
    });
  });

  test('a plugin that hangs or crashes costs the answer', async () => {
    const hung = await fake.told('hang=PJRT_Client_Create', () =>
      callIsolated('probePjrt', [fake.path], 'the plugin', 1),
    );
    expect(hung).toMatchObject({ status: 'failed', kind: 'hang' });
    const crashed = await fake.told('crash=PJRT_Client_Create', () =>
      callIsolated('probePjrt', [fake.path], 'the plugin', 20),
    );
    expect(crashed).toMatchObject({ status: 'failed', kind: 'crash' });
  });

  test.each(DTYPES)('a product in %s is right before and after it is timed, and damage is caught', async dtype => {
    const problem = gemm({ dtype });
    await problem.prepare();
    expect(await problem.runAndVerify()).toMatchObject({ passed: true });
    // More than are kept in flight.
    await problem.measure({ ...SHORT, minSamples: 9, maxSamples: 9 });
    expect((await problem.verify()).passed).toBe(true);
    expect(problem.facts()).toMatchObject({ device: 'pjrt:0', deviceName: 'Fake TPU v9', pjrtVersion: '0.81' });
    for (const kind of problem.faultKinds()) {
      problem.injectFault(kind);
      expect((await problem.verify()).passed, kind).toBe(false);
      expect((await problem.runAndVerify()).passed, kind).toBe(true);
    }
  });

  test.each(DTYPES)('an all-reduce in %s over three devices is exact, and damage is caught', async dtype => {
    await fake.told('devices=3', async () => {
      const problem = allReduce({ dtype });
      await problem.prepare();
      expect(await problem.runAndVerify()).toMatchObject({ passed: true, method: 'bit for bit', tolerance: 0 });
      await problem.measure(SHORT);
      expect((await problem.verify()).passed).toBe(true);
      expect(problem.facts()).toMatchObject({ device: 'pjrt:all', ranks: '3' });
      expect(Number(problem.facts().busFactor)).toBeCloseTo(4 / 3, 5);
      expect(problem.work().bytes).toBe(4096);
      for (const kind of problem.faultKinds()) {
        problem.injectFault(kind);
        expect((await problem.verify()).passed, kind).toBe(false);
        expect((await problem.runAndVerify()).passed, kind).toBe(true);
      }
    });
  });

  test('a call that returns early is not what is timed', async () => {
    const work = 0.02;
    await fake.told(`slow=${work}`, async () => {
      const problem = gemm();
      await problem.prepare();
      await problem.runAndVerify();
      const { samplesSeconds, iterationsPerSample } = await problem.measure(SHORT);
      expect(Math.min(...samplesSeconds)).toBeGreaterThanOrEqual(work * iterationsPerSample);
    });
  });

  test.each([
    ['wrong=product', { passed: false }],
    ['wrong=unwritten', { passed: false }],
    ['noevents=1', { code: 'PJRT_FAILED', message: expect.stringContaining('gave no event') }],
    [
      'fail=PJRT_Client_Compile:3',
      { code: 'PJRT_FAILED', message: expect.stringContaining('PJRT_Client_Compile failed') },
    ],
    [
      'fail=PJRT_Client_Compile:12',
      { code: 'DTYPE_UNSUPPORTED', message: expect.stringContaining('PJRT_Client_Compile failed') },
    ],
    [
      'fail=PJRT_Client_BufferFromHostBuffer:8',
      { code: 'OUT_OF_MEMORY', message: expect.stringContaining('the fake is full') },
    ],
    ['fail=PJRT_LoadedExecutable_Execute:13', { code: 'PJRT_FAILED' }],
    ['fail=PJRT_Event_Await:13', { code: 'PJRT_FAILED', message: expect.stringContaining('PJRT_Event_Await') }],
    [
      'fail=PJRT_Buffer_ToHostBuffer:13',
      { code: 'PJRT_FAILED', message: expect.stringContaining('PJRT_Buffer_ToHostBuffer') },
    ],
    ['memory=2000', { code: 'OUT_OF_MEMORY' }],
  ])('a product with %s', async (orders, expected) => {
    expect(await outcome(orders, () => gemm())).toMatchObject(expected);
  });

  test('an all-reduce that leaves out a device is found out; one device is refused', async () => {
    expect(await outcome('devices=3 wrong=skip', () => allReduce())).toMatchObject({ passed: false });
    expect(await outcome('devices=1', () => allReduce())).toMatchObject({ code: 'DEVICE_UNSUPPORTED' });
    expect(await outcome('devices=2', () => gemm({ device: 5 }))).toMatchObject({
      code: 'DEVICE_UNKNOWN',
      message: expect.stringContaining('pjrt:5'),
    });
  });
});
