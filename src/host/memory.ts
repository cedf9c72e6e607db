/** Memory of the machine and what of it this process may take. */
import path from 'node:path';
import type { CgroupLimits } from './cgroup.ts';
import { parseKeyed, textOrNull } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';

export interface MemoryState {
  totalBytes: number;
  availableBytes: number;
  swapBytes: number;
  swapUsedBytes: number;
}

/** Pure: /proc/meminfo. Null where the two numbers that matter are missing. */
export function parseMeminfo(text: string): MemoryState | null {
  const fields = parseKeyed(text);
  const totalBytes = fields.get('MemTotal');
  // MemAvailable came with Linux 3.14.
  const availableBytes = fields.get('MemAvailable') ?? fields.get('MemFree');
  if (totalBytes === undefined || availableBytes === undefined) return null;
  const swapBytes = fields.get('SwapTotal') ?? 0;
  return { totalBytes, availableBytes, swapBytes, swapUsedBytes: swapBytes - (fields.get('SwapFree') ?? swapBytes) };
}

/** `fallback`: what the runtime says, for systems without /proc. */
export async function readMemory(roots: HostRoots, fallback: MemoryState): Promise<MemoryState> {
  return parseMeminfo((await textOrNull(path.join(roots.proc, 'meminfo'))) ?? '') ?? fallback;
}

/**
 * Pure: bytes that a case may take: what is available, or what the control group still allows where that is less. The
 * group's own use counts the page cache, which gives way under pressure, so the kernel may allow somewhat more than this.
 */
export function usableMemory(memory: MemoryState, limits: CgroupLimits | null): number {
  if (limits?.memoryLimitBytes == null) return memory.availableBytes;
  return Math.max(0, Math.min(memory.availableBytes, limits.memoryLimitBytes - (limits.memoryUsedBytes ?? 0)));
}
