/** GPU drivers and libraries through a stand-in (native/test/fake_gpu.cc): what is there, what is not, and why. */
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import { buildFakeGpu, noCompiler, noCompilerReason } from '../support/fake-gpu.ts';

const native = loadAddon();
const fake = buildFakeGpu();
afterAll(() => fake.remove());

describe.skipIf(noCompiler)(`probeGpus${noCompilerReason}`, () => {
  test('a machine without a driver', () => {
    const probe = native.probeGpus(fake.libraries('cuda', { driver: '/nowhere/libcuda.so.1' }));
    expect(probe).toMatchObject({ status: 'absent', devices: [], matmul: { status: 'absent' } });
    expect(probe.reason).toContain('/nowhere/libcuda.so.1');
    expect(probe.remedy).toContain('install its driver');
  });

  test('lists devices with what joins them to their sensors', async () => {
    const probe = await fake.told('devices=8 mig=1', () => native.probeGpus(fake.libraries('cuda')));
    expect(probe).toMatchObject({
      status: 'ok',
      driverVersion: '12.4',
      matmul: { status: 'ok', version: '12.4.5' },
      collective: { status: 'ok', version: '2.21.5' },
    });
    expect(probe.devices).toHaveLength(8);
    expect(probe.devices[1]).toMatchObject({
      index: 1,
      name: 'Fake H200',
      uuid: 'GPU-10111213-1415-1617-1819-1a1b1c1d1e1f',
      instanceUuid: 'MIG-10111213-1415-1617-1819-1a1b1c1d1eee',
      pciBusId: '0000:11:00.0',
      multiprocessors: 132,
      computeCapability: '9.0',
      clockHz: 1.98e9,
      memoryBytes: 8 * 2 ** 30,
      ecc: true,
    });
  });

  test('AMD by the same way, with its own numbers', async () => {
    const probe = await fake.told('vendor=rocm', () => native.probeGpus(fake.libraries('rocm')));
    expect(probe).toMatchObject({ status: 'ok', driverVersion: '6.3', matmul: { status: 'ok' } });
    expect(probe.devices[0]).toMatchObject({ multiprocessors: 132, computeCapability: '9.4', instanceUuid: '' });
  });

  test.each([
    ['devices=0', 'absent', 'CUDA_ERROR_NO_DEVICE (100)', '--gpus all'],
    ['fail=cuInit:34', 'broken', 'error 34', 'stub'],
    ['fail=cuInit:802', 'broken', 'CUDA_ERROR_SYSTEM_NOT_READY (802)', 'fabricmanager'],
    ['fail=cuInit:803', 'broken', 'error 803', 'reboot'],
    ['fail=cuInit:999', 'broken', 'CUDA_ERROR_UNKNOWN (999)', 'nvidia-smi'],
    ['version=11020', 'unsupported', 'version 11.2', 'Update the NVIDIA driver'],
    ['fail=cuDriverGetVersion:999', 'broken', 'cuDriverGetVersion gave', 'nvidia-smi'],
    ['fail=cuDeviceGetCount:999', 'broken', 'cuDeviceGetCount gave', 'nvidia-smi'],
    ['fail=cuDeviceGetName:999', 'broken', 'cuDeviceGetName failed', 'nvidia-smi'],
    ['fail=cuDeviceTotalMem_v2:719', 'broken', 'CUDA_ERROR_LAUNCH_FAILED', 'xid'],
  ])('%s is %s', async (orders, status, reason, remedy) => {
    const probe = await fake.told(orders, () => native.probeGpus(fake.libraries('cuda')));
    expect(probe.status).toBe(status);
    expect(probe.reason).toContain(reason);
    expect(probe.remedy).toContain(remedy);
  });

  test('what a driver may lack costs nothing but itself', () => {
    const probe = native.probeGpus(fake.libraries('cuda', { driver: fake.without('cuDeviceGetUuid_v2') }));
    expect(probe.status).toBe('ok');
    expect(probe.devices[0]?.instanceUuid).toBe('');
  });

  test('libraries that are missing, incomplete or too new for the driver', async () => {
    const absent = native.probeGpus(fake.libraries('cuda', { matmul: '/nowhere/libcublasLt.so.12' }));
    expect(absent).toMatchObject({ status: 'ok', matmul: { status: 'absent' }, collective: { status: 'ok' } });
    expect(absent.matmul.remedy).toContain('AIBENCH_CUBLASLT');
    const without = native.probeGpus(
      fake.libraries('cuda', { matmul: fake.without('cublasLtMatmul'), collective: fake.without('ncclAllReduce') }),
    );
    expect(without.matmul).toMatchObject({ status: 'unsupported' });
    expect(without.matmul.reason).toContain('has no cublasLtMatmul');
    expect(without.collective.reason).toContain('has no ncclAllReduce');
    const old = await fake.told('version=11080 lt=120405', () => native.probeGpus(fake.libraries('cuda')));
    expect(old.matmul).toMatchObject({ status: 'unsupported' });
    expect(old.matmul.reason).toContain('needs a driver for CUDA 12; this one is for CUDA 11.8');
    // A second library that fits is found after one that does not.
    const second = await fake.told('version=11080 lt=110402', () =>
      native.probeGpus({ ...fake.libraries('cuda'), matmul: [fake.without('cublasLtCreate'), fake.library] }),
    );
    expect(second.matmul).toMatchObject({ status: 'ok', version: '11.4.2' });
  });

  test('bad options are refused with a sentence', () => {
    expect(() => native.probeGpus({ vendor: 'intel' } as never)).toThrow('probeGpus wants { vendor, driver[]');
  });
});
