/** The machine's CPU time by kind, from /proc/stat. Pure. */

/** USER_HZ, the unit of /proc/stat: 100 on every architecture that Node runs on, whatever the kernel's own tick. */
export const TICK_SECONDS = 1 / 100;

export interface CpuTimes {
  user: number;
  system: number;
  idle: number;
  iowait: number;
  steal: number;
  total: number;
}

/**
 * Pure: the first line of /proc/stat in seconds. `total` is the sum of the first eight fields: guest time is already in
 * user time (Documentation/filesystems/proc). Null where the line is not there.
 */
export function parseCpuTimes(text: string): CpuTimes | null {
  const line = /^cpu\s+(.+)$/m.exec(text)?.[1];
  const ticks = line?.trim().split(/\s+/).map(Number);
  if (!ticks || ticks.length < 4 || ticks.some(value => !Number.isFinite(value))) return null;
  const at = (index: number): number => (ticks[index] ?? 0) * TICK_SECONDS;
  const total = ticks.slice(0, 8).reduce((sum, value) => sum + value, 0) * TICK_SECONDS;
  return { user: at(0) + at(1), system: at(2), idle: at(3), iowait: at(4), steal: at(7), total };
}
