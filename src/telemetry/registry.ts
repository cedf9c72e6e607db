/** The telemetry sources, one row each, and the walk over them. */
import { messageOf } from '../errors.ts';
import type { NativeAddon } from '../native/types.ts';
import { nothingFound } from './channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from './source.ts';
import { cgroup } from './sources/cgroup.ts';
import { cpufreq } from './sources/cpufreq.ts';
import { hwmon } from './sources/hwmon.ts';
import { nvml } from './sources/nvml.ts';
import { powercap } from './sources/powercap.ts';
import { proc } from './sources/proc.ts';
import { thermal } from './sources/thermal.ts';

export const telemetrySources: readonly TelemetrySource[] = [powercap, hwmon, nvml, thermal, cpufreq, proc, cgroup];

export const DEFAULT_ROOTS: TelemetryRoots = {
  sys: '/sys',
  proc: '/proc',
  nvmlLibraries: [
    'libnvidia-ml.so.1',
    '/usr/local/nvidia/lib64/libnvidia-ml.so.1',
    '/usr/lib/wsl/lib/libnvidia-ml.so.1',
  ],
};

const PROBE_LIMIT_SECONDS = 1;

/**
 * Asks every source what it finds, all at once, each for at most a second. Never rejects: a source that throws or does not
 * answer becomes one row that says so. Ids are unique in what comes back.
 */
export async function probeAll(
  roots: TelemetryRoots,
  native: NativeAddon,
  sources: readonly TelemetrySource[] = telemetrySources,
  limitSeconds = PROBE_LIMIT_SECONDS,
): Promise<ProbedChannel[]> {
  const rows = await Promise.all(sources.map(source => probeOne(source, roots, native, limitSeconds)));
  return withUniqueIds(rows.flat());
}

async function probeOne(
  source: TelemetrySource,
  roots: TelemetryRoots,
  native: NativeAddon,
  limitSeconds: number,
): Promise<ProbedChannel[]> {
  const failed = (reason: string): ProbedChannel[] =>
    nothingFound(
      source.id,
      { kind: 'gauge', scope: 'node', quantity: 'none', unit: '1' },
      reason,
      'the run goes on without it; look for a hung driver in the kernel log (dmesg)',
      'unsupported',
    );
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<ProbedChannel[]>(resolve => {
    timer = setTimeout(() => resolve(failed(`did not answer within ${limitSeconds} s`)), limitSeconds * 1e3);
  });
  try {
    return await Promise.race([source.probe(roots, native), late]);
  } catch (error) {
    return failed(`its probe failed: ${messageOf(error)}`);
  } finally {
    clearTimeout(timer);
  }
}

/** Two chips may carry the same label: the second becomes `…#2`. */
function withUniqueIds(rows: ProbedChannel[]): ProbedChannel[] {
  const seen = new Map<string, number>();
  return rows.map(row => {
    const { id } = row.description;
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    if (count === 1) return row;
    const unique = `${id}#${count}`;
    return {
      description: { ...row.description, id: unique },
      channel: row.channel ? { ...row.channel, id: unique } : null,
    };
  });
}
