import { describe, expect, it } from 'vitest';
import { chooseVulkan, mayHaveGpu } from '../../../../src/workloads/inference/adapter.ts';
import { chooseDevice, type DeviceProbes } from '../../../../src/workloads/inference/choose-device.ts';
import type { Device } from '../../../../src/workloads/inference/device.ts';

/** A machine with every provider; `broken` is what an attempt says. */
function probes(overrides: Partial<DeviceProbes> = {}): DeviceProbes & { attempts: Device[] } {
  const attempts: Device[] = [];
  return {
    support: () => ({ supported: true }),
    mayHaveGpu: () => true,
    adapter: async device => ({ status: 'ok', name: `a ${device} card`, software: false }),
    ...overrides,
    attempts,
    attempt: async device => {
      attempts.push(device);
      return (await overrides.attempt?.(device)) ?? null;
    },
  };
}

describe('chooseDevice', () => {
  it('takes the best that works, and names its adapter', async () => {
    const all = probes();
    expect(await chooseDevice('auto', all)).toEqual({
      device: 'cuda',
      facts: { device: 'cuda', adapter: 'a cuda card', softwareAdapter: false, devicesNotTaken: null },
      warnings: [],
    });
    expect(all.attempts).toEqual(['cuda']);
  });

  it('goes on where a device is not installed, does not open or leaves nodes behind, and keeps each reason', async () => {
    const machine = probes({
      support: device =>
        device === 'coreml' ? { supported: false, reason: 'No coreml here.', remedy: '' } : { supported: true },
      attempt: async device => (device === 'cuda' ? '3 nodes ran on the CPU.' : null),
    });
    expect((await chooseDevice('auto', machine)).facts).toEqual({
      device: 'webgpu',
      adapter: 'a webgpu card',
      softwareAdapter: false,
      devicesNotTaken: 'cuda: 3 nodes ran on the CPU. coreml: No coreml here.',
    });
  });

  it('ends at the CPU, without a driver loaded where there is no device file of a GPU', async () => {
    const none = probes({ mayHaveGpu: () => false });
    const { device, facts } = await chooseDevice('auto', none);
    expect(device).toBe('cpu');
    expect(facts.devicesNotTaken).toBe(
      ['cuda', 'coreml', 'webgpu'].map(name => `${name}: There is no device file of a GPU.`).join(' '),
    );
    expect(none.attempts).toEqual([]);
  });

  it('does not take a software adapter by itself; one that is asked for is marked', async () => {
    const adapter: DeviceProbes['adapter'] = async device =>
      device === 'webgpu'
        ? { status: 'ok', name: 'llvmpipe', software: true }
        : { status: 'absent', reason: 'No driver.', remedy: '' };
    expect((await chooseDevice('auto', probes({ adapter }))).facts).toMatchObject({
      device: 'cpu',
      devicesNotTaken: expect.stringContaining('webgpu: llvmpipe is a software adapter'),
    });
    const asked = await chooseDevice('webgpu', probes({ adapter }));
    expect(asked.facts).toMatchObject({ device: 'webgpu', adapter: 'llvmpipe', softwareAdapter: true });
    expect(asked.warnings).toMatchObject([{ code: 'SOFTWARE_ADAPTER' }]);
  });

  it('a device that is asked for is never replaced', async () => {
    const machine = probes({ attempt: async () => 'broken' });
    expect((await chooseDevice('cuda', machine)).device).toBe('cuda');
    expect(machine.attempts).toEqual([]);
    const silent = probes({ adapter: async () => ({ status: 'absent', reason: 'No loader.', remedy: 'Install it.' }) });
    const { facts, warnings } = await chooseDevice('webgpu', silent);
    expect(facts).toMatchObject({ device: 'webgpu', adapter: null });
    expect(warnings).toMatchObject([{ code: 'ADAPTER_UNKNOWN', remedy: 'Install it.' }]);
  });
});

describe('chooseVulkan', () => {
  it('names the adapter that WebGPU takes for speed, or all of one kind', () => {
    const cpu = { name: 'llvmpipe (LLVM 15)', kind: 'cpu' } as const;
    const small = { name: 'Integrated', kind: 'integrated' } as const;
    const one = { name: 'Card A', kind: 'discrete' } as const;
    const two = { name: 'Card B', kind: 'discrete' } as const;
    expect(chooseVulkan([cpu, small])).toEqual({ status: 'ok', name: 'Integrated', software: false });
    expect(chooseVulkan([small, one, cpu])).toMatchObject({ name: 'Card A' });
    expect(chooseVulkan([two, one, two])).toMatchObject({ name: 'Card B or Card A' });
    expect(chooseVulkan([cpu])).toEqual({ status: 'ok', name: 'llvmpipe (LLVM 15)', software: true });
    expect(chooseVulkan([{ name: 'SwiftShader Device', kind: 'other' }])).toMatchObject({ software: true });
  });
});

describe('mayHaveGpu', () => {
  it('looks at device files on Linux only', () => {
    expect(mayHaveGpu('linux', () => false)).toBe(false);
    expect(mayHaveGpu('linux', file => file === '/dev/dri')).toBe(true);
    expect(mayHaveGpu('darwin', () => false)).toBe(true);
  });
});
