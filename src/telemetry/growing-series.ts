/**
 * One series while it grows. Beyond a number of readings the older part is thinned in a way that changes no energy: between
 * two readings that stay, a counter needs nothing, and for a gauge one reading is set so that the trapezoids over the
 * stretch have exactly the area that they had. Readings near the ends of measured windows always stay.
 */
import { PLAUSIBLE_WATTS, STUCK_SECONDS } from '../analysis/energy-track.ts';
import type { SamplerReadings } from '../native/types.ts';
import type { Series, SourceDescription } from '../results/schema.ts';

/** Around the ends of a measured window nothing is thinned; less of it where so many windows leave no room otherwise. Seconds. */
const MARGINS = [2, 0.5, 0.1, 0.02, 0];
/** A running launch has not told its window yet: the latest readings are left alone. */
const RECENT_SECONDS = 900;
/** Readings that become one stretch in one pass. */
const STRETCH = 4;

export class GrowingSeries {
  readonly id: string;
  private readonly source: SourceDescription;
  private readonly maxReadings: number;
  private readonly forgets: boolean;
  private readonly isEnergyCounter: boolean;
  /** No stretch may be longer, seconds: over one in which a counter could have wrapped nothing is known (energy-track.ts). */
  private readonly longest: number;
  private times: Float64Array = new Float64Array(1024);
  private values: Float64Array = new Float64Array(1024);
  private count = 0;
  private thinned = 0;
  /** Of those, failed reads. */
  private failuresThinned = 0;
  private thinAt: number;
  private kept: (readonly [number, number])[] = [];
  private margin = 0;

  /** `forgets`: what is older than the last `maxReadings` goes, for a view that runs for weeks. */
  constructor(source: SourceDescription, maxReadings: number, forgets = false) {
    this.id = source.id;
    this.forgets = forgets;
    this.source = source;
    this.maxReadings = maxReadings;
    this.thinAt = 2 * maxReadings;
    this.isEnergyCounter = source.kind === 'counter' && source.unit === 'J';
    const modulus = this.isEnergyCounter ? source.modulus : undefined;
    this.longest = modulus === undefined ? Number.POSITIVE_INFINITY : modulus / PLAUSIBLE_WATTS[source.scope] / 2;
  }

  get length(): number {
    return this.count;
  }

  /** Of the latest reading; minus infinity where there is none. */
  get endSeconds(): number {
    return this.count === 0 ? Number.NEGATIVE_INFINITY : (this.times[this.count - 1] ?? 0);
  }

  append(readings: SamplerReadings): void {
    this.reserve(this.count + readings.timeSeconds.length);
    this.times.set(readings.timeSeconds, this.count);
    this.values.set(readings.values, this.count);
    this.count += readings.timeSeconds.length;
    if (this.count <= this.thinAt) return;
    if (this.forgets) {
      this.times.copyWithin(0, this.count - this.maxReadings, this.count);
      this.values.copyWithin(0, this.count - this.maxReadings, this.count);
      this.count = this.maxReadings;
      return;
    }
    // A fast series has its whole room in less time than a launch may take: its latest readings are those that fit.
    const recent = (this.times[this.count - 1] ?? 0) - RECENT_SECONDS;
    this.thin(Math.max(recent, this.times[this.count - this.maxReadings] ?? 0));
    while (this.count > 1.75 * this.maxReadings && this.shrinkMargin())
      this.thin(this.times[this.count - this.maxReadings] ?? 0);
    // Where little could go, the next pass waits for a good number of new readings: each pass walks over all of them.
    this.thinAt = Math.max(2 * this.maxReadings, this.count + this.maxReadings / 2);
  }

  keep(window: readonly [number, number]): void {
    this.kept.push(window);
  }

  /** Gauge: the last valid reading. Counter: its rate between the last two. Null where it is older than `maxAge` seconds. */
  latest(now: number, maxAge: number): number | null {
    const last = this.lastValid(this.count - 1);
    if (last < 0 || now - (this.times[last] ?? 0) > maxAge) return null;
    if (this.source.kind === 'gauge') return this.values[last] ?? null;
    // Over at least half a second: a counter with a coarse step would flicker.
    let first = this.lastValid(last - 1);
    while (first > 0 && (this.times[last] ?? 0) - (this.times[first] ?? 0) < 0.5) first = this.lastValid(first - 1);
    if (first < 0) return null;
    let step = (this.values[last] ?? 0) - (this.values[first] ?? 0);
    if (step < 0) step += this.source.modulus ?? Number.NaN;
    const rate = step / ((this.times[last] ?? 0) - (this.times[first] ?? 0));
    return Number.isFinite(rate) ? rate : null;
  }

  /** Thins to the stated number, if the readings that must stay leave that much room. For the end of a run. */
  bound(): void {
    while (this.count > this.maxReadings) {
      const before = this.count;
      this.thin(Number.POSITIVE_INFINITY);
      if (this.count === before && !this.shrinkMargin()) return;
    }
  }

  toSeries(): Series {
    const { quantity, unit } = this.source;
    const timeSeconds: number[] = [];
    const values: (number | null)[] = [];
    for (let index = 0; index < this.count; index++) {
      const value = this.values[index] ?? Number.NaN;
      timeSeconds.push(tidy(this.times[index] ?? 0));
      values.push(Number.isFinite(value) ? tidy(value) : null);
    }
    return {
      source: this.id,
      quantity,
      unit,
      timeSeconds,
      values,
      ...(this.thinned > 0 ? { merged: this.thinned } : {}),
    };
  }

  /** What the readings take in memory now. */
  get bytes(): number {
    return this.times.byteLength + this.values.byteLength;
  }

  /** False when there is none left. */
  private shrinkMargin(): boolean {
    if (this.margin === MARGINS.length - 1) return false;
    this.margin += 1;
    return true;
  }

  /** How many of the readings failed; for sources that the sampler does not count for. */
  outcome(): { reads: number; failures: number; lastError: string } {
    const failures = this.values.subarray(0, this.count).filter(value => Number.isNaN(value)).length;
    return { reads: this.count + this.thinned, failures: failures + this.failuresThinned, lastError: '' };
  }

  private lastValid(from: number): number {
    let index = from;
    while (index >= 0 && !Number.isFinite(this.values[index] ?? Number.NaN)) index -= 1;
    return index;
  }

  private reserve(needed: number): void {
    if (needed <= this.times.length) return;
    const size = Math.max(needed, Math.min(2 * this.times.length, this.times.length + this.maxReadings / 2));
    const [times, values] = [new Float64Array(size), new Float64Array(size)];
    times.set(this.times.subarray(0, this.count));
    values.set(this.values.subarray(0, this.count));
    this.times = times;
    this.values = values;
  }

  /** One pass over what is older than `before`: every stretch of readings becomes its ends and, for a gauge, one between. */
  private thin(before: number): void {
    const edges = this.kept.flat().sort((a, b) => a - b);
    let write = 0;
    let read = 0;
    while (read < this.count) {
      const end = read + STRETCH;
      if (end < this.count && this.mayMerge(read, end, before, edges)) {
        const isFailure = Number.isNaN(this.values[read] ?? Number.NaN);
        if (isFailure) this.failuresThinned += STRETCH - 1;
        const between = this.source.kind === 'gauge' && !isFailure ? this.sameArea(read, end) : null;
        this.put(write++, this.times[read] ?? 0, this.values[read] ?? 0);
        if (between) this.put(write++, between.time, between.value);
        read = end;
      } else {
        this.put(write++, this.times[read] ?? 0, this.values[read] ?? 0);
        read += 1;
      }
    }
    this.thinned += this.count - write;
    this.count = write;
  }

  private put(index: number, time: number, value: number): void {
    this.times[index] = time;
    this.values[index] = value;
  }

  /** Only stretches of valid readings without a wrap, or of failed reads alone, outside the margins. */
  private mayMerge(first: number, last: number, before: number, edges: readonly number[]): boolean {
    const [from, to] = [this.times[first] ?? 0, this.times[last] ?? 0];
    const margin = MARGINS[this.margin] ?? 0;
    if (to >= before || to - from > this.longest || isNear(edges, from - margin, to + margin)) return false;
    if (this.values.subarray(first, last + 1).every(value => Number.isNaN(value))) return true;
    let isFlat = true;
    let stood = false;
    for (let index = first; index <= last; index++) {
      if (!Number.isFinite(this.values[index] ?? Number.NaN)) return false;
      const falls = index > first && (this.values[index] ?? 0) < (this.values[index - 1] ?? 0);
      if (falls && this.source.kind === 'counter') return false;
      isFlat &&= this.values[index] === this.values[first];
      if (index === first || !this.isEnergyCounter || this.values[index] !== this.values[index - 1]) continue;
      stood ||= (this.times[index] ?? 0) - (this.times[index - 1] ?? 0) > STUCK_SECONDS;
    }
    // That a counter stood still for long must stay to be seen: what was drawn meanwhile is lost, not nothing.
    if (stood && !isFlat) return false;
    // Bits have no mean.
    if (isFlat || this.source.unit === 'bitmask') return isFlat;
    // A spike at an end could ask for a reading below zero between, which would count as failed.
    return this.source.kind === 'counter' || this.sameArea(first, last).value > 0;
  }

  /** The reading half-way between two that stay which gives the trapezoids between them the area of all those in between. */
  private sameArea(first: number, last: number): { time: number; value: number } {
    let area = 0;
    for (let index = first + 1; index <= last; index++) {
      const seconds = (this.times[index] ?? 0) - (this.times[index - 1] ?? 0);
      area += (seconds * ((this.values[index - 1] ?? 0) + (this.values[index] ?? 0))) / 2;
    }
    const [from, to] = [this.times[first] ?? 0, this.times[last] ?? 0];
    const mean = area / (to - from);
    const ends = ((this.values[first] ?? 0) + (this.values[last] ?? 0)) / 2;
    return { time: (from + to) / 2, value: 2 * mean - ends };
  }
}

/**
 * Without the noise of binary fractions, which makes a document a third longer: 13 digits hold the clock of a machine that is up for years to a microsecond,
 * and any counter to less than its step.
 */
function tidy(value: number): number {
  return Number(value.toPrecision(13));
}

/** Whether any of the sorted numbers lies between two bounds. */
function isNear(sorted: readonly number[], low: number, high: number): boolean {
  let from = 0;
  let to = sorted.length;
  while (from < to) {
    const mid = (from + to) >>> 1;
    if ((sorted[mid] ?? 0) < low) from = mid + 1;
    else to = mid;
  }
  return (sorted[from] ?? Number.POSITIVE_INFINITY) <= high;
}
