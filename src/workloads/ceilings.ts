/** Ceilings that a launch measures in its own process, between the calls, since the clock moves from minute to minute. */
import type { GemmDtype, NativeAddon } from '../native/types.ts';

const PEAK_TIMING = {
  maxWarmupSeconds: 0.02,
  minSampleSeconds: 0.002,
  targetSeconds: 0.04,
  minSamples: 8,
  maxSamples: 64,
};

/**
 * The roofline (Williams, Waterman, Patterson 2009) in FLOP/s: the lower of the FMA peak and of what reading the operands
 * once, at the bandwidth that was measured on them, leaves time for. `flops` and `bytes` are of one iteration.
 */
export function roofline(
  ceilings: Record<string, number>,
  { flops, bytes }: { flops: number; bytes: number },
): Record<string, number> {
  const peak = ceilings.fma_flops_per_second;
  const bandwidth = ceilings.operand_bytes_per_second;
  if (peak === undefined) return {};
  const memory = bandwidth === undefined || bytes === 0 ? Number.POSITIVE_INFINITY : (bandwidth * flops) / bytes;
  return { roofline_flops_per_second: Math.min(peak, memory) };
}

/**
 * FMA peak in FLOP/s of one dtype (of its own instruction: FMA, bf16 or int8 dot product) over `threads` threads: the best of a few milliseconds' samples, since a ceiling is what
 * the machine can do when nothing disturbs it. `narrowWeights`: of the instruction for int8 weights in [-64, 63]. Takes about 60 ms.
 */
export async function measureFmaPeak(
  native: NativeAddon,
  dtype: GemmDtype,
  threads: number,
  narrowWeights = false,
): Promise<number> {
  const problem = native.createPeak({ dtype, threads, ...(narrowWeights && { narrowWeights }) });
  try {
    await problem.prepare();
    const { samplesSeconds, iterationsPerSample } = await problem.measure(PEAK_TIMING);
    return (problem.work().flops * iterationsPerSample) / Math.min(...samplesSeconds);
  } finally {
    problem.dispose();
  }
}
