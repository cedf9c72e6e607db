/**
 * Energy between two moments of a track, with its validity and its uncertainty. Pure. The rules are in docs/energy.md; each
 * comes from methodology §4.
 *
 * Terms of uncertainty are standard uncertainties in joules, independent of each other, added in quadrature. What is stated
 * is expanded by k = 2 (about 95 %).
 */
import { indexAt, type Track } from './energy-track.ts';

export const COVERAGE_FACTOR = 2;
/** More of a window than this lost: no number. */
export const MAX_LOST_FRACTION = 0.02;
/** A gauge needs this many distinct updates for a mean ... */
export const MIN_UPDATES_MEAN = 30;
/** ... and this many for a headline. */
export const MIN_UPDATES_HEADLINE = 100;

export const TERMS = [
  'edge',
  'quantum',
  'update',
  'sampling',
  'lag',
  'gap',
  'gain',
  'idle',
  'synchronisation',
] as const;
export type Term = (typeof TERMS)[number];
export type Terms = Partial<Record<Term, number>>;

export type InvalidCode = 'no-readings' | 'window-not-covered' | 'lost-readings' | 'too-few-updates' | 'no-energy';

export type WindowEnergy =
  | {
      status: 'ok';
      joules: number;
      seconds: number;
      averageWatts: number;
      lostSeconds: number;
      /** Gauges: how often the reading changed; counters: how often the counter moved. */
      updates: number;
      terms: Terms;
    }
  | { status: 'invalid'; code: InvalidCode; reason: string };

export interface WindowOptions {
  /** Bound on the offset between the clock of the readings and that of the window, seconds; 0 on one machine. */
  clockOffsetSeconds?: number;
}

/** Energy between `start` and `end` (CLOCK_MONOTONIC seconds, as the readings). */
export function windowEnergy(track: Track, start: number, end: number, options: WindowOptions = {}): WindowEnergy {
  const { times } = track;
  if (!(end > start)) return invalid('window-not-covered', 'the window is empty');
  if (times.length < 2) return invalid('no-readings', 'fewer than two valid readings');
  const first = times[0] ?? 0;
  const last = times[times.length - 1] ?? 0;
  const from = Math.max(start, first);
  const to = Math.min(end, last);
  const seconds = end - start;
  if (to <= from) return invalid('window-not-covered', 'no reading falls into the window');
  const lostSeconds = seconds - (to - from) + lostWithin(track, from, to);
  if (lostSeconds > MAX_LOST_FRACTION * seconds) {
    const share = ((100 * lostSeconds) / seconds).toFixed(1);
    const why = Object.keys(track.lost).join(', ') || 'readings begin late or end early';
    return invalid(
      'lost-readings',
      `${share} % of the window is lost (${why}); at most ${MAX_LOST_FRACTION * 100} % may be`,
    );
  }
  const opening = edge(track, from);
  const closing = edge(track, to);
  const seen = closing.joules - opening.joules;
  if (!(seen > 0)) return invalid('no-energy', 'the readings did not move during the window');
  const seenSeconds = seconds - lostSeconds;
  const meanWatts = seen / seenSeconds;
  const joules = seen + meanWatts * lostSeconds;
  const updates = updatesWithin(track, from, to);
  const terms: Terms = {
    // A rectangle: nothing says where between the bounds the truth is.
    edge: Math.hypot(opening.halfWidth, closing.halfWidth) / Math.sqrt(3),
    // Power of the missing part: anything between none and twice the mean, as a rectangle.
    gap: (meanWatts * lostSeconds) / Math.sqrt(3),
    synchronisation: synchronisationTerm(track, from, to, options.clockOffsetSeconds ?? 0),
  };
  if (track.kind === 'counter') {
    // Two readings, each uniform within one quantum; each as old as the counter's last update.
    terms.quantum = track.quantumJoules / Math.sqrt(6);
    terms.update = (meanWatts * track.updatePeriodSeconds) / Math.sqrt(6);
  } else {
    // Steady power is rounded the same way at every reading: a rectangle of one step, for all of the window.
    terms.quantum = (track.quantumWatts * seconds) / Math.sqrt(12);
    terms.sampling = samplingTerm(track, from, to);
    terms.lag = Math.hypot(lagHalfWidth(track, from), lagHalfWidth(track, to)) / Math.sqrt(3);
  }
  return { status: 'ok', joules, seconds, averageWatts: joules / seconds, lostSeconds, updates, terms };
}

function invalid(code: InvalidCode, reason: string): WindowEnergy {
  return { status: 'invalid', code, reason };
}

/** Square root of the sum of squares, joules (k = 1), and the largest term's name. */
export function combine(terms: Terms): { joules: number; dominatedBy: Term } {
  let squares = 0;
  let dominatedBy: Term = 'edge';
  let largest = -1;
  for (const term of TERMS) {
    const value = terms[term] ?? 0;
    squares += value * value;
    if (value > largest) {
      largest = value;
      dominatedBy = term;
    }
  }
  return { joules: Math.sqrt(squares), dominatedBy };
}

interface Edge {
  joules: number;
  /** Half-width of the interval (k = 2) in which the energy at this moment lies. */
  halfWidth: number;
  /** Mean power of the stretch around this moment. */
  watts: number;
}

/**
 * Accumulated energy at a moment between two readings.
 *
 * Counter: the energy of the stretch is known, its shape is not. Power is taken to step once inside it, from the mean of
 * the stretch before to that of the stretch after; the energy of the stretch then says when. That is exact where a window
 * begins or ends with the load, where straight interpolation would be wrong by up to a quarter of the step times the
 * stretch. Where the neighbours do not bracket the stretch, a straight line is all there is.
 *
 * Gauge: the trapezoid cut at the moment, with the interpolated power.
 */
function edge(track: Track, time: number): Edge {
  const { times, joules, watts } = track;
  const index = Math.min(Math.max(indexAt(times, time), 0), times.length - 2);
  const t0 = times[index] ?? 0;
  const t1 = times[index + 1] ?? 0;
  const e0 = joules[index] ?? 0;
  const e1 = joules[index + 1] ?? 0;
  const span = t1 - t0;
  const fraction = (time - t0) / span;
  const power = watts[index + 1] ?? Number.NaN;
  if (Number.isNaN(power)) return { joules: e0, halfWidth: 0, watts: 0 };
  if (track.kind === 'gauge') return gaugeEdge(track, index, fraction, e0, span);
  const straight = e0 + fraction * (e1 - e0);
  const located =
    e0 + span * steppedShare(finiteOr(watts[index], power), power, finiteOr(watts[index + 2], power), fraction);
  const halfWidth = Math.max(
    EDGE_SHAPE * Math.abs(straight - located),
    fraction * (1 - fraction) * span * spreadAround(watts, index + 1, power),
  );
  return { joules: located, halfWidth, watts: power };
}

/**
 * Mean power of the first `fraction` of a stretch times that fraction, for one step from `before` to `after` that gives the
 * stretch its mean `power`. Watts.
 */
function steppedShare(before: number, power: number, after: number, fraction: number): number {
  const stepAt = (after - power) / (after - before);
  if (!(stepAt >= 0 && stepAt <= 1)) return power * fraction;
  return before * Math.min(fraction, stepAt) + after * Math.max(0, fraction - stepAt);
}

/** A ramp through the edge has its truth three quarters of the way from the stepped to the straight shape. */
const EDGE_SHAPE = 0.75;
/** Power is never steadier than this within a stretch, whatever its neighbours say. */
const MIN_SPREAD = 0.25;

/** How far power may have moved within a stretch: the range of the means of the stretches around it. Watts. */
function spreadAround(watts: Float64Array, index: number, power: number): number {
  let [low, high] = [power, power];
  for (let other = index - 2; other <= index + 2; other++) {
    const mean = watts[other] ?? Number.NaN;
    if (Number.isNaN(mean)) continue;
    low = Math.min(low, mean);
    high = Math.max(high, mean);
  }
  return Math.max(high - low, MIN_SPREAD * power);
}

function gaugeEdge(track: Track, index: number, fraction: number, e0: number, span: number): Edge {
  const p0 = track.readings[index] ?? 0;
  const p1 = track.readings[index + 1] ?? 0;
  const power = p0 + fraction * (p1 - p0);
  // The reading is as old as the sensor's last update, at most one period: the step that it hides is that of the neighbours.
  const around = [track.readings[index - 1] ?? p0, p0, p1, track.readings[index + 2] ?? p1];
  const hidden = Math.max(...around) - Math.min(...around);
  const halfWidth = (hidden * Math.max(track.updatePeriodSeconds, span)) / 2;
  return { joules: e0 + ((p0 + power) / 2) * fraction * span, halfWidth, watts: power };
}

function finiteOr(value: number | undefined, fallback: number): number {
  return value !== undefined && Number.isFinite(value) ? value : fallback;
}

/** Seconds of lost stretches between two moments inside the track. */
function lostWithin(track: Track, from: number, to: number): number {
  const { times, watts } = track;
  let lost = 0;
  for (
    let index = Math.max(indexAt(times, from), 0) + 1;
    index < times.length && (times[index - 1] ?? 0) < to;
    index++
  ) {
    if (!Number.isNaN(watts[index] ?? 0)) continue;
    lost += Math.min(times[index] ?? 0, to) - Math.max(times[index - 1] ?? 0, from);
  }
  return lost;
}

function updatesWithin(track: Track, from: number, to: number): number {
  const first = indexAt(track.times, from) + 1;
  const last = indexAt(track.times, to);
  if (track.kind === 'counter') return Math.max(0, last - first + 1);
  let updates = first <= last ? 1 : 0;
  for (let index = first + 1; index <= last; index++) {
    if (track.readings[index] !== track.readings[index - 1]) updates += 1;
  }
  return updates;
}

/**
 * A window that is shifted by up to `offset` gains at one end what it loses at the other: at most the offset times the range of the power
 * around both ends. A load that begins and ends with the window has all of its step in that range.
 */
function synchronisationTerm(track: Track, from: number, to: number, offset: number): number {
  if (offset === 0) return 0;
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (const time of [from, to]) {
    const first = Math.max(indexAt(track.times, time - offset), 0);
    // With the reading after it: the stretch in which the shifted end lies.
    const last = Math.min(indexAt(track.times, time + offset) + 1, track.times.length - 1);
    for (let index = first; index <= last; index++) {
      const watts = (track.kind === 'gauge' ? track.readings[index] : track.watts[index]) ?? Number.NaN;
      if (Number.isNaN(watts)) continue;
      [low, high] = [Math.min(low, watts), Math.max(high, watts)];
    }
  }
  return (offset * Math.max(0, high - low)) / Math.sqrt(3);
}

/**
 * What a gauge does not show between two readings, from what it shows from one to the next. For power that is as rough
 * between readings as over them (white), the error of the sum is spacing · sd · √n, and Σ(ΔP)² = 2·n·sd²; for steps and
 * ramps this overstates.
 */
function samplingTerm(track: Track, from: number, to: number): number {
  const held = Math.max(track.updatePeriodSeconds, track.spacingSeconds);
  let squares = 0;
  let seconds = 0;
  for (let index = Math.max(indexAt(track.times, from), 0) + 1; index <= indexAt(track.times, to); index++) {
    if (Number.isNaN(track.watts[index] ?? 0)) continue;
    // A reading that repeats the one before is the same update of the sensor.
    seconds += (track.times[index] ?? 0) - (track.times[index - 1] ?? 0);
    const difference = (track.readings[index] ?? 0) - (track.readings[index - 1] ?? 0);
    if (difference === 0) continue;
    squares += (difference * Math.min(seconds, held)) ** 2;
    seconds = 0;
  }
  return Math.sqrt(squares / 2);
}

/**
 * A moving average over W, moved back by W/2, spreads a step over W: inside the window an eighth of W times the step is
 * missing or too much. The average shows less than the step that there was, so a third is taken.
 */
function lagHalfWidth(track: Track, time: number): number {
  const window = track.averagingWindowSeconds;
  if (window === 0) return 0;
  const first = Math.max(indexAt(track.times, time - window), 0);
  const last = indexAt(track.times, time + window);
  let [low, high] = [Number.POSITIVE_INFINITY, 0];
  for (let index = first; index <= last; index++) {
    low = Math.min(low, track.readings[index] ?? low);
    high = Math.max(high, track.readings[index] ?? high);
  }
  return (Math.max(0, high - low) * window) / 3;
}
