import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GpuDevice, GpuProbe, NativeAddon } from '../../../src/native/types.ts';
import type { CollectiveParams } from '../../../src/workloads/collectives/params.ts';
import { gpuCollectiveSupport, prepareGpuCollective } from '../../../src/workloads/gpu/collective.ts';
import { findDevices, refusal } from '../../../src/workloads/gpu/devices.ts';
import { dtypeSupport } from '../../../src/workloads/gpu/dtype-support.ts';
import { gpuGemm } from '../../../src/workloads/gpu/gemm.ts';
import { gpuMemory } from '../../../src/workloads/gpu/memory.ts';
import { gpuTimeoutSeconds, joinAmdSensors, joinSensors, slowDevice } from '../../../src/workloads/gpu/run-on-gpu.ts';

const library = { status: 'ok', reason: '', remedy: '', library: '', version: '' } as const;
const probe = (devices: number): GpuProbe => ({
  vendor: 'cuda',
  status: 'ok',
  reason: '',
  remedy: '',
  library: 'libcuda.so.1',
  driverVersion: '12.4',
  devices: Array.from({ length: devices }, (_, index) => ({ index }) as GpuDevice),
  matmul: library,
  collective: library,
  compiler: library,
});

describe('the devices of a case', () => {
  it('finds one or all, and says what there is instead', () => {
    expect(findDevices(probe(2), 1)).toEqual({ devices: [{ index: 1 }] });
    expect(findDevices(probe(2), 'all')).toMatchObject({ devices: [{ index: 0 }, { index: 1 }] });
    expect(findDevices(probe(1), 3)).toMatchObject({
      supported: false,
      reason: 'There is no GPU 3: the CUDA driver lists one, number 0.',
    });
  });

  it('what is there and fails is a failure, what is absent is not', () => {
    expect(refusal({ status: 'broken', reason: 'a', remedy: 'b' })).toMatchObject({ broken: true });
    expect(refusal({ status: 'absent', reason: 'a', remedy: 'b' })).not.toHaveProperty('broken');
    expect(refusal({ status: 'unsupported', reason: 'a', remedy: 'b' })).not.toHaveProperty('broken');
  });
});

describe('the sensors of a case', () => {
  const sensors = [
    { index: 0, uuid: 'GPU-b' },
    { index: 1, uuid: 'GPU-a' },
  ];
  it('are joined by UUID: CUDA and NVML count differently', () => {
    expect(joinSensors({ deviceUuids: 'GPU-a' }, sensors)).toBe('gpu-1');
    expect(joinSensors({ deviceUuids: 'GPU-a GPU-b' }, sensors)).toBe('gpu-1 gpu-0');
  });
  it('are none where one of the devices is not among them', () => {
    expect(joinSensors({ deviceUuids: 'GPU-a GPU-c' }, sensors)).toBe('');
    expect(joinSensors({}, sensors)).toBe('');
  });
});

describe('the sensors of an AMD case', () => {
  const sensors = [
    { token: 'gpu-amdsmi-0', pci: '0000:c1:00.0' },
    { token: 'gpu-amdsmi-1', pci: '0000:03:00.0' },
    { token: 'gpu-amdgpu-0', pci: '0000:03:00.0' },
    { token: 'gpu-amdgpu-1', pci: '0000:c1:00.0' },
    { token: 'gpu-amdsmi-2', pci: '' },
  ];
  it('are joined by PCI address: HIP, AMD SMI and the kernel count differently', () => {
    expect(joinAmdSensors({ devicePciBusIds: '0000:03:00.0' }, sensors)).toBe('gpu-amdsmi-1 gpu-amdgpu-0');
    expect(joinAmdSensors({ devicePciBusIds: '0000:C1:00.0 0000:03:00.0' }, sensors)).toBe(
      'gpu-amdsmi-0 gpu-amdgpu-1 gpu-amdsmi-1 gpu-amdgpu-0',
    );
  });
  it('are none where one of the devices has none', () => {
    expect(joinAmdSensors({ devicePciBusIds: '0000:03:00.0 0000:04:00.0' }, sensors)).toBe('');
    expect(joinAmdSensors({}, sensors)).toBe('');
  });
});

describe('dtypes that a GPU or a library lacks', () => {
  const device = (computeCapability: string) => [
    { name: 'other', computeCapability: '12.0' },
    { name: 'GPU', computeCapability },
  ];
  it.each([
    ['bf16', 'hipblaslt', '9.4', '', ''],
    ['f32', 'cublaslt', '5.2', '11.4.2', ''],
    ['f64', 'hipblaslt', '9.0', '', ''],
    ['f8e4m3', 'cublaslt', '8.9', '11.8.0', ''],
    ['mxfp8', 'cublaslt', '10.0', '12.8.1', ''],
    ['nvfp4', 'cublaslt', '12.0', '13.0.2', ''],
    ['mxfp4', 'cublaslt', '10.3', '13.0.2', ''],
    ['bf16', 'cublaslt', '7.5', '12.4.5', 'GPU (compute capability 7.5) has no bf16, which came with 8.0.'],
    ['tf32', 'cublaslt', '7.0', '12.4.5', 'GPU (compute capability 7.0) has no tf32, which came with 8.0.'],
    ['f8e5m2', 'cublaslt', '8.6', '12.4.5', 'GPU (compute capability 8.6) has no f8e5m2, which came with 8.9.'],
    ['f8e4m3', 'cublaslt', '9.0', '11.4.2', 'cuBLASLt 11.4.2 has no f8e4m3, which came with 11.8.'],
    ['mxfp8', 'cublaslt', '9.0', '13.0.2', 'GPU (compute capability 9.0) has no mxfp8, which came with 10.0.'],
    ['nvfp4', 'cublaslt', '10.0', '12.6.4', 'cuBLASLt 12.6.4 has no nvfp4, which came with 12.8.'],
    ['tf32', 'hipblaslt', '9.0', '', 'GPU (compute capability 9.0) has no tf32, which came with 9.4.'],
    ['f8e4m3', 'hipblaslt', '9.0', '', 'GPU (compute capability 9.0) has no f8e4m3, which came with 9.4.'],
    [
      'mxfp4',
      'hipblaslt',
      '9.5',
      '',
      'mxfp4 products are there for NVIDIA only: how hipBLASLt lays scales out is not confirmed.',
    ],
  ] as const)('%s by %s on %s, library %s', (dtype, backend, capability, library, reason) => {
    const support = dtypeSupport(dtype, backend, device(capability), library);
    expect(support).toMatchObject(reason === '' ? { supported: true } : { supported: false, reason });
    if (!support.supported) expect(support.remedy).toMatch(/^(Choose|Install) .*\.$/);
  });
});

describe('several GPUs', () => {
  const rank = (number: number, seconds: number) => ({ rank: number, samplesSeconds: [seconds, seconds, 9 * seconds] });
  it('names the slow one', () => {
    expect(slowDevice([rank(0, 1), rank(1, 1.25), rank(2, 1.01)])?.message).toBe(
      'GPU 1 reaches 80 % of the rate of GPU 0.',
    );
  });
  it('says nothing of a few per cent, nor of one alone', () => {
    expect(slowDevice([rank(0, 1), rank(1, 1.04)])).toBeNull();
    expect(slowDevice([rank(0, 1)])).toBeNull();
  });
});

describe('collectives', () => {
  afterEach(() => vi.unstubAllEnvs());
  const collective: CollectiveParams = {
    dtype: 'f32',
    bytes: 1024,
    ranks: 'all',
    algorithm: 'auto',
    buffers: 'shared',
    inPlace: false,
    method: 'batch',
  };

  it('take the algorithms that NCCL can be asked for, and those only', async () => {
    const refused = async (name: 'allreduce' | 'all-gather', algorithm: string) => {
      const support = await gpuCollectiveSupport(name, { ...collective, algorithm }, 'nccl');
      return support.supported ? '' : support.reason;
    };
    expect(await refused('all-gather', 'tree')).toBe(
      'nccl has no tree algorithm for all-gather that can be asked for.',
    );
    expect(await refused('allreduce', 'recursive-doubling')).toContain('no recursive-doubling algorithm');
    vi.stubEnv('OMPI_COMM_WORLD_RANK', '0');
    vi.stubEnv('OMPI_COMM_WORLD_SIZE', '2');
    expect(await refused('allreduce', 'ring')).toContain('from the environment of every rank');
  });

  it.each([
    [['a', 'b', 'a'], 'the ranks ran on 2 hosts; energy and power are those of the host of rank 0.'],
    [['a', 'a'], undefined],
  ])('in a job over the hosts %j say whose energy it is', async (hosts, message) => {
    vi.stubEnv('OMPI_COMM_WORLD_RANK', '0');
    vi.stubEnv('OMPI_COMM_WORLD_SIZE', String(hosts.length));
    const problem = { prepare: async () => {}, facts: () => ({}), dispose: () => {} };
    const native = {
      joinMpi: () => ({
        info: () => ({ ranks: hosts.map(host => ({ host, pid: 1 })) }),
        createCollective: () => problem,
      }),
    };
    const prepared = await prepareGpuCollective('allreduce', collective, 'nccl', {
      native: native as unknown as NativeAddon,
      machine: {} as never,
      seed: 1,
      timing: {} as never,
      cacheDir: '',
      signal: new AbortController().signal,
      progress: () => {},
    });
    expect(prepared.warnings.find(({ code }) => code === 'ENERGY_OF_ONE_HOST')?.message).toBe(message);
  });
});

describe('parameters', () => {
  const refused = (
    workload: { params: { safeParse(value: unknown): { error?: { issues: { message: string }[] } } } },
    value: unknown,
  ) => workload.params.safeParse(value).error?.issues[0]?.message;
  it('keeps fp8 and int8 to what libraries take', () => {
    expect(refused(gpuGemm as never, { dtype: 'f8e4m3', m: 16, n: 16, k: 24 })).toContain('multiples of 16; k is 24');
    expect(refused(gpuGemm as never, { dtype: 's8', m: 16, n: 16, k: 16, layout: 'nn' })).toContain('layout tn');
    expect(refused(gpuGemm as never, { m: 3, n: 5, k: 7 })).toBeUndefined();
  });
  it('a GPU is not its own peer', () => {
    expect(refused(gpuMemory as never, { kernel: 'peer', device: 1 })).toContain('the device itself');
    expect(refused(gpuMemory as never, { kernel: 'copy', bytes: 100 })).toContain('multiple of 16');
  });
  it('a hang costs a minute and six times what is expected', () => {
    expect(gpuTimeoutSeconds(5)).toBe(90);
  });
});
