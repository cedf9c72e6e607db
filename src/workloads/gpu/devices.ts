/**
 * The GPUs of this machine. They are looked for in a process of its own with a time limit (a broken driver hangs or crashes),
 * once per process and vendor.
 */
import { callIsolated } from '../../native/isolated-call.ts';
import {
  GPU_VENDORS,
  type GpuDevice,
  type GpuLibraries,
  type GpuLibraryState,
  type GpuProbe,
  type GpuVendor,
} from '../../native/types.ts';
import { gpuLibraries } from '../../runtime/gpu-libraries.ts';
import type { Support } from '../workload.ts';

export const VENDOR_NAMES: Record<GpuVendor, string> = { cuda: 'the CUDA driver', rocm: 'the HIP runtime' };

/** A driver that has not answered after so long hangs. Loading cuBLASLt (700 MB) from a cold network drive takes tens of seconds. */
const PATIENCE_SECONDS = 60;

/** AIBENCH_GPU_PATIENCE overrides it, seconds. */
export function gpuPatienceSeconds(environment: NodeJS.ProcessEnv = process.env): number {
  const wanted = Number(environment.AIBENCH_GPU_PATIENCE);
  return Number.isFinite(wanted) && wanted > 0 ? wanted : PATIENCE_SECONDS;
}

const probes = new Map<GpuVendor, Promise<GpuProbe>>();

/** What there is of a vendor. Never rejects; a hang or a crash is status `broken`. */
export function probeGpu(vendor: GpuVendor): Promise<GpuProbe> {
  const known = probes.get(vendor);
  if (known !== undefined) return known;
  const probe = ask(vendor);
  probes.set(vendor, probe);
  return probe;
}

/** Where the libraries of each vendor may be on this host. */
export function allGpuLibraries(): GpuLibraries[] {
  return GPU_VENDORS.map(vendor => gpuLibraries(vendor));
}

export function probeAllGpus(): Promise<GpuProbe[]> {
  return Promise.all(GPU_VENDORS.map(probeGpu));
}

async function ask(vendor: GpuVendor): Promise<GpuProbe> {
  const answer = await callIsolated('probeGpus', [gpuLibraries(vendor)], VENDOR_NAMES[vendor], gpuPatienceSeconds());
  if (answer.status === 'ok') return answer.value;
  const { reason, remedy } = answer;
  const library: GpuLibraryState = { status: 'broken', reason, remedy, library: '', version: '' };
  return {
    vendor,
    status: 'broken',
    reason,
    remedy,
    library: '',
    driverVersion: '',
    devices: [],
    matmul: library,
    collective: library,
    compiler: library,
  };
}

/** The devices that `device` names, or why a case on them cannot run. */
export function findDevices(probe: GpuProbe, device: number | 'all'): { devices: GpuDevice[] } | Refusal {
  if (probe.status !== 'ok') return refusal(probe);
  if (device === 'all') return { devices: probe.devices };
  const found = probe.devices[device];
  if (found !== undefined) return { devices: [found] };
  const count = probe.devices.length;
  return {
    supported: false,
    reason: `There is no GPU ${device}: ${VENDOR_NAMES[probe.vendor]} lists ${count === 1 ? 'one, number 0' : `${count}, numbers 0 to ${count - 1}`}.`,
    remedy: 'See `aibench list devices`.',
  };
}

type Refusal = Extract<Support, { supported: false }>;

/** What is there but fails is a failure of the case; what is not there is a case that cannot run. */
export function refusal({ status, reason, remedy }: Pick<GpuLibraryState, 'status' | 'reason' | 'remedy'>): Refusal {
  return { supported: false, reason, remedy, ...(status === 'broken' ? { broken: true } : {}) };
}
