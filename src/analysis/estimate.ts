/**
 * A guess of power from a rated number and the share of CPU time in use, for machines without a sensor. Such guesses were off
 * by −29 % to +107 % (methodology §4): it stands in a block of its own, only when asked for, and nothing ranks, gates or
 * compares it. Pure.
 */
import type { Launch, ResultDocument, Series } from '../results/schema.ts';

export type Estimate = NonNullable<ResultDocument['estimates']>[number];

const NOTE = 'an estimate from a rated power and the load, not a measurement; never ranked, gated or compared';

/** One estimate per case with windows; null shares (no CPU times in a window) give none. `ratedWatts`: as the user states it. */
export function estimatePower(
  ratedWatts: number,
  cases: readonly { id: string; launches: readonly Pick<Launch, 'windowSeconds'>[] }[],
  series: readonly Series[],
): Estimate[] {
  return cases.flatMap(({ id, launches }) => {
    const windows = launches.flatMap(launch => (launch.windowSeconds === undefined ? [] : [launch.windowSeconds]));
    const load = busyShare(series, windows);
    if (load === null) return [];
    const watts = ratedWatts * load;
    return [{ case: id, method: 'rated power x share of CPU time in use', ratedWatts, load, watts, note: NOTE }];
  });
}

/** Share of CPU time that was not idle over the windows, as far as readings span them; null where none does. */
function busyShare(series: readonly Series[], windows: readonly (readonly [number, number])[]): number | null {
  const rise = (quantity: string): number | null => {
    const one = series.find(candidate => candidate.quantity === quantity);
    if (!one) return null;
    let sum = 0;
    for (const [start, end] of windows) {
      const [first, last] = [counterAt(one, start), counterAt(one, end)];
      if (first === null || last === null) return null;
      sum += last - first;
    }
    return sum;
  };
  const [idle, iowait, total] = [rise('idleTime'), rise('iowaitTime') ?? 0, rise('totalTime')];
  if (idle === null || total === null || total <= 0) return null;
  return Math.min(1, Math.max(0, 1 - (idle + iowait) / total));
}

/**
 * A counter at a moment, on the line between the readings around it (a window is often shorter than their spacing); the first
 * or last reading outside them.
 */
function counterAt({ timeSeconds, values }: Series, time: number): number | null {
  let before: readonly [number, number] | null = null;
  for (const [index, at] of timeSeconds.entries()) {
    const value = values[index] ?? null;
    if (value === null) continue;
    if (at >= time)
      return before === null ? value : before[1] + ((value - before[1]) * (time - before[0])) / (at - before[0]);
    before = [at, value];
  }
  return before === null ? null : before[1];
}
