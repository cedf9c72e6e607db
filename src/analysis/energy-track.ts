/**
 * From raw readings to a track: energy accumulated over time, with the stretches marked in which nothing can be said. Pure.
 *
 * A failed read is never 0 J, and a stretch that is lost contributes nothing here: what is done about it is decided per
 * window (energy-window.ts).
 */
import type { Scope, Series, SourceDescription } from '../results/schema.ts';
import { SUM } from './energy-scope.ts';

export interface Track {
  kind: 'counter' | 'gauge';
  /** Seconds, rising. For counters only the moments at which the counter was seen to have moved, and the ends. */
  times: Float64Array;
  /** Joules from the first reading on; flat over lost stretches. */
  joules: Float64Array;
  /** Mean watts of the stretch that ends at this reading; NaN where that stretch is lost. Index 0 is NaN. */
  watts: Float64Array;
  /** Gauges: the readings themselves. */
  readings: Float64Array;
  /** What was lost, by reason: `reset`, `gap`, `stuck`, `implausible`. Seconds. */
  lost: Record<string, number>;
  /** Half of the spacing of readings that is usual in this track, twice: seconds between readings. */
  spacingSeconds: number;
  /** Step of a counter; 0 for a gauge. */
  quantumJoules: number;
  /** Step of a gauge's readings; 0 for a counter. */
  quantumWatts: number;
  updatePeriodSeconds: number;
  averagingWindowSeconds: number;
}

/**
 * More than this no such part draws: a step that implies more is no energy. Generous by a factor of two over the largest
 * known parts (2026), since its only use is to tell a wrap from a reset, where the two differ by orders of magnitude.
 */
export const PLAUSIBLE_WATTS: Record<Scope, number> = {
  chip: 3e3,
  package: 3e3,
  board: 5e3,
  module: 1e4,
  node: 1e5,
  wall: 1e5,
};

/** A stretch without change this many times longer than usual, at less than half the usual power, is a stuck counter. */
const STUCK_FACTOR = 5;
export const STUCK_SECONDS = 0.5;
/** One or two missing readings of a gauge are bridged by the trapezoid; more are a gap. */
const GAP_FACTOR = 3.5;

interface Readings {
  times: number[];
  values: number[];
  /** Whether a read failed between this reading and the one before it. */
  afterFailure: boolean[];
}

/** The valid readings of a series, in order of time; readings that do not advance the clock are dropped. */
function validReadings(series: Series, isValid: (value: number) => boolean): Readings {
  const times: number[] = [];
  const values: number[] = [];
  const afterFailure: boolean[] = [];
  let failed = false;
  for (const [index, value] of series.values.entries()) {
    const time = series.timeSeconds[index];
    if (time === undefined || (times.length > 0 && time <= (times[times.length - 1] ?? 0))) continue;
    if (value === null || !Number.isFinite(value) || !isValid(value)) {
      failed = true;
      continue;
    }
    times.push(time);
    values.push(value);
    afterFailure.push(failed);
    failed = false;
  }
  return { times, values, afterFailure };
}

/** Median of a copy; 0 for none. Used for spacings only, where type-7 interpolation makes no difference. */
function middle(values: number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function spacings(times: readonly number[]): number[] {
  return times.slice(1).map((time, index) => time - (times[index] ?? time));
}

/**
 * A counter of joules. A backwards step is a wrap only if the counter's modulus is known, the power that the wrap implies is
 * plausible and the gap is shorter than the time in which the plausible power would wrap it; otherwise it is a reset and the
 * stretch is lost. Any step over a longer gap may hide whole wraps and is lost too.
 */
export function counterTrack(series: Series, source: SourceDescription): Track {
  const { times: readTimes, values } = validReadings(series, value => value >= 0);
  const plausible = PLAUSIBLE_WATTS[source.scope];
  const modulus = source.modulus ?? Number.POSITIVE_INFINITY;
  const wrapSeconds = modulus / plausible;
  const times: number[] = [];
  const steps: number[] = [];
  const lostReason: (string | null)[] = [];
  /** Whether readings of this stretch show that the counter stood, or could be missing: where they were merged none is. */
  const mayStand: boolean[] = [];
  const isMerged = (series.merged ?? 0) > 0;
  let previous = 0;
  let stood = false;
  for (const [index, value] of values.entries()) {
    const time = readTimes[index] ?? 0;
    if (index === 0) {
      times.push(time);
      steps.push(0);
      lostReason.push(null);
      mayStand.push(false);
      previous = value;
      continue;
    }
    stood ||= value === previous;
    // Readings without change are no information of their own; the last one marks how long nothing moved.
    if (value === previous && index < values.length - 1) continue;
    const gap = time - (times[times.length - 1] ?? 0);
    const forward = value - previous;
    const step = forward >= 0 ? forward : forward + modulus;
    let reason: string | null = null;
    if (gap >= wrapSeconds) reason = 'gap';
    else if (!Number.isFinite(step) || (forward < 0 && step / gap > plausible)) reason = 'reset';
    else if (step / gap > plausible) reason = 'implausible';
    times.push(time);
    steps.push(reason ? 0 : step);
    lostReason.push(reason);
    mayStand.push(stood || !isMerged);
    stood = false;
    previous = value;
  }
  markStuck(times, steps, lostReason, mayStand);
  const spacing = middle(spacings(readTimes));
  return finish('counter', times, steps, lostReason, [], {
    spacingSeconds: spacing,
    quantumJoules: source.quantum ?? 0,
    quantumWatts: 0,
    updatePeriodSeconds: Math.max(
      source.updatePeriodSeconds ?? 0,
      middle(spacings(times)) > 1.5 * spacing ? middle(spacings(times)) : 0,
    ),
    averagingWindowSeconds: 0,
  });
}

/** Nothing moved for long and nothing was made up for afterwards: the counter stood still while power was drawn. */
function markStuck(
  times: readonly number[],
  steps: number[],
  lostReason: (string | null)[],
  mayStand: readonly boolean[],
): void {
  const usual = middle(spacings(times));
  const powers = steps.slice(1).map((step, index) => step / ((times[index + 1] ?? 0) - (times[index] ?? 0)));
  const usualPower = middle(powers.filter(power => power > 0));
  for (let index = 1; index < times.length; index++) {
    const seconds = (times[index] ?? 0) - (times[index - 1] ?? 0);
    const isLong = seconds > Math.max(STUCK_SECONDS, STUCK_FACTOR * usual);
    const isWithoutEnergy = (powers[index - 1] ?? 0) <= usualPower / 2;
    if (lostReason[index] === null && mayStand[index] === true && isLong && isWithoutEnergy) {
      steps[index] = 0;
      lostReason[index] = 'stuck';
    }
  }
}

/**
 * A gauge of watts, integrated by trapezoids. A reading of 0 W or less is a failed read: whatever runs this program draws
 * power. An average over a window W is the power of W/2 earlier.
 */
export function gaugeTrack(series: Series, source: SourceDescription): Track {
  const isSum = source.covers.some(token => token.endsWith(SUM));
  const plausible = PLAUSIBLE_WATTS[isSum ? 'node' : source.scope];
  const { times: readTimes, values, afterFailure } = validReadings(series, value => value > 0 && value <= plausible);
  // Merged readings (recorder) stand further apart than usual without anything missing between them.
  const isMerged = (series.merged ?? 0) > 0;
  const averaging = source.averagingWindowSeconds ?? 0;
  const times = averaging > 0 ? readTimes.map(time => time - averaging / 2) : readTimes;
  const usual = middle(spacings(times));
  const steps: number[] = [];
  const lostReason: (string | null)[] = [];
  for (const [index, time] of times.entries()) {
    const gap = index === 0 ? 0 : time - (times[index - 1] ?? 0);
    const isGap = gap > GAP_FACTOR * usual && (!isMerged || afterFailure[index] === true);
    lostReason.push(isGap ? 'gap' : null);
    steps.push(isGap || index === 0 ? 0 : (((values[index - 1] ?? 0) + (values[index] ?? 0)) / 2) * gap);
  }
  const changes = times.filter((_, index) => index === 0 || values[index] !== values[index - 1]);
  const update = middle(spacings(changes));
  return finish('gauge', times, steps, lostReason, values, {
    spacingSeconds: usual,
    quantumJoules: 0,
    quantumWatts: source.quantum ?? 0,
    updatePeriodSeconds: source.updatePeriodSeconds ?? (update > 1.5 * usual ? update : usual),
    averagingWindowSeconds: averaging,
  });
}

type Traits = Pick<
  Track,
  'spacingSeconds' | 'quantumJoules' | 'quantumWatts' | 'updatePeriodSeconds' | 'averagingWindowSeconds'
>;

function finish(
  kind: Track['kind'],
  times: readonly number[],
  steps: readonly number[],
  lostReason: readonly (string | null)[],
  readings: readonly number[],
  traits: Traits,
): Track {
  const joules = new Float64Array(times.length);
  const watts = new Float64Array(times.length).fill(Number.NaN);
  const lost: Record<string, number> = {};
  for (let index = 1; index < times.length; index++) {
    const seconds = (times[index] ?? 0) - (times[index - 1] ?? 0);
    joules[index] = (joules[index - 1] ?? 0) + (steps[index] ?? 0);
    const reason = lostReason[index];
    if (reason) lost[reason] = (lost[reason] ?? 0) + seconds;
    else watts[index] = (steps[index] ?? 0) / seconds;
  }
  return {
    kind,
    times: Float64Array.from(times),
    joules,
    watts,
    readings: Float64Array.from(readings),
    lost,
    ...traits,
  };
}

/** Null for a source that gives neither energy nor power. */
export function trackOf(series: Series, source: SourceDescription): Track | null {
  if (source.quantity === 'energy' && source.unit === 'J') return counterTrack(series, source);
  if (source.quantity === 'power' && source.unit === 'W') return gaugeTrack(series, source);
  return null;
}

/** Index of the last reading at or before `time`; −1 where there is none. */
export function indexAt(times: Float64Array, time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((times[mid] ?? 0) <= time) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}
