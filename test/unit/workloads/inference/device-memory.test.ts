import { describe, expect, it } from 'vitest';
import type { NvmlDevice, NvmlProbe } from '../../../../src/native/types.ts';
import { deviceMemoryFact, deviceMemoryInUse } from '../../../../src/workloads/inference/device-memory.ts';

const gpu = (uuid: string, memoryUsedBytes: number, extra: Partial<NvmlDevice> = {}): NvmlDevice => ({
  index: 0,
  name: 'Fake GPU',
  uuid,
  memoryBytes: 2 ** 34,
  memoryUsedBytes,
  quantities: {},
  powerLimitWatts: 300,
  migEnabled: false,
  vgpu: false,
  ...extra,
});

function probes(devices: NvmlDevice[], uuid = 'GPU-b') {
  const nvml: NvmlProbe = { status: 'ok', library: 'l', driverVersion: '1', devices };
  return { nvml: async () => nvml, gpuUuid: async () => uuid };
}

describe('deviceMemoryInUse', () => {
  it('is that of the GPU that sessions run on, whatever NVML’s order is', async () => {
    const two = [gpu('GPU-a', 7e9), gpu('GPU-b', 3e9)];
    expect(await deviceMemoryInUse('cuda', probes(two))).toBe(3e9);
    expect(await deviceMemoryInUse('tensorrt', probes(two, 'GPU-a'))).toBe(7e9);
  });

  it.each([
    ['not CUDA’s', 'webgpu', probes([gpu('GPU-b', 1)])],
    ['another GPU', 'cuda', probes([gpu('GPU-a', 1)])],
    ['a GPU without a name', 'cuda', probes([gpu('', 1)], '')],
    ['a MIG instance', 'cuda', probes([gpu('GPU-b', 1, { migEnabled: true })])],
    ['a vGPU', 'cuda', probes([gpu('GPU-b', 1, { vgpu: true })])],
    ['a device that does not say', 'cuda', probes([gpu('GPU-b', Number.NaN)])],
    [
      'no NVML',
      'cuda',
      {
        ...probes([]),
        nvml: async (): Promise<NvmlProbe> => ({ status: 'absent', reason: 'r', remedy: 'm' }),
      },
    ],
  ] as const)('is not known of %s', async (_name, device, fakes) => {
    expect(await deviceMemoryInUse(device, fakes)).toBeNull();
  });

  it('makes a fact only of two readings, and never less than nothing', () => {
    expect(deviceMemoryFact(1e9, 3e9)).toEqual({ deviceMemoryBytes: 2e9 });
    // Another process gave memory back.
    expect(deviceMemoryFact(3e9, 1e9)).toEqual({ deviceMemoryBytes: 0 });
    expect(deviceMemoryFact(null, 1e9)).toEqual({});
    expect(deviceMemoryFact(1e9, null)).toEqual({});
  });
});
