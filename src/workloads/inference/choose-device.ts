/**
 * Which device a case runs on. `auto` takes the first of CUDA, Core ML and WebGPU that opens this very model and runs every node of it,
 * by the proof of a profiled session, and else the CPU; why the others were not taken is in the record.
 */
import type { Warning } from '../../results/schema.ts';
import type { Support } from '../workload.ts';
import type { AdapterLookup } from './adapter.ts';
import type { Device } from './device.ts';

type NamedDevice = Exclude<Device, 'auto'>;

/** Best first. TensorRT is not among them: it builds an engine for minutes, so it is taken by name only. */
export const AUTO_DEVICES: readonly NamedDevice[] = ['cuda', 'coreml', 'webgpu', 'cpu'];

export interface DeviceProbes {
  /** By what is installed; opens nothing. */
  support(device: NamedDevice): Support;
  mayHaveGpu(): boolean;
  adapter(device: NamedDevice): Promise<AdapterLookup>;
  /** Runs the model there and gives what speaks against it, or null. */
  attempt(device: NamedDevice): Promise<string | null>;
}

export interface DeviceChoice {
  device: NamedDevice;
  facts: { device: NamedDevice; adapter: string | null; softwareAdapter: boolean; devicesNotTaken: string | null };
  warnings: Warning[];
}

export async function chooseDevice(asked: Device, probes: DeviceProbes): Promise<DeviceChoice> {
  if (asked !== 'auto') {
    const adapter = asked === 'cpu' ? null : await probes.adapter(asked);
    return choice(asked, adapter, null);
  }
  const notTaken: string[] = [];
  for (const device of AUTO_DEVICES) {
    if (device === 'cpu') break;
    const found = await consider(device, probes);
    if (typeof found !== 'string') return choice(device, found, notTaken);
    notTaken.push(`${device}: ${found}`);
  }
  return choice('cpu', null, notTaken);
}

/** The adapter, or why the device is not taken. */
async function consider(device: NamedDevice, probes: DeviceProbes): Promise<AdapterLookup | string> {
  const support = probes.support(device);
  if (!support.supported) return support.reason;
  if (!probes.mayHaveGpu()) return 'There is no device file of a GPU.';
  const adapter = await probes.adapter(device);
  if (adapter.status === 'absent') return adapter.reason;
  if (adapter.software) return `${adapter.name} is a software adapter, which is no faster than the CPU it runs on.`;
  return (await probes.attempt(device)) ?? adapter;
}

function choice(device: NamedDevice, adapter: AdapterLookup | null, notTaken: readonly string[] | null): DeviceChoice {
  const known = adapter?.status === 'ok' ? adapter : { name: null, software: false };
  return {
    device,
    facts: {
      device,
      adapter: known.name,
      softwareAdapter: known.software,
      devicesNotTaken: notTaken === null || notTaken.length === 0 ? null : notTaken.join(' '),
    },
    warnings: [
      ...(known.software ? [softwareAdapter(device, known.name)] : []),
      ...(adapter?.status === 'absent' ? [unknownAdapter(device, adapter)] : []),
    ],
  };
}

function unknownAdapter(device: NamedDevice, { reason, remedy }: { reason: string; remedy: string }): Warning {
  return {
    code: 'ADAPTER_UNKNOWN',
    message: `On which adapter ${device} ran is not known, not even whether it is a software one: ${reason}`,
    remedy,
  };
}

function softwareAdapter(device: NamedDevice, name: string | null): Warning {
  return {
    code: 'SOFTWARE_ADAPTER',
    message: `${device} ran on ${name}, a software adapter: the number is of the CPU.`,
    remedy: 'Install the GPU’s own Vulkan driver, or unset VK_DRIVER_FILES.',
  };
}
