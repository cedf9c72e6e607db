/** Whether the CPUs of the ranks moved while a case was measured: hypervisors shift them between cache domains. */
import { placementChange } from '../../analysis/placement.ts';
import type { Warning } from '../../results/schema.ts';
import type { Prepared } from '../workload.ts';

/** The warning, or null where the placement held or is not known. Pure. */
export function placementWarning(facts: Prepared['facts']): Warning | null {
  const change = placementChange(facts);
  if (change === null) return null;
  return {
    code: 'PLACEMENT_CHANGED',
    message: `the CPUs of the ranks moved or were disturbed while the case was measured, and again when it was measured anew: ${change}.`,
    remedy: 'Compare only launches of like placement; run again when the machine is idle.',
  };
}

/**
 * Measures again, once, when the placement changed meanwhile, and says so in the facts; if it changes again, the case carries a
 * warning.
 */
export function watched(prepared: Prepared): Prepared {
  let repeated: string | null = null;
  return Object.create(prepared, {
    facts: {
      get: () => (repeated === null ? prepared.facts : { ...prepared.facts, measuredAgainSince: repeated }),
    },
    measure: {
      value: async () => {
        const first = await prepared.measure();
        const change = placementChange(prepared.facts);
        if (change === null || !first.complete) return first;
        repeated = change;
        const second = await prepared.measure();
        const warning = placementWarning(prepared.facts);
        if (warning !== null) prepared.warnings.push(warning);
        return second;
      },
    },
  }) as Prepared;
}
