/** Ceilings that a launch measures in its own process, between the calls, since the clock moves from minute to minute. */
import type { NativeAddon } from '../native/types.ts';

const PEAK_TIMING = {
  maxWarmupSeconds: 0.02,
  minSampleSeconds: 0.002,
  targetSeconds: 0.04,
  minSamples: 8,
  maxSamples: 64,
};

/**
 * FMA peak in FLOP/s of one dtype over `threads` threads: the best of a few milliseconds' samples, since a ceiling is what
 * the machine can do when nothing disturbs it. Takes about 60 ms.
 */
export async function measureFmaPeak(native: NativeAddon, dtype: 'f32' | 'f64', threads: number): Promise<number> {
  const problem = native.createPeak({ dtype, threads });
  try {
    await problem.prepare();
    const { samplesSeconds, iterationsPerSample } = await problem.measure(PEAK_TIMING);
    return (problem.work().flops * iterationsPerSample) / Math.min(...samplesSeconds);
  } finally {
    problem.dispose();
  }
}
