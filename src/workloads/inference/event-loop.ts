/** The longest that the launch's event loop stood still: progress, telemetry and Ctrl-C wait as long. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

/** Runs the work, and gives beside its result the event loop's longest stall meanwhile. Seconds. */
export async function watchEventLoop<T>(work: () => Promise<T>): Promise<{ result: T; longestStallSeconds: number }> {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  try {
    const result = await work();
    // The monitor's delays are those between two of its timers, and hold its own period.
    return { result, longestStallSeconds: Math.max(0, (delay.max - 1e6 * RESOLUTION_MS) / 1e9) };
  } finally {
    delay.disable();
  }
}
