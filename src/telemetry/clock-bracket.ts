/**
 * How far a meter's clock is from ours, from bounds that each exchange gives (the intervals of Marzullo 1984): the true offset lies
 * in all of them, so that the narrowest common interval bounds it. Clocks drift, so older bounds widen. Pure.
 */

/** A meter's offset: its clock minus ours, somewhere within ± halfWidth. Seconds. */
export interface ClockOffset {
  seconds: number;
  halfWidth: number;
}

/** Quartz without correction: 50 ppm, four seconds a day. */
const DRIFT = 5e-5;

export class ClockBracket {
  #low = Number.NEGATIVE_INFINITY;
  #high = Number.POSITIVE_INFINITY;
  #at = 0;
  /** How often the bounds contradicted each other: somebody set one of the clocks. */
  steps = 0;

  /** Takes in `low` ≤ offset ≤ `high`, learned at `at` by our clock; either may be infinite. */
  add(low: number, high: number, at: number): void {
    const widened = Math.max(0, at - this.#at) * DRIFT;
    const [before, after] = [this.#low - widened, this.#high + widened];
    this.#low = Math.max(before, low);
    this.#high = Math.min(after, high);
    this.#at = at;
    if (this.#low <= this.#high) return;
    this.steps += 1;
    this.#low = low;
    this.#high = high;
  }

  /** Null until both bounds are known. */
  offset(at: number): ClockOffset | null {
    if (!Number.isFinite(this.#low) || !Number.isFinite(this.#high)) return null;
    const widened = Math.max(0, at - this.#at) * DRIFT;
    return { seconds: (this.#low + this.#high) / 2, halfWidth: (this.#high - this.#low) / 2 + widened };
  }
}

/** What a meter says of time with an answer, by its own clock. */
export interface MeterTime {
  /** When it took the newest reading; null where it does not date it. */
  takenSeconds: number | null;
  /** Its clock while it answered lay between these two; null where it does not tell. */
  nowSeconds: readonly [number, number] | null;
}

/** Dates the readings of one meter, on our clock. */
export class ReadingClock {
  readonly #bracket = new ClockBracket();
  #lastTaken = Number.NEGATIVE_INFINITY;
  #lastAsked = Number.NaN;
  /** The smallest distance between two readings of the meter: how long one may wait before it can be asked for. */
  #interval = Number.POSITIVE_INFINITY;

  offset(at: number): ClockOffset | null {
    return this.#bracket.offset(at);
  }

  /**
   * When the reading was taken, by our clock, ± uncertainty. Asked and answered bound it as long as nothing better is known:
   * half-way between the two, and earlier by `delay` where the meter's answers are as old as that.
   */
  date(
    asked: number,
    answered: number,
    meter: MeterTime | null,
    delay: readonly [number, number] = [0, 0],
  ): { timeSeconds: number; uncertaintySeconds: number } {
    if (meter !== null) this.#learn(asked, answered, meter);
    const [earliest, latest] = [asked - delay[1], answered - delay[0]];
    const plain = { timeSeconds: (earliest + latest) / 2, uncertaintySeconds: (latest - earliest) / 2 };
    const offset = meter?.takenSeconds == null ? null : this.#bracket.offset(answered);
    if (offset === null || meter?.takenSeconds == null) return plain;
    return { timeSeconds: meter.takenSeconds - offset.seconds, uncertaintySeconds: offset.halfWidth };
  }

  #learn(asked: number, answered: number, { takenSeconds, nowSeconds }: MeterTime): void {
    if (nowSeconds !== null) this.#bracket.add(nowSeconds[0] - answered, nowSeconds[1] - asked, answered);
    if (takenSeconds === null) return;
    let high = Number.POSITIVE_INFINITY;
    if (takenSeconds > this.#lastTaken) {
      // It was not there at the question before: taken after that, but for what it waits until it can be asked for.
      this.#interval = Math.min(this.#interval, takenSeconds - this.#lastTaken);
      high = takenSeconds - this.#lastAsked + this.#interval;
    }
    // It was taken before the answer came.
    this.#bracket.add(takenSeconds - answered, Number.isFinite(high) ? high : Number.POSITIVE_INFINITY, answered);
    this.#lastAsked = asked;
    this.#lastTaken = takenSeconds;
  }
}
