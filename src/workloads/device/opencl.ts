/** The OpenCL devices of this machine, looked for in a process of its own with a time limit, once per process. */
import { callIsolated } from '../../native/isolated-call.ts';
import type { OpenclDevice, OpenclProbe } from '../../native/types.ts';
import type { Warning } from '../../results/schema.ts';
import { openclLibraries } from '../../runtime/opencl-libraries.ts';
import { gpuPatienceSeconds, refusal } from '../gpu/devices.ts';
import type { Support } from '../workload.ts';

let probe: Promise<OpenclProbe> | undefined;

/** Never rejects; a driver that hangs or crashes is status `broken`. */
export function probeOpencl(): Promise<OpenclProbe> {
  probe ??= ask();
  return probe;
}

async function ask(): Promise<OpenclProbe> {
  const answer = await callIsolated('probeOpencl', [openclLibraries()], 'OpenCL', gpuPatienceSeconds());
  if (answer.status === 'ok') return answer.value;
  const state = { status: 'broken', reason: answer.reason, remedy: answer.remedy, library: '' } as const;
  return { ...state, devices: [], clblast: { ...state, version: '' } };
}

type Refusal = Extract<Support, { supported: false }>;

/** The device of that index, or for `auto` the first that is not software, else the first. */
export function openclDevice(found: OpenclProbe, device: number | 'auto'): { device: OpenclDevice } | Refusal {
  if (found.status !== 'ok') return refusal(found);
  const chosen =
    device === 'auto' ? (found.devices.find(({ software }) => !software) ?? found.devices[0]) : found.devices[device];
  if (chosen !== undefined) return { device: chosen };
  return {
    supported: false,
    reason: `there is no opencl:${device}: OpenCL lists ${found.devices.length}, from 0`,
    remedy: 'See `aibench list devices`.',
  };
}

/** What a reader must know of a number from this device. */
export function openclWarnings(device: OpenclDevice): Warning[] {
  if (!device.software) return [];
  return [
    {
      code: 'SOFTWARE_DEVICE',
      message: `${device.name} of ${device.platform} computes on the CPU: no other hardware was measured.`,
      remedy: 'Name another device, or read the number as one of the CPU through OpenCL.',
    },
  ];
}

/** Whether `bytes` fit there, in all and in one buffer. */
export function fitsOnOpencl(device: OpenclDevice, bytes: number, largest: number, what: string): Support {
  if (bytes <= 0.9 * device.memoryBytes && largest <= device.maxAllocationBytes) return { supported: true };
  const gib = (amount: number): string => `${(amount / 2 ** 30).toFixed(2)} GiB`;
  return {
    supported: false,
    reason: `${what} needs ${gib(bytes)}, ${gib(largest)} of it in one buffer; ${device.name} has ${gib(device.memoryBytes)} and gives at most ${gib(device.maxAllocationBytes)} at once`,
    remedy: 'Choose a smaller size.',
  };
}
