/** What all work on GPUs shares: the device in a case's words, whether it can run, the join with the sensors, the timeouts. */
import { z } from 'zod';
import { tryLoadAddon } from '../../native/addon.ts';
import { amdSmiLibraries } from '../../native/amd-smi-libraries.ts';
import { nvmlLibraries } from '../../native/nvml-libraries.ts';
import type { GpuLibraries, GpuVendor, NativeAddon, NvmlDevice } from '../../native/types.ts';
import type { Verification, Warning } from '../../results/schema.ts';
import { amdgpuPlaces } from '../../runtime/amdgpu-sensors.ts';
import { gpuLibraries } from '../../runtime/gpu-libraries.ts';
import type { Prepared, Support } from '../workload.ts';
import { findDevices, gpuPatienceSeconds, probeGpu, refusal } from './devices.ts';

/** The driver's number of a GPU, or all of them at the same time. */
export const deviceParam = z.union([z.int().min(0).max(255), z.literal('all')]);
export type DeviceParam = z.infer<typeof deviceParam>;

/** Whose device a backend runs on. */
export const BACKEND_VENDORS: Record<string, GpuVendor> = {
  cublaslt: 'cuda',
  hipblaslt: 'rocm',
  cuda: 'cuda',
  rocm: 'rocm',
  nccl: 'cuda',
  rccl: 'rocm',
};

export function vendorOf(backend: string): GpuVendor {
  return BACKEND_VENDORS[backend] ?? 'cuda';
}

/** ` cuda:1`; nothing for the first, the default. */
export function deviceLabel(device: DeviceParam): string {
  return device === 0 ? '' : ` gpu=${device}`;
}

export interface GpuNeeds {
  backend: string;
  device: DeviceParam;
  library?: 'matmul' | 'collective' | 'compiler';
  /** On each device. */
  bytes: number;
  what: string;
  /** At least so many devices. */
  devices?: number;
}

/** Whether a case can run on the GPUs that it names. Asks the driver in a process of its own. */
export async function supportsGpu(needs: GpuNeeds): Promise<Support> {
  const native = tryLoadAddon();
  if (native.addon === null) return { supported: false, reason: native.error.message, remedy: native.error.remedy };
  const probe = await probeGpu(vendorOf(needs.backend));
  const found = findDevices(probe, needs.device);
  if (!('devices' in found)) return found;
  if (needs.library !== undefined && probe[needs.library].status !== 'ok') return refusal(probe[needs.library]);
  const wanted = needs.devices ?? 1;
  if (found.devices.length < wanted)
    return {
      supported: false,
      reason: `${needs.what} needs ${wanted} GPUs; this machine has ${found.devices.length}.`,
      remedy: 'Run it on a machine with more GPUs.',
    };
  const smallest = Math.min(...found.devices.map(device => device.memoryBytes));
  if (needs.bytes > 0.95 * smallest)
    return {
      supported: false,
      reason: `${needs.what} needs ${gibibytes(needs.bytes)} on each GPU, which has ${gibibytes(smallest)}.`,
      remedy: 'Choose a smaller size.',
    };
  const warnings = found.devices.some(device => device.instanceUuid !== '') ? [MIG_WARNING] : [];
  return warnings.length === 0 ? { supported: true } : { supported: true, warnings };
}

const MIG_WARNING: Warning = {
  code: 'GPU_IS_MIG_INSTANCE',
  message: 'the GPU is a MIG instance: a part of a board that others may be using.',
  remedy: 'Compare it with instances of the same kind only; its energy is that of the whole board.',
};

function gibibytes(bytes: number): string {
  return `${(bytes / 2 ** 30).toFixed(1)} GiB`;
}

/** `cuda:0`, `cuda:all`: what a case asks to run on. */
export function deviceWord(device: DeviceParam, backend: string): string {
  return `${vendorOf(backend)}:${device}`;
}

export interface GpuPlace {
  libraries: GpuLibraries;
  devices: number[];
}

/** In a launch: the libraries to open and the devices to use. The launch opens the driver itself; it is a child with a time limit. */
export function gpuPlace(native: NativeAddon, backend: string, device: DeviceParam): GpuPlace {
  const libraries = gpuLibraries(vendorOf(backend));
  if (device !== 'all') return { libraries, devices: [device] };
  const count = native.probeGpus(libraries).devices.length;
  return { libraries, devices: Array.from({ length: Math.max(1, count) }, (_, index) => index) };
}

/**
 * Adds to what a launch says: the device, the sensors that belong to it, and warnings of timers that disagree and of a
 * device that is slower than the others.
 */
export function onGpu(prepared: Prepared, native: NativeAddon, backend: string, device: DeviceParam): Prepared {
  const vendor = vendorOf(backend);
  let sensors: string | null = null;
  const facts = (): Prepared['facts'] => {
    // What identifies a board or its place stays here: documents are shared.
    const { deviceUuids: _uuids, devicePciBusIds: _places, ...own } = prepared.facts;
    sensors ??=
      vendor === 'cuda'
        ? joinSensors(prepared.facts, nvmlDevices(native))
        : joinAmdSensors(prepared.facts, amdSensors(native));
    return { ...own, device: deviceWord(device, backend), ...(sensors === '' ? {} : { sensors }) };
  };
  return Object.create(prepared, {
    facts: { get: facts },
    verify: { value: (): Promise<Verification> => prepared.verify() },
    measure: {
      value: async () => {
        const measurement = await prepared.measure();
        const warning = timerWarning(prepared.facts);
        if (warning !== null) prepared.warnings.push(warning);
        const slow = slowDevice(measurement.ranks ?? []);
        if (slow !== null) prepared.warnings.push(slow);
        return measurement;
      },
    },
  }) as Prepared;
}

function nvmlDevices(native: NativeAddon): NvmlDevice[] {
  const probe = native.probeNvml(nvmlLibraries());
  return probe.status === 'ok' ? probe.devices : [];
}

/**
 * NVML's numbers of the devices that a launch ran on: by UUID, or by PCI address where the driver gives none. '' where one
 * is not found: then all GPUs' energy counts, as long as it is not known which.
 */
export function joinSensors(
  facts: Readonly<Record<string, unknown>>,
  sensors: readonly Pick<NvmlDevice, 'index' | 'uuid'>[],
): string {
  const uuids = String(facts.deviceUuids ?? '')
    .split(' ')
    .filter(uuid => uuid !== '');
  const found = uuids.map(uuid => sensors.find(sensor => sensor.uuid === uuid)?.index);
  return found.length === 0 || found.includes(undefined) ? '' : found.map(index => `gpu-${index}`).join(' ');
}

/** A sensor of an AMD GPU: its token in `covers`, and the PCI address of its GPU. */
interface AmdSensor {
  token: string;
  pci: string;
}

/** AMD SMI's energy counters, and the chips that the kernel driver shows: each numbers GPUs in its own way. */
function amdSensors(native: NativeAddon): AmdSensor[] {
  const probe = native.probeEnergyLibrary('amdsmi', amdSmiLibraries());
  const counters = probe.status === 'ok' ? probe.devices.map(device => device.pci) : [];
  return [
    ...counters.map((pci, index) => ({ token: `gpu-amdsmi-${index}`, pci })),
    ...amdgpuPlaces().map((pci, index) => ({ token: `gpu-amdgpu-${index}`, pci })),
  ];
}

/**
 * Pure: the sensors of the devices that a launch ran on, by PCI address: HIP, AMD SMI and the kernel count differently. '' where a device has
 * none. A chip with several counters at one address (partitions) counts with all of them.
 */
export function joinAmdSensors(facts: Readonly<Record<string, unknown>>, sensors: readonly AmdSensor[]): string {
  const places = String(facts.devicePciBusIds ?? '')
    .split(' ')
    .filter(place => place !== '')
    .map(place => place.toLowerCase());
  const found = places.map(place => sensors.filter(sensor => sensor.pci === place).map(sensor => sensor.token));
  return found.some(tokens => tokens.length === 0) ? '' : [...new Set(found.flat())].join(' ');
}

function timerWarning(facts: Prepared['facts']): Warning | null {
  const batches = Number(facts.timedBatches ?? 0);
  const disagreements = Number(facts.timerDisagreements ?? 0);
  if (batches === 0 || disagreements <= 0.02 * batches) return null;
  return {
    code: 'GPU_TIMERS_DISAGREE',
    message: `in ${disagreements} of ${batches} timed batches the device's events and the wall clock differ by more than 5 %; the longer of the two counts.`,
    remedy:
      'Leave the machine idle and run again; if it stays, do not trust tools that time by events alone on this machine.',
  };
}

/** Below this share of the fastest a device is worth a word. */
const SLOW_SHARE = 0.95;

/** Pure: the device whose median time is longest, where that is noticeable. */
export function slowDevice(ranks: readonly { rank: number; samplesSeconds: readonly number[] }[]): Warning | null {
  if (ranks.length < 2) return null;
  const times = ranks.map(({ rank, samplesSeconds }) => ({ rank, seconds: middle(samplesSeconds) }));
  const slowest = times.reduce((a, b) => (b.seconds > a.seconds ? b : a));
  const fastest = times.reduce((a, b) => (b.seconds < a.seconds ? b : a));
  if (!(fastest.seconds < SLOW_SHARE * slowest.seconds)) return null;
  return {
    code: 'GPU_SLOW_DEVICE',
    message: `GPU ${slowest.rank} reaches ${((100 * fastest.seconds) / slowest.seconds).toFixed(0)} % of the rate of GPU ${fastest.rank}.`,
    remedy: 'Look at its clocks, temperature and throttle reasons in the telemetry of this document, and run it alone.',
  };
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Of a launch: what a hang costs. A minute, and six times what is expected, which AIBENCH_GPU_PATIENCE shortens alike. */
export function gpuTimeoutSeconds(expectedSeconds: number): number {
  return gpuPatienceSeconds() * (1 + expectedSeconds / 10);
}
