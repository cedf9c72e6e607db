/**
 * The timed loop for what is awaited in JavaScript: tinybench drives it (clock, time budget, hooks, abort), and this file
 * decides what a sample is and when the warm-up is over. The native workloads have the same rules in native/core/timed_loop.h.
 */
import { Bench, calibrateTimerOverhead, hrtimeNowTimestampProvider } from 'tinybench';
import type { Timing } from '../workload.ts';

export interface LoopResult {
  /** CLOCK_MONOTONIC seconds. */
  windowSeconds: [number, number];
  /** In the order in which they were taken. */
  samplesSeconds: number[];
  iterationsPerSample: number;
  warmup: { samplesSeconds: number[]; settled: boolean };
  complete: boolean;
}

export interface LoopHooks {
  /** Asked after each sample. */
  stopped(): boolean;
  progress(message: string): void;
}

const SETTLED_WINDOW = 5;
const SETTLED_CHANGE = 0.01;
const PROGRESS_SECONDS = 0.25;
/** A sample is at least this many times as long as the clock's step and cost: 0.1 %. */
const CLOCK_MARGIN = 1000;
/** Enough runs for the JIT to have compiled the path of a short one. */
const CALIBRATION_RUNS = 5;
const CALIBRATION_SECONDS = 0.03;

/** Seconds of CLOCK_MONOTONIC: the clock of all windows and series. */
export function monotonicSeconds(): number {
  return Number(process.hrtime.bigint()) / 1e9;
}

/** Does so many runs and gives the seconds that they took together. */
export type TimeRuns = (iterations: number) => Promise<number>;

/** @param timeRuns its rejection rejects the loop */
export async function runSampledLoop(timeRuns: TimeRuns, timing: Timing, hooks: LoopHooks): Promise<LoopResult> {
  const iterations = iterationsPerSample(await calibrate(timeRuns), timing, shortestSampleSeconds());
  const sample = (): Promise<number> => timeRuns(iterations);
  hooks.progress('warm-up');
  const warmup = await runPhase(sample, {
    seconds: timing.maxWarmupSeconds,
    minSamples: 0,
    ended: samples => hooks.stopped() || isSettled(samples, timing.maxWarmupSeconds),
  });
  let reported = monotonicSeconds();
  const measured = await runPhase(sample, {
    seconds: timing.targetSeconds,
    minSamples: timing.minSamples,
    ended: samples => {
      const now = monotonicSeconds();
      if (now - reported > PROGRESS_SECONDS) {
        reported = now;
        hooks.progress(`sample ${samples.length}`);
      }
      return hooks.stopped() || samples.length >= timing.maxSamples;
    },
  });
  return {
    windowSeconds: measured.windowSeconds,
    samplesSeconds: measured.samplesSeconds,
    iterationsPerSample: iterations,
    warmup: {
      samplesSeconds: warmup.samplesSeconds,
      settled: isSettled(warmup.samplesSeconds, timing.maxWarmupSeconds),
    },
    complete: !hooks.stopped(),
  };
}

/**
 * One inference is one sample where it is as long as the suite's `minSampleSeconds`, so that the percentiles are those of
 * single inferences. It takes several to a sample when one is shorter than that or too short for the clock, or when
 * `maxSamples` would end the case before its time.
 */
export function iterationsPerSample(
  secondsPerRun: number,
  { minSampleSeconds, targetSeconds, maxSamples }: Pick<Timing, 'minSampleSeconds' | 'targetSeconds' | 'maxSamples'>,
  shortestSample: number,
): number {
  const seconds = Math.max(shortestSample, minSampleSeconds, targetSeconds / maxSamples);
  return Math.max(1, Math.ceil(seconds / secondsPerRun));
}

/**
 * Whether the median of the last w samples is within 1 % · √(5 / w) of the median of the w before. w is 5, or less where ten
 * samples do not fit into the warm-up's bound, so that a long inference is not called unsettled for being long.
 */
export function isSettled(samples: readonly number[], maxWarmupSeconds: number): boolean {
  const fitting = Math.floor(maxWarmupSeconds / (2 * (samples.at(-1) ?? Number.POSITIVE_INFINITY)));
  const window = Math.min(SETTLED_WINDOW, Math.max(1, fitting));
  if (samples.length < 2 * window) return false;
  const last = median(samples.slice(-window));
  const before = median(samples.slice(-2 * window, -window));
  return Math.abs(last - before) <= SETTLED_CHANGE * Math.sqrt(SETTLED_WINDOW / window) * before;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

interface Phase {
  seconds: number;
  minSamples: number;
  ended(samples: readonly number[]): boolean;
}

/**
 * One tinybench run. The task reports its own duration, taken with tinybench's clock, because tinybench sorts the samples
 * that it retains and their order is needed to see a drift.
 */
async function runPhase(
  sample: () => Promise<number>,
  { seconds, minSamples, ended }: Phase,
): Promise<Pick<LoopResult, 'windowSeconds' | 'samplesSeconds'>> {
  const samplesSeconds: number[] = [];
  const enough = new AbortController();
  const bench = new Bench({
    time: seconds * 1000,
    iterations: minSamples,
    now: () => monotonicSeconds() * 1000,
    signal: enough.signal,
    warmup: false,
    throws: true,
  });
  const windowSeconds: [number, number] = [monotonicSeconds(), 0];
  bench.add(
    'inference',
    async () => {
      const seconds = await sample();
      samplesSeconds.push(seconds);
      return { overriddenDuration: seconds * 1000 };
    },
    {
      async: true,
      afterEach: () => {
        windowSeconds[1] = monotonicSeconds();
        if (ended(samplesSeconds)) enough.abort();
      },
    },
  );
  await bench.run();
  if (samplesSeconds.length === 0) windowSeconds[1] = windowSeconds[0];
  return { windowSeconds, samplesSeconds };
}

/** Seconds of one run when nothing disturbs it: the least of a few. */
async function calibrate(timeRuns: TimeRuns): Promise<number> {
  const begin = monotonicSeconds();
  let least = Number.POSITIVE_INFINITY;
  for (let runs = 0, now = begin; now - begin < CALIBRATION_SECONDS || runs < CALIBRATION_RUNS; runs++) {
    const seconds = await timeRuns(1);
    now = monotonicSeconds();
    least = Math.min(least, seconds);
    // A run that is this long is beyond any doubt about the clock.
    if (seconds > CALIBRATION_SECONDS) break;
  }
  return Math.max(least, 1e-9);
}

/** The clock's smallest step or the cost of reading it, whichever is more, times 1000. */
function shortestSampleSeconds(): number {
  const overhead = calibrateTimerOverhead(hrtimeNowTimestampProvider) / 1000;
  let step = Number.POSITIVE_INFINITY;
  for (let i = 0; i < 100; i++) {
    const start = process.hrtime.bigint();
    let now = process.hrtime.bigint();
    while (now === start) now = process.hrtime.bigint();
    step = Math.min(step, Number(now - start) / 1e9);
  }
  return CLOCK_MARGIN * Math.max(overhead, step);
}
