/** How many readings each series of a run may keep, so that all together stay small however many sensors there are. Pure. */

/** Of all series of a run. 16 bytes each in memory, up to twice as many before older ones are merged; some 30 in the document. */
export const ALL_READINGS = 500_000;
/** Of one: at 20 Hz 50 minutes before anything is merged. */
const MOST_READINGS = 60_000;
const LEAST_READINGS = 500;
const RUN_SECONDS = 8 * 3600;

/**
 * The room of each series, by its pace in hertz: as much as a run of eight hours brings, at most MOST_READINGS, and where that
 * is too much together, the same upper limit for all, so that slow series are kept whole and fast ones share the rest.
 */
export function seriesRoom(hertz: readonly number[], all = ALL_READINGS): number[] {
  const wanted = hertz.map(pace => Math.min(MOST_READINGS, Math.max(LEAST_READINGS, Math.ceil(pace * RUN_SECONDS))));
  let [left, limit] = [all, 0];
  for (const [index, want] of [...wanted].sort((a, b) => a - b).entries()) {
    const share = left / (wanted.length - index);
    limit = Math.max(LEAST_READINGS, Math.floor(share));
    if (want > share) break;
    limit = want;
    left -= want;
  }
  return wanted.map(want => Math.min(want, limit));
}
