/** The clock that a load scenario runs on: the machine's, or in tests one that only moves when it is told to. */
import { monotonicSeconds } from '../timed-loop.ts';

export interface LoadClock {
  /** Seconds. */
  now(): number;
  /** Returns at `seconds`, not before; at once where that is past. */
  waitUntil(seconds: number): void;
}

/** The rest of a wait is spent looking at the clock: a sleeping thread is woken up to a millisecond late. Seconds. */
const SPIN_SECONDS = 1.5e-3;
/** Longest sleep at a stretch, so that Ctrl-C is seen. Seconds. */
const NAP_SECONDS = 0.2;

/**
 * CLOCK_MONOTONIC. It blocks the thread that it is called on, which is the session's own.
 * @param stopped ends a wait early
 */
export function realClock(stopped: () => boolean): LoadClock {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  return {
    now: monotonicSeconds,
    waitUntil: seconds => {
      for (let left = seconds - monotonicSeconds(); left > SPIN_SECONDS; left = seconds - monotonicSeconds()) {
        if (stopped()) return;
        Atomics.wait(cell, 0, 0, Math.min(NAP_SECONDS, left - SPIN_SECONDS) * 1000);
      }
      while (monotonicSeconds() < seconds);
    },
  };
}
