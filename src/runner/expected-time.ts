/** Pure: how long a run is expected to take, for --dry-run and for the time left. */
import type { Case } from '../suite/expand.ts';
import type { Machine } from '../workloads/workload.ts';

/** Start of a process, loading of the addon, IPC. Seconds; measured on a 2-core VM. */
const START_SECONDS = 0.15;
/** A warm-up mostly settles well before its bound. */
const TYPICAL_WARMUP_SHARE = 0.3;

/** A sustained case warms up for at least half a minute, mostly longer the first time. */
const TYPICAL_SOAK_SECONDS = 60;

/** Seconds of one launch of a case. */
export function launchSeconds(item: Case, machine: Machine): number {
  const { timing, workload, params } = item;
  return (
    START_SECONDS +
    workload.overheadSeconds(params, machine) +
    TYPICAL_WARMUP_SHARE * timing.maxWarmupSeconds +
    timing.targetSeconds +
    (item.regime === 'sustained' ? TYPICAL_SOAK_SECONDS : 0)
  );
}

/** Seconds of a whole run. */
export function runSeconds(cases: readonly Case[], machine: Machine, idleSeconds: number): number {
  return cases.reduce((sum, item) => sum + item.launches * launchSeconds(item, machine), idleSeconds);
}
