/** Whether the CPUs of the ranks moved while a case was measured: hypervisors shift them between cache domains. */
import type { Warning } from '../../results/schema.ts';

/** Between the two states seen, one-way latency differs by 4 and copy bandwidth by up to 2; noise by less than these. */
const LATENCY_CHANGE = 1.7;
const COPY_CHANGE = 1.5;

/** The warning, or null where the placement held or is not known. Pure. */
export function placementWarning(facts: Record<string, string | number | boolean | null>): Warning | null {
  const of = (name: string): number => Number(facts[name] ?? 0);
  const latency = changed(of('oneWayNanosecondsBefore'), of('oneWayNanosecondsAfter'), LATENCY_CHANGE);
  const copy = changed(of('copyBytesPerSecondBefore'), of('copyBytesPerSecondAfter'), COPY_CHANGE);
  if (!latency && !copy) return null;
  return {
    code: 'PLACEMENT_CHANGED',
    message: `the CPUs of the ranks moved or were disturbed while the case was measured: a cache line took ${of('oneWayNanosecondsBefore').toFixed(0)} ns before and ${of('oneWayNanosecondsAfter').toFixed(0)} ns after, a copy ran at ${(of('copyBytesPerSecondBefore') / 1e9).toFixed(1)} and ${(of('copyBytesPerSecondAfter') / 1e9).toFixed(1)} GB/s.`,
    remedy: 'Compare only launches of like placement; run again when the machine is idle.',
  };
}

function changed(before: number, after: number, factor: number): boolean {
  return before > 0 && after > 0 && Math.max(before / after, after / before) > factor;
}
