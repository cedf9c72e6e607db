/** What the coordinating process and a launch say to each other. Plain data over Node's IPC channel. */
import type { Launch, RankSamples, Verification, Warning, Work } from '../results/schema.ts';
import type { Machine, Params, Timing } from '../workloads/workload.ts';

export interface LaunchRequest {
  workload: string;
  params: Params;
  backend: string;
  seed: number;
  timing: Timing;
  cacheDir: string;
  machine: Machine;
}

export interface LaunchSuccess {
  pid: number;
  windowSeconds: [number, number];
  samplesSeconds: number[];
  iterationsPerSample: number;
  work: Work;
  warmup: NonNullable<Launch['warmup']>;
  ranks?: RankSamples[];
  complete: boolean;
  ceilings: Record<string, number>;
  tokenTimes?: Launch['tokenTimes'];
  /** Why the number must not be used, where a rule of the workload says so. */
  invalid?: { reason: string; remedy: string };
  /** Of the output that the timed loop left behind, or of the first one where that already failed. */
  verification: Verification;
  facts: Record<string, string | number | boolean | null>;
  warnings: Warning[];
  state: Launch['state'];
}

export interface LaunchFailure {
  code: string;
  message: string;
  remedy: string;
  /** True where another launch of the case would fail in the same way (a bad model, too little memory). */
  permanent: boolean;
  /** True where it is the machine that lacks what the case needs: the case is skipped, it did not fail. */
  unavailable: boolean;
}

export type LaunchMessage =
  | { type: 'ready' }
  | { type: 'progress'; message: string }
  | { type: 'verified-wrong'; verification: Verification; when: 'before' | 'after' }
  | { type: 'result'; result: LaunchSuccess }
  | { type: 'failure'; failure: LaunchFailure };

export type CoordinatorMessage = { type: 'start'; request: LaunchRequest } | { type: 'stop' };
