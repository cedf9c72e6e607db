/**
 * NVML asked in a way that a hung driver cannot hold up the run: where an NVIDIA driver is loaded, or a library is named, the
 * asking is done in a process of its own. Elsewhere a look for the library is enough, and costs nothing.
 */
import { existsSync } from 'node:fs';
import { callIsolated } from './isolated-call.ts';
import { nvmlLibraries } from './nvml-libraries.ts';
import type { NativeAddon, NvmlProbe } from './types.ts';

/** Eight GPUs without persistence mode take several seconds to wake. */
export const NVML_PATIENCE_SECONDS = 20;
/** The kernel driver's own files: of Linux, of WSL. */
const DRIVER_FILES = ['/proc/driver/nvidia/version', '/dev/dxg'];

const answers = new Map<string, Promise<NvmlProbe>>();

/** Never rejects; asked once per process and list of libraries. */
export function probeNvmlSafely(
  native: Pick<NativeAddon, 'probeNvml'>,
  libraries: string[],
  patienceSeconds = NVML_PATIENCE_SECONDS,
): Promise<NvmlProbe> {
  if (!mayHang(libraries)) return Promise.resolve(native.probeNvml(libraries));
  const key = libraries.join(':');
  const known = answers.get(key);
  if (known !== undefined) return known;
  const answer = ask(libraries, patienceSeconds);
  answers.set(key, answer);
  return answer;
}

async function ask(libraries: string[], patienceSeconds: number): Promise<NvmlProbe> {
  const answer = await callIsolated('probeNvml', [libraries], 'NVML', patienceSeconds);
  if (answer.status === 'ok') return answer.value;
  return { status: 'unsupported', reason: answer.reason, remedy: answer.remedy };
}

/** What the run itself uses, on a machine where something may be behind it. Tests bring libraries of their own. */
function mayHang(libraries: string[]): boolean {
  const isOwn = libraries.join(':') === nvmlLibraries().join(':');
  return isOwn && ((process.env.AIBENCH_NVML ?? '') !== '' || DRIVER_FILES.some(existsSync));
}
