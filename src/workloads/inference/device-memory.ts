/**
 * How much of a GPU's memory a session takes: what is in use on the device after its first inference, less what was before it was loaded, by
 * NVML's count over all processes. It holds CUDA's context and the arena that ONNX Runtime keeps; whatever another process takes or gives back
 * meanwhile is in it too.
 */
import { callIsolated } from '../../native/isolated-call.ts';
import { nvmlLibraries } from '../../native/nvml-libraries.ts';
import { NVML_PATIENCE_SECONDS } from '../../native/nvml-probe.ts';
import type { NvmlProbe } from '../../native/types.ts';
import { probeGpu } from '../gpu/devices.ts';
import type { Device } from './device.ts';

export interface DeviceMemoryProbes {
  /** Asks NVML anew each time. */
  nvml(): Promise<NvmlProbe>;
  /** UUID of the GPU that sessions run on, CUDA's first; empty where it is not known. */
  gpuUuid(): Promise<string>;
}

const SYSTEM: DeviceMemoryProbes = {
  // In a process of its own: a driver may hang, and the launch's own process shall not hold NVML open.
  nvml: async () => {
    const answer = await callIsolated('probeNvml', [nvmlLibraries()], 'NVML', NVML_PATIENCE_SECONDS);
    return answer.status === 'ok'
      ? answer.value
      : { status: 'unsupported', reason: answer.reason, remedy: answer.remedy };
  },
  gpuUuid: async () => (await probeGpu('cuda')).devices[0]?.uuid ?? '',
};

/** Bytes in use on the device that `device` means, or null where nobody says: not CUDA's, a MIG instance, no NVML. */
export async function deviceMemoryInUse(
  device: Exclude<Device, 'auto'>,
  probes: DeviceMemoryProbes = SYSTEM,
): Promise<number | null> {
  if (device !== 'cuda' && device !== 'tensorrt') return null;
  const [nvml, uuid] = await Promise.all([probes.nvml(), probes.gpuUuid()]);
  if (nvml.status !== 'ok' || uuid === '') return null;
  const found = nvml.devices.find(row => row.uuid === uuid);
  // The whole GPU's count says nothing of an instance or a share of it.
  if (found === undefined || found.migEnabled || found.vgpu || Number.isNaN(found.memoryUsedBytes)) return null;
  return found.memoryUsedBytes;
}

/** For the record: what the session took, or nothing where it is not known. */
export function deviceMemoryFact(before: number | null, after: number | null): { deviceMemoryBytes?: number } {
  return before === null || after === null ? {} : { deviceMemoryBytes: Math.max(0, after - before) };
}
