/** Whether a measurement may be judged at all. What fails here makes a gate answer UNFIT, never FAIL or PASS. */
import type { Warning } from '../results/schema.ts';
import { metricDefinition } from './metrics.ts';
import { machineOf, type Sighting } from './observations.ts';
import { median } from './statistics.ts';
import { usableLaunches } from './summarize.ts';

/**
 * Codes of warnings that say the machine was not in a state to be judged (host/fitness.ts, host/conditions.ts, the runner
 * and summarize.ts give them). Others (launches that vary, a little steal, a warm-up that did not settle) are already in
 * the width of the interval, or are shown as they are.
 */
export const UNFIT_CODES: readonly string[] = [
  'CONCURRENT_RUN',
  'FOREIGN_LOAD_HIGH',
  'STEAL_HIGH',
  'HOT_BEFORE_START',
  'HOT',
  'CPU_QUOTA_THROTTLED',
  'GPU_THROTTLED',
  'ECC_UNCORRECTED',
  'FIRST_LAUNCH_DIFFERS',
  'LAUNCH_FAILED',
];

export interface Unfitness {
  code: string;
  reason: string;
}

/** Why these sightings of a case cannot be judged; empty when they can. */
export function unfitReasons(sightings: readonly Sighting[], codes: readonly string[] = UNFIT_CODES): Unfitness[] {
  const found = new Map<string, Unfitness>();
  const add = (warning: Warning): void => {
    if (codes.includes(warning.code) && !found.has(warning.code))
      found.set(warning.code, { code: warning.code, reason: warning.message });
  };
  for (const { document, result } of sightings) {
    if (result.status === 'invalid')
      found.set('INVALID', { code: 'INVALID', reason: result.reason ?? 'the case is marked invalid' });
    for (const warning of [...document.warnings, ...result.warnings]) add(warning);
  }
  return [...found.values()];
}

/** A ceiling that moved by more than this between two runs of one machine: another state of the machine, or a defect. */
export const CEILING_SHIFT = 0.05;

/**
 * Says where the machine's own ceilings, measured in the same processes as the case, moved between the sides. Only for
 * one and the same machine: between machines the ceilings are part of what is compared. The shift counts when the ranges
 * of the two sides do not overlap.
 */
export function ceilingShift(
  baseline: readonly Sighting[],
  candidate: readonly Sighting[],
  limit = CEILING_SHIFT,
): Unfitness | null {
  const hosts = new Set([...baseline, ...candidate].map(({ document }) => machineOf(document)));
  if (hosts.size !== 1) return null;
  const before = ceilings(baseline);
  const after = ceilings(candidate);
  for (const [name, old] of before) {
    const now = after.get(name);
    if (now === undefined || old.length < 2 || now.length < 2) continue;
    const shift = median(now) / median(old) - 1;
    const apart = Math.min(...now) > Math.max(...old) || Math.max(...now) < Math.min(...old);
    if (apart && Math.abs(shift) > limit) {
      const percent = `${shift > 0 ? '+' : ''}${(100 * shift).toFixed(1)} %`;
      return {
        code: 'CEILING_MOVED',
        reason: `the machine's own ceiling ${name} moved by ${percent} between the runs: it was in another state`,
      };
    }
  }
  return null;
}

function ceilings(sightings: readonly Sighting[]): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const { result } of sightings) {
    if (metricDefinition(result.headline ?? '') === undefined) continue;
    for (const launch of usableLaunches(result.launches)) {
      for (const [name, value] of Object.entries(launch.ceilings)) {
        if (value > 0) found.set(name, [...(found.get(name) ?? []), value]);
      }
    }
  }
  return found;
}
