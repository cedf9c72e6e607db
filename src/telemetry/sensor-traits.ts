/** What a sensor does, from its readings alone: how often it updates, in which steps, over what it averages. Pure. */

/** Fewer changes than this say nothing of a period. */
const MIN_CHANGES = 4;

export interface SensorTraits {
  /** Mean seconds between changes; null where there were too few. */
  updatePeriodSeconds: number | null;
  /** The step that all changes are multiples of, in the unit of the readings; null where none is seen. */
  quantum: number | null;
}

/** `values` with NaN for failed reads; `times` in seconds, rising. */
export function sensorTraits(times: ArrayLike<number>, values: ArrayLike<number>): SensorTraits {
  const changes: number[] = [];
  const steps: number[] = [];
  let previous = Number.NaN;
  for (let index = 0; index < values.length; index++) {
    const value = values[index] ?? Number.NaN;
    if (!Number.isFinite(value)) continue;
    if (Number.isFinite(previous) && value !== previous) {
      changes.push(times[index] ?? 0);
      steps.push(Math.abs(value - previous));
    }
    previous = value;
  }
  const [first, last] = [changes[0], changes[changes.length - 1]];
  const enough = changes.length >= MIN_CHANGES && first !== undefined && last !== undefined;
  return {
    updatePeriodSeconds: enough ? (last - first) / (changes.length - 1) : null,
    quantum: enough ? commonStep(steps) : null,
  };
}

/**
 * The largest step of which all are multiples: Euclid's algorithm on decimal readings. Null where that falls
 * under a thousandth of the smallest step, which is noise and no step.
 */
function commonStep(steps: readonly number[]): number | null {
  const smallest = Math.min(...steps);
  let common = smallest;
  for (const step of steps) {
    let [a, b] = [Math.max(step, common), Math.min(step, common)];
    while (b > 1e-4 * smallest) {
      const rest = a - b * Math.floor(a / b + 1e-6);
      [a, b] = [b, rest < 1e-6 * b ? 0 : rest];
    }
    common = a;
    if (common < 1e-3 * smallest) return null;
  }
  return common;
}

/**
 * Length of the moving average behind a gauge, from its answer to one step of the load at `stepAt`: such an average rises in a
 * straight line over its length, so that it takes four fifths of it from a tenth to nine tenths. Zero where the rise is
 * within two updates. Null where the power did not clearly step (by at least five times the spread before it).
 */
export function averagingWindow(
  times: ArrayLike<number>,
  values: ArrayLike<number>,
  stepAt: number,
  updatePeriodSeconds: number,
): number | null {
  const before: number[] = [];
  const after: [time: number, value: number][] = [];
  for (let index = 0; index < values.length; index++) {
    const [time, value] = [times[index] ?? 0, values[index] ?? Number.NaN];
    if (!Number.isFinite(value)) continue;
    if (time < stepAt) before.push(value);
    else after.push([time, value]);
  }
  if (before.length < 5 || after.length < 10) return null;
  const low = before.reduce((sum, value) => sum + value, 0) / before.length;
  const tail = after.slice(-Math.ceil(after.length / 5));
  const high = tail.reduce((sum, [, value]) => sum + value, 0) / tail.length;
  const spread = Math.max(...before) - Math.min(...before);
  if (high - low < Math.max(5 * spread, 0.05 * low)) return null;
  const crossing = (share: number): number => after.find(([, value]) => value >= low + share * (high - low))?.[0] ?? 0;
  const rise = crossing(0.9) - crossing(0.1);
  return rise <= 2 * updatePeriodSeconds ? 0 : rise / 0.8;
}
