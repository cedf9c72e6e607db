/** Work that keeps all CPUs busy, for what telemetry measures about itself before the first case. */
import type { NativeAddon, NativeProblem } from '../native/types.ts';

/**
 * Gives `use` the FMA peak on `threads` threads, prepared. Null where it cannot run here (AIBENCH_ISA names what the CPU lacks)
 * or fails: that costs a figure about the telemetry, and the cases say it better.
 */
export async function withReferenceLoad<T>(
  native: NativeAddon,
  threads: number,
  use: (problem: NativeProblem) => Promise<T>,
): Promise<T | null> {
  let problem: NativeProblem | undefined;
  try {
    problem = native.createPeak({ dtype: 'f32', threads });
    await problem.prepare();
    return await use(problem);
  } catch {
    return null;
  } finally {
    problem?.dispose();
  }
}
