/** What watching costs the work: the same short work with and without the sampler, in turns. Once per run. */
import type { MeasureOptions, NativeProblem } from '../native/types.ts';
import type { Telemetry } from './recorder.ts';

const TIMING: MeasureOptions = {
  maxWarmupSeconds: 0.02,
  minSampleSeconds: 0.002,
  targetSeconds: 0.03,
  minSamples: 5,
  maxSamples: 1000,
};

export type ObserverEffect = NonNullable<NonNullable<Telemetry['observer']>['effect']>;

/** Time of the work with the sampler over that without it: median of the pairs, and the interval of that median. */
export async function observerEffect(
  problem: Pick<NativeProblem, 'measure'>,
  sampling: { pause(): void; resume(): void },
  pairs: number,
): Promise<ObserverEffect> {
  const ratios: number[] = [];
  for (let pair = 0; pair < pairs; pair++) {
    const order = pair % 2 === 0 ? ([false, true] as const) : ([true, false] as const);
    const seconds = { with: 0, without: 0 };
    for (const watched of order) {
      if (watched) sampling.resume();
      else sampling.pause();
      seconds[watched ? 'with' : 'without'] = median(perIteration(await problem.measure(TIMING)));
    }
    ratios.push(seconds.with / seconds.without);
  }
  sampling.resume();
  return { ratio: median(ratios), interval: medianInterval(ratios), pairs };
}

function perIteration(measured: { samplesSeconds: Float64Array; iterationsPerSample: number }): number[] {
  return Array.from(measured.samplesSeconds, seconds => seconds / measured.iterationsPerSample);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? Number.NaN) + (sorted[Math.ceil(middle)] ?? Number.NaN)) / 2;
}

/** Ranks n/2 -+ 1.96 sqrt(n)/2 of the sorted values: at least 95 % (Conover, Practical Nonparametric Statistics, 3.2). */
function medianInterval(values: readonly number[]): [number, number] {
  const sorted = [...values].sort((a, b) => a - b);
  const reach = (1.96 * Math.sqrt(sorted.length)) / 2;
  const low = Math.max(0, Math.floor(sorted.length / 2 - reach) - 1);
  const high = Math.min(sorted.length - 1, Math.ceil(sorted.length / 2 + reach));
  return [sorted[low] ?? Number.NaN, sorted[high] ?? Number.NaN];
}
