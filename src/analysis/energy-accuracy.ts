/**
 * What makers state about the gain of their sensors: half-width of a rectangle, relative. Pure data.
 *
 * A gain error is common to all readings of one sensor. It cancels when one machine is compared with itself and does not
 * when two machines are compared, so it stays in the interval. RAPL's gain is stated by neither Intel nor AMD: nothing is
 * claimed here, and docs/energy.md says so.
 */
const STATED_GAIN: readonly { prefix: string; relative: number; source: string }[] = [
  {
    prefix: 'nvml/',
    relative: 0.05,
    source: 'nvml.h, nvmlDeviceGetPowerUsage: accurate to within ±5 % of the current power',
  },
];

/** 0 where the maker states nothing. */
export function statedGain(sourceId: string): number {
  return STATED_GAIN.find(row => sourceId.startsWith(row.prefix))?.relative ?? 0;
}
