/** The telemetry sources, one row each, and the walk over them. */
import { messageOf } from '../errors.ts';
import { amdSmiLibraries } from '../native/amd-smi-libraries.ts';
import { nvmlLibraries } from '../native/nvml-libraries.ts';
import type { NativeAddon } from '../native/types.ts';
import { nothingFound, unreadable } from './channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from './source.ts';
import { cgroup } from './sources/cgroup.ts';
import { cpuThrottle } from './sources/cpu-throttle.ts';
import { cpufreq } from './sources/cpufreq.ts';
import { amdSmi, levelZero } from './sources/energy-library.ts';
import { hwmon } from './sources/hwmon.ts';
import { nvml } from './sources/nvml.ts';
import { perf } from './sources/perf.ts';
import { powercap } from './sources/powercap.ts';
import { proc } from './sources/proc.ts';
import { thermal } from './sources/thermal.ts';

export const telemetrySources: readonly TelemetrySource[] = [
  powercap,
  perf,
  hwmon,
  nvml,
  amdSmi,
  levelZero,
  thermal,
  cpufreq,
  cpuThrottle,
  proc,
  cgroup,
];

export const DEFAULT_ROOTS: TelemetryRoots = {
  sys: '/sys',
  proc: '/proc',
  nvmlLibraries: nvmlLibraries(),
  energyLibraries: {
    amdsmi: amdSmiLibraries(),
    levelzero: ['libze_loader.so.1'],
  },
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
  const rows = await Promise.all(
    sources.map(source => probeOne(source, roots, native, source.limitSeconds ?? limitSeconds)),
  );
  return withoutRepeats(withUniqueIds(rows.flat()));
}

/** A source whose counters another reads too: what the second gives is listed and not sampled, so that nothing counts twice. */
const REPEATS: readonly { of: string; by: RegExp; sameCovers: boolean }[] = [
  { of: 'perf', by: /^powercap\//, sameCovers: true },
  // Which card of the one is which of the other is not told: one that is read stands for all.
  { of: 'levelzero', by: /^hwmon\/(xe|i915)\b/, sameCovers: false },
];

function withoutRepeats(rows: ProbedChannel[]): ProbedChannel[] {
  return rows.map(row => {
    const { status: _status, reason: _reason, remedy: _remedy, ...what } = row.description;
    const rule = REPEATS.find(one => what.id.startsWith(`${one.of}/`));
    const first = rows.find(
      ({ channel, description }) =>
        channel !== null &&
        description.unit === 'J' &&
        rule?.by.test(description.id) === true &&
        (!rule.sameCovers || description.covers[0] === what.covers[0]),
    );
    if (row.channel === null || first === undefined) return row;
    const reason = `counts what ${first.description.id} counts; not read, so that it is not counted twice`;
    return unreadable(what, 'unsupported', reason, 'nothing to do');
  });
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
