/**
 * The seam for everything that can be measured. A workload lives in one file (or folder), has one row in registry.ts, and
 * runs inside a launch: a process of its own that sees one case.
 */
import type { z } from 'zod';
import type { Machine } from '../machine.ts';
import type { NativeAddon } from '../native/types.ts';
import type { RankSamples, Verification, Warning, Work } from '../results/schema.ts';

export type ParamValue = string | number | boolean | null | (string | number)[];
export type { Machine };

export type Params = Record<string, ParamValue>;

export type Support =
  | { supported: true; warnings?: Warning[] }
  /** `broken`: what it needs is there and fails, so that the case has failed; otherwise it is skipped. */
  | { supported: false; reason: string; remedy: string; broken?: true };

/** How long to measure; from the suite. */
export interface Timing {
  maxWarmupSeconds: number;
  minSampleSeconds: number;
  targetSeconds: number;
  minSamples: number;
  maxSamples: number;
}

export interface LaunchContext {
  native: NativeAddon;
  machine: Machine;
  seed: number;
  timing: Timing;
  /** Where generated models are kept. */
  cacheDir: string;
  /** Aborted on Ctrl-C: end after the sample in hand and return what there is. */
  signal: AbortSignal;
  /** One line for the progress display: "loading resnet50", "warm-up", "sample 12 of 40". */
  progress(message: string): void;
}

export interface Measurement {
  /** CLOCK_MONOTONIC seconds (NativeAddon.now, or process.hrtime, which is the same clock on Linux). */
  windowSeconds: [number, number];
  samplesSeconds: number[];
  iterationsPerSample: number;
  /** Work of one sample. */
  work: Work;
  warmup: { samplesSeconds: number[]; settled: boolean };
  /** The same samples as each rank measured them, where the ranks are worth keeping apart. */
  ranks?: RankSamples[];
  /** False when the signal ended it early. */
  complete: boolean;
  /** Ceilings measured in this process around the samples, by name (`fma_flops_per_second`, ...). */
  ceilings: Record<string, number>;
  /** Of a language model's generations. Seconds. */
  tokenTimes?: { firstTokenSeconds: number[]; interTokenSeconds: number[] };
  /** Set where a rule says that the number must not be used: the case is `invalid`. */
  invalid?: { reason: string; remedy: string };
}

/** A case that is ready to run. Every method may be called once, in this order, dispose always. */
export interface Prepared {
  /** Facts for the record: kernel, algorithm, provider, model digest, ... */
  facts: Record<string, string | number | boolean | null>;
  warnings: Warning[];
  /** Runs once and checks the output, before anything is timed. */
  verify(): Promise<Verification>;
  measure(): Promise<Measurement>;
  /** Checks the output that the timed loop left behind. */
  verifyTimed(): Promise<Verification>;
  dispose(): Promise<void>;
}

export interface Workload<P extends Params = Params> {
  name: string;
  /** One sentence for `aibench list workloads`. */
  summary: string;
  /** Strict: an unknown key is an error. Defaults are filled in here, so that the document holds every parameter. */
  params: z.ZodType<P>;
  /** Backends that it can run on; the first is the default. */
  backends: readonly string[];
  /** Metric names, from analysis/metrics.ts; the first is the headline. */
  metrics(params: P): readonly string[];
  /** Which ceiling of a launch the headline is held against, or null. */
  limit(params: P): { ceiling: string; metric: string } | null;
  /** What a case asks to run on (`cuda:0`), where that is not the CPU. */
  device?(params: P, backend: string): string;
  /** Short name of a case for a table, in the field's own words, defaults left out (`gemm f32 2048³ t=1`). */
  label(params: P): string;
  /** Seconds that a launch takes beside its measuring time (start, model load, verification): for --dry-run. */
  overheadSeconds(params: P, machine: Machine): number;
  /** A launch is ended after this, where the common limit (60 s and ten times what is expected) is not right; no second one is then tried. */
  timeoutSeconds?(expectedSeconds: number, backend: string): number | undefined;
  /** Whether it can run here, without running it. Cheap: called in the coordinating process. */
  supports(params: P, backend: string, machine: Machine): Promise<Support>;
  prepare(params: P, backend: string, context: LaunchContext): Promise<Prepared>;
}
