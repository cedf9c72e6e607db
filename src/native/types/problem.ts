/** What every native workload is: a thing to be prepared, verified and timed. */
export interface NativeVerification {
  method: string;
  passed: boolean;
  error: number;
  tolerance: number;
}

export interface MeasureOptions {
  /** A warm-up ends when it is detected to have ended, at the latest after this. */
  maxWarmupSeconds: number;
  /** A sample is a batch of iterations at least this long (raised when the clock needs more). */
  minSampleSeconds: number;
  /** Stop after this much measured time ... */
  targetSeconds: number;
  /** ... but not before this many samples ... */
  minSamples: number;
  /** ... nor after this many. */
  maxSamples: number;
}

export interface NativeMeasurement {
  /** Start and end of the measured window, CLOCK_MONOTONIC seconds. */
  windowStart: number;
  windowEnd: number;
  /** Duration of each sample, seconds; every sample is `iterationsPerSample` iterations. */
  samplesSeconds: Float64Array;
  iterationsPerSample: number;
  /** The same samples as each rank measured them; empty where there are no ranks. */
  rankSamplesSeconds: Float64Array[];
  warmup: { samplesSeconds: Float64Array; settled: boolean };
  /** False when stop() ended it early. */
  complete: boolean;
}

/** One thing to be timed; see native/core/problem.h. All promises settle on the event loop; the work is on own threads. */
export interface NativeProblem {
  /** Allocates and fills. Rejects with a NativeError. */
  prepare(): Promise<void>;
  /** Runs once, then checks the output. */
  runAndVerify(): Promise<NativeVerification>;
  /** Times. Leaves the last output in place. */
  measure(options: MeasureOptions): Promise<NativeMeasurement>;
  /** Checks the output as it lies, without running. */
  verify(): Promise<NativeVerification>;
  /** Ceilings of the machine for this work, measured now: rates by name. Empty where there are none. */
  measureCeilings(): Promise<Record<string, number>>;
  /** Damages the output as a defect would; for tests of the verifier. */
  injectFault(kind: string): void;
  faultKinds(): string[];
  /** What one iteration does. */
  work(): { flops: number; bytes: number; items: number };
  /** Facts for the record: kernel, isa, blocking, bytesAllocated, ... */
  facts(): Record<string, string>;
  /**
   * Ceilings that measure() saw between its samples, by name (`fma_flops_per_second`): best of many looks, as of the last
   * call that ended. Empty for a problem that has none.
   */
  ceilings(): Record<string, number>;
  /** Asks a running measure() to end after the sample in hand. */
  stop(): void;
  /** Frees memory and threads. */
  dispose(): void;
}

/** Errors that the addon throws carry these two beside `message`. */
export interface NativeError extends Error {
  code: string;
  remedy: string;
}
