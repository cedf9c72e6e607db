/** The adapter behind a device, by its own name: ONNX Runtime names none, and WebGPU takes a software renderer without a word. */
import { existsSync } from 'node:fs';
import { callIsolated } from '../../native/isolated-call.ts';
import type { VulkanAdapter } from '../../native/types.ts';
import { gpuPatienceSeconds, probeGpu } from '../gpu/devices.ts';
import type { Device } from './device.ts';

export type AdapterLookup =
  /** `name` null: this system does not tell. */
  { status: 'ok'; name: string | null; software: boolean } | { status: 'absent'; reason: string; remedy: string };

/** Device files of Linux without which there is no GPU to be had: DRM, NVIDIA, WSL. */
const DEVICE_FILES = ['/dev/dri', '/dev/nvidiactl', '/dev/dxg'];
/** VkPhysicalDeviceType in the order in which Dawn takes adapters for speed, which is what ONNX Runtime asks for. */
const RANK: Record<VulkanAdapter['kind'], number> = { discrete: 0, integrated: 1, virtual: 2, cpu: 3, other: 4 };

/** Whether there is a device file of a GPU at all; true where that cannot be told so. Opens nothing. */
export function mayHaveGpu(platform: NodeJS.Platform = process.platform, exists = existsSync): boolean {
  return platform !== 'linux' || DEVICE_FILES.some(file => exists(file));
}

/** Loads drivers in a process of its own: one that crashes or hangs costs the answer, not the case. */
export async function findAdapter(device: Exclude<Device, 'auto'>): Promise<AdapterLookup> {
  if (device === 'cuda' || device === 'tensorrt') {
    const probe = await probeGpu('cuda');
    const [first] = probe.devices;
    return probe.status === 'ok' && first !== undefined
      ? { status: 'ok', name: first.name, software: false }
      : { status: 'absent', reason: probe.reason, remedy: probe.remedy };
  }
  if (device !== 'webgpu' || process.platform !== 'linux') return { status: 'ok', name: null, software: false };
  const answer = await callIsolated('probeVulkan', [], 'the Vulkan drivers', gpuPatienceSeconds());
  return answer.status === 'ok' ? chooseVulkan(answer.value) : { ...answer, status: 'absent' };
}

/** Pure: the adapter that WebGPU takes, or all of them that it may take. */
export function chooseVulkan(adapters: readonly VulkanAdapter[]): AdapterLookup {
  const best = Math.min(...adapters.map(({ kind }) => RANK[kind]));
  const taken = adapters.filter(({ kind }) => RANK[kind] === best);
  return {
    status: 'ok',
    name: [...new Set(taken.map(({ name }) => name))].join(' or '),
    software: taken.every(isSoftware),
  };
}

function isSoftware({ name, kind }: VulkanAdapter): boolean {
  return kind === 'cpu' || /llvmpipe|lavapipe|swiftshader/i.test(name);
}
