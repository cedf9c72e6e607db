/** Synthetic machines with a known truth: power as a function of time, its exact integral, and what sensors make of it. */
import type { Series, SourceDescription } from '../../../src/results/schema.ts';

/** Deterministic uniform numbers in [0, 1): mulberry32. */
export function random(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Power that is linear between points; two points at one time are a step. Outside, the end values hold. */
export interface Trace {
  times: number[];
  watts: number[];
}

/** Index of the last point at or before a time; −1 before the first. Of two points at one time, the later. */
function pointAt(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((times[mid] ?? 0) <= time) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

/** Power at a time; at a step, that after it. */
export function powerAt(trace: Trace, time: number): number {
  const { times, watts } = trace;
  const index = pointAt(times, time);
  if (index < 0) return watts[0] ?? 0;
  const [t0, t1] = [times[index] ?? 0, times[index + 1]];
  const [p0, p1] = [watts[index] ?? 0, watts[index + 1] ?? 0];
  return t1 === undefined ? p0 : p0 + ((p1 - p0) * (time - t0)) / (t1 - t0);
}

/** Exact joules between two moments. */
export function trueJoules(trace: Trace, from: number, to: number): number {
  const { times, watts } = trace;
  let joules = 0;
  let [time, power] = [from, powerAt(trace, from)];
  for (let index = pointAt(times, from) + 1; index < times.length && (times[index] ?? 0) < to; index++) {
    const next = times[index] ?? 0;
    // The power just before this point: its own, since lines end in points and steps have two.
    joules += ((power + (next > time ? (watts[index] ?? 0) : power)) / 2) * (next - time);
    [time, power] = [next, watts[index] ?? 0];
  }
  const last =
    (times[times.length - 1] ?? 0) < to && (times[times.length - 1] ?? 0) <= time ? power : powerBefore(trace, to);
  return joules + ((power + last) / 2) * (to - time);
}

/** Power just before a time: at a step, that before it. */
function powerBefore(trace: Trace, time: number): number {
  const first = trace.times.indexOf(time);
  return first >= 0 ? (trace.watts[first] ?? 0) : powerAt(trace, time);
}

export interface SensorOptions {
  hertz: number;
  /** Readings are early or late by up to this share of the period. */
  jitter?: number;
  /** Probability that a read fails. */
  missing?: number;
  quantum?: number;
  modulus?: number;
  /** The counter stands at this at time 0. */
  offset?: number;
  /** At this time the counter starts again from zero. */
  resetAt?: number;
  updatePeriodSeconds?: number;
  averagingWindowSeconds?: number;
  from: number;
  to: number;
  rng?: () => number;
}

function readingTimes(options: SensorOptions): number[] {
  const rng = options.rng ?? random(1);
  const period = 1 / options.hertz;
  const out: number[] = [];
  for (let time = options.from; time <= options.to; time += period) {
    out.push(time + (rng() - 0.5) * period * (options.jitter ?? 0));
  }
  return out;
}

/** The moment whose value a reading shows: the sensor's last update. */
function updatedAt(time: number, options: SensorOptions): number {
  const period = options.updatePeriodSeconds ?? 0;
  return period === 0 ? time : Math.floor(time / period) * period;
}

export function counterSeries(trace: Trace, options: SensorOptions): Series {
  const rng = options.rng ?? random(2);
  const timeSeconds = readingTimes(options);
  const origin = options.from - 10;
  let last = origin;
  let total = options.offset ?? 0;
  const values = timeSeconds.map(time => {
    const moment = updatedAt(time, options);
    if (options.resetAt !== undefined && last < options.resetAt && moment >= options.resetAt) {
      total = trueJoules(trace, options.resetAt, moment);
    } else {
      total += trueJoules(trace, last, moment);
    }
    last = moment;
    if (options.modulus !== undefined) total %= options.modulus;
    const quantum = options.quantum ?? 0;
    const shown = quantum > 0 ? Math.floor(total / quantum) * quantum : total;
    return rng() < (options.missing ?? 0) ? null : shown;
  });
  return { source: 's', quantity: 'energy', unit: 'J', timeSeconds, values };
}

export function gaugeSeries(trace: Trace, options: SensorOptions): Series {
  const rng = options.rng ?? random(3);
  const timeSeconds = readingTimes(options);
  const averaging = options.averagingWindowSeconds ?? 0;
  const values = timeSeconds.map(time => {
    const moment = updatedAt(time, options);
    const watts = averaging > 0 ? trueJoules(trace, moment - averaging, moment) / averaging : powerAt(trace, moment);
    const quantum = options.quantum ?? 0;
    const shown = quantum > 0 ? Math.round(watts / quantum) * quantum : watts;
    return rng() < (options.missing ?? 0) ? null : shown;
  });
  return { source: 's', quantity: 'power', unit: 'W', timeSeconds, values };
}

export function counterSource(extra: Partial<SourceDescription> = {}): SourceDescription {
  return {
    id: 's',
    kind: 'counter',
    scope: 'package',
    covers: ['package-0'],
    quantity: 'energy',
    unit: 'J',
    status: 'ok',
    ...extra,
  };
}

export function gaugeSource(extra: Partial<SourceDescription> = {}): SourceDescription {
  return { ...counterSource(), kind: 'gauge', quantity: 'power', unit: 'W', ...extra };
}

export const flat = (watts: number): Trace => ({ times: [0, 1], watts: [watts, watts] });

export function step(low: number, high: number, at: number, until: number): Trace {
  return { times: [at, at, until, until], watts: [low, high, high, low] };
}

export function squareWave(low: number, high: number, periodSeconds: number, from: number, to: number): Trace {
  const times: number[] = [];
  const watts: number[] = [];
  for (let time = from, isHigh = true; time < to; time += periodSeconds / 2, isHigh = !isHigh) {
    times.push(time, time);
    watts.push(isHigh ? low : high, isHigh ? high : low);
  }
  return { times, watts };
}

/** What a machine does over a run: idle, then phases of steady, stepping, ramping, waving and noisy power. */
export function randomTrace(rng: () => number, seconds: number): Trace {
  const idle = 20 + 80 * rng();
  const times = [0];
  const watts = [idle];
  let time = 1 + 3 * rng();
  const to = (at: number, power: number): void => {
    times.push(at);
    watts.push(power);
  };
  to(time, idle);
  while (time < seconds) {
    const length = 0.5 + 6 * rng();
    const base = idle + 300 * rng();
    const kind = Math.floor(rng() * 5);
    const end = time + length;
    if (kind === 0) {
      to(time, base);
      to(end, base);
    } else if (kind === 1) {
      to(end, base);
    } else if (kind === 2) {
      const period = 0.02 + 1.5 * rng();
      const swing = idle + 0.5 * (base - idle);
      for (let at = time, isHigh = true; at < end; at += period / 2, isHigh = !isHigh) {
        to(at, isHigh ? base : swing);
        to(Math.min(at + period / 2, end), isHigh ? base : swing);
      }
    } else if (kind === 3) {
      for (let at = time; at < end; at += 0.05) to(at, base * (0.9 + 0.2 * rng()));
    } else {
      to(time, idle);
      to(end, idle);
    }
    time = end;
  }
  return { times, watts };
}
