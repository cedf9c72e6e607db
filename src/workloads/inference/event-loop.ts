/** The longest that the launch's event loop stood still: progress, telemetry and Ctrl-C wait as long. */
import { performance } from 'node:perf_hooks';

const PERIOD_MS = 10;

export interface LongestStall {
  /** Beyond the timer's own period. Seconds. */
  seconds: number;
  /**
   * Of that, what the loop was at work itself: our code, garbage collection, and waits for a CPU in the middle of it. In the rest it had nothing to do and was not given a CPU, since the
   * session's threads or other processes had them all. Seconds.
   */
  ownSeconds: number;
}

/** Runs the work, and gives beside its result the event loop's longest stall meanwhile. */
export async function watchEventLoop<T>(work: () => Promise<T>): Promise<{ result: T; longestStall: LongestStall }> {
  const longest: LongestStall = { seconds: 0, ownSeconds: 0 };
  let last = performance.now();
  let used = performance.eventLoopUtilization();
  const look = (): void => {
    const now = performance.now();
    const stall = now - last - PERIOD_MS;
    if (stall > 1000 * longest.seconds) {
      const { active } = performance.eventLoopUtilization(used);
      longest.seconds = stall / 1000;
      longest.ownSeconds = Math.min(stall, active) / 1000;
    }
    last = now;
    used = performance.eventLoopUtilization();
  };
  const timer = setInterval(look, PERIOD_MS);
  try {
    return { result: await work(), longestStall: longest };
  } finally {
    clearInterval(timer);
  }
}
