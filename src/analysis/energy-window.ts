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
    edge: Math.hypot(opening.halfWidth, closing.halfWidth) / COVERAGE_FACTOR,
    // Power of the missing part: anything between none and twice the mean, as a rectangle.
    gap: (meanWatts * lostSeconds) / Math.sqrt(3),
    synchronisation: ((options.clockOffsetSeconds ?? 0) * Math.abs(opening.watts - closing.watts)) / Math.sqrt(3),
  };
  if (track.kind === 'counter') {
    // Two readings, each uniform within one quantum; each as old as the counter's last update.
    terms.quantum = track.quantumJoules / Math.sqrt(6);
    terms.update = (meanWatts * track.updatePeriodSeconds) / Math.sqrt(6);
  } else {
    terms.sampling = samplingTerm(track, from, to);
    terms.lag = Math.hypot(lagHalfWidth(track, from), lagHalfWidth(track, to)) / COVERAGE_FACTOR;
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
 * Counter: the energy of the stretch is known, its shape is not. If the power steps once inside the stretch, then the
 * truth is one of two: the power before the stretch held until the moment, or the power after it held from the moment on.
 * Where a window begins or ends with the load, both agree and are exact; straight interpolation would be wrong by the
 * step. Their middle is taken; half their distance, and the distance to the straight line, bound the error.
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
  const before = finiteOr(watts[index], power);
  const after = finiteOr(watts[index + 2], power);
  const forwards = clamp(e0 + before * fraction * span, e0, e1);
  const backwards = clamp(e1 - after * (1 - fraction) * span, e0, e1);
  const middle = (forwards + backwards) / 2;
  const halfWidth = Math.max(Math.abs(forwards - backwards) / 2, EDGE_SHAPE * Math.abs(straight - middle));
  return { joules: middle, halfWidth, watts: power };
}

/** A ramp through the edge has its truth between the straight line and the middle of the extrapolations (three quarters in). */
const EDGE_SHAPE = 0.75;

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

function clamp(value: number, low: number, high: number): number {
  return Math.min(Math.max(value, low), high);
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
 * What a gauge does not show between two readings, from what it shows from one to the next. For power that is as rough
 * between readings as over them (white), the error of the sum is spacing · sd · √n, and Σ(ΔP)² = 2·n·sd²; for steps and
 * ramps this overstates.
 */
function samplingTerm(track: Track, from: number, to: number): number {
  let squares = 0;
  for (let index = Math.max(indexAt(track.times, from), 0) + 1; index <= indexAt(track.times, to); index++) {
    const difference = (track.readings[index] ?? 0) - (track.readings[index - 1] ?? 0);
    if (Number.isNaN(track.watts[index] ?? 0)) continue;
    const seconds = (track.times[index] ?? 0) - (track.times[index - 1] ?? 0);
    squares += (difference * seconds) ** 2;
  }
  return Math.sqrt(squares / 2);
}

/**
 * A moving average over W, moved back by W/2, spreads a step over W: inside the window an eighth of W times the step is
 * missing or too much.
 */
function lagHalfWidth(track: Track, time: number): number {
  const window = track.averagingWindowSeconds;
  if (window === 0) return 0;
  const at = (moment: number): number => {
    const index = clamp(indexAt(track.times, moment), 0, track.readings.length - 1);
    return track.readings[index] ?? 0;
  };
  return (Math.abs(at(time + window / 2) - at(time - window / 2)) * window) / 8;
}
