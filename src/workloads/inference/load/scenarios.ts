/**
 * The four scenarios of MLPerf LoadGen on one session. `quick` lengths are the suite's own timing; `mlperf` lengths are those
 * of the MLPerf inference rules (600 s, and 24,576 samples offline).
 */
import { allowedOverlatency, minimumQueries, percentileSuffix } from '../../../analysis/early-stopping.ts';
import { AibenchError } from '../../../errors.ts';
import type { Warning } from '../../../results/schema.ts';
import type { Timing } from '../../workload.ts';
import type { LoopHooks, LoopResult } from '../timed-loop.ts';
import { isSettled } from '../timed-loop.ts';
import type { LoadClock } from './clock.ts';
import { type QueryLog, runClosedLoop } from './queries.ts';
import { runServer } from './server.ts';

export const LOAD_SCENARIOS = ['single-stream', 'multi-stream', 'server', 'offline'] as const;
export type LoadScenario = (typeof LOAD_SCENARIOS)[number];

export const LENGTHS = ['quick', 'mlperf'] as const;
export type Lengths = (typeof LENGTHS)[number];

/** MLPerf inference rules, "Scenarios": the percentile of each, and its length. */
export const DEFAULT_PERCENTILE: Record<LoadScenario, number> = {
  'single-stream': 0.9,
  'multi-stream': 0.99,
  server: 0.99,
  offline: 0.99,
};
const MLPERF_SECONDS = 600;
const MLPERF_OFFLINE_SAMPLES = 24_576;
/** Samples of one query in MultiStream. */
export const MULTI_STREAM_SAMPLES = 8;

export interface LoadPlan {
  scenario: LoadScenario;
  lengths: Lengths;
  percentile: number;
  /** Samples (rows) of one query. */
  batch: number;
  latencyBoundSeconds?: number;
  rate?: number;
  seed: number;
}

/** What a scenario brings beside the samples. */
export interface LoadResult extends LoopResult {
  facts: Record<string, string | number | boolean | null>;
  warnings: Warning[];
  tokenTimes?: { firstTokenSeconds: number[]; interTokenSeconds: number[] };
  /** Set where a rule says that the number must not be used. */
  invalid?: { reason: string; remedy: string };
}

/** @param query runs one query (one inference of `batch` samples) */
export async function runLoadScenario(
  query: () => Promise<unknown>,
  plan: LoadPlan,
  timing: Timing,
  clock: LoadClock,
  hooks: LoopHooks,
): Promise<LoadResult> {
  hooks.progress('warm-up');
  const warmup = await runClosedLoop(query, (_queries, elapsed) => elapsed >= timing.maxWarmupSeconds, clock, {
    ...hooks,
    progress: () => {},
  });
  const frame = {
    iterationsPerSample: 1,
    warmup: { samplesSeconds: warmup.latencies, settled: isSettled(warmup.latencies, timing.maxWarmupSeconds) },
  };
  if (plan.scenario === 'server') return { ...frame, ...(await server(query, plan, timing, clock, hooks)) };
  const least = leastLength(plan, timing);
  const log = await runClosedLoop(
    query,
    (queries, elapsed) =>
      (queries >= least.queries && elapsed >= least.seconds) || (least.most !== null && queries >= least.most),
    clock,
    hooks,
  );
  const mlperf = log.complete && plan.lengths === 'mlperf';
  return {
    ...frame,
    ...samplesOf(log),
    facts: { ...commonFacts(plan, log), mlperfLength: mlperf },
    warnings: [...validityWarnings(plan), ...countWarnings(plan, log)],
  };
}

/** A closed loop ends when it has both, or `most` queries. */
function leastLength(plan: LoadPlan, timing: Timing): { queries: number; seconds: number; most: number | null } {
  if (plan.lengths === 'mlperf') {
    const offline = plan.scenario === 'offline';
    const queries = offline ? Math.ceil(MLPERF_OFFLINE_SAMPLES / plan.batch) : minimumQueries(1, plan.percentile);
    return { queries, seconds: MLPERF_SECONDS, most: null };
  }
  // Sixty-four queries are quick on every model; the 662 of a 99th percentile are not.
  const claim = plan.scenario === 'offline' ? 0 : minimumQueries(1, plan.percentile);
  const queries = Math.max(timing.minSamples, plan.percentile <= 0.9 ? claim : 0);
  return { queries, seconds: timing.targetSeconds, most: Math.max(queries, timing.maxSamples) };
}

async function server(
  query: () => Promise<unknown>,
  plan: LoadPlan,
  timing: Timing,
  clock: LoadClock,
  hooks: LoopHooks,
): Promise<Omit<LoadResult, 'iterationsPerSample' | 'warmup'>> {
  const { latencyBoundSeconds } = plan;
  if (latencyBoundSeconds === undefined) {
    throw new AibenchError(
      'SERVER_BOUND',
      'The server scenario needs a latency bound.',
      'Set latencyBound, in seconds.',
    );
  }
  const full = plan.lengths === 'mlperf';
  const result = await runServer(
    query,
    {
      latencyBoundSeconds,
      percentile: plan.percentile,
      ...(plan.rate === undefined ? {} : { rate: plan.rate }),
      minSeconds: full ? MLPERF_SECONDS : timing.targetSeconds,
      minQueries: full ? minimumQueries(1, plan.percentile) : timing.minSamples,
      seed: plan.seed,
    },
    clock,
    hooks,
  );
  const { log, rate, overlatency, met, probes, serviceSeconds } = result;
  const stopped = hooks.stopped();
  return {
    ...samplesOf(log),
    complete: !stopped,
    facts: {
      ...commonFacts(plan, log),
      latencyBoundSeconds,
      scheduledQueriesPerSecond: rate,
      overlatencyQueries: overlatency,
      overlatencyAllowed: allowedOverlatency(log.latencies.length, plan.percentile),
      serverProbes: probes,
      serviceSeconds,
      load: rate * serviceSeconds,
      mlperfLength: full && met && !stopped,
    },
    warnings: validityWarnings(plan),
    ...(met || stopped
      ? {}
      : { invalid: boundMissed(plan, latencyBoundSeconds, rate, overlatency, log, serviceSeconds) }),
  };
}

function samplesOf(log: QueryLog): Pick<LoopResult, 'samplesSeconds' | 'windowSeconds' | 'complete'> {
  return { samplesSeconds: log.latencies, windowSeconds: log.windowSeconds, complete: log.complete };
}

function commonFacts({ scenario, lengths, percentile, batch }: LoadPlan, log: QueryLog): LoadResult['facts'] {
  return {
    scenario,
    lengths,
    queries: log.latencies.length,
    samplesPerQuery: batch,
    ...(scenario === 'offline' ? {} : { percentile, earlyStoppingQueries: minimumQueries(1, percentile) }),
  };
}

/** What keeps a scenario from being MLPerf's: its length, its percentile, the samples of a query. */
function validityWarnings(plan: LoadPlan): Warning[] {
  const { scenario, lengths, percentile, batch } = plan;
  if (lengths === 'mlperf') {
    const usual = DEFAULT_PERCENTILE[scenario];
    const samples = scenario === 'multi-stream' ? MULTI_STREAM_SAMPLES : 1;
    const others = [
      ...(scenario === 'offline' || percentile === usual
        ? []
        : [`it is held to the ${percentileSuffix(percentile)}, MLPerf’s to the ${percentileSuffix(usual)}`]),
      ...(scenario === 'offline' || batch === samples ? [] : [`a query has ${batch} samples, MLPerf’s ${samples}`]),
    ];
    if (others.length === 0) return [];
    return [
      {
        code: 'NOT_MLPERF_VALID',
        message: `The length is MLPerf’s and the scenario is not (${others.join('; ')}), so this is no MLPerf-valid result.`,
        remedy: 'Leave percentile and batch out to have MLPerf’s.',
      },
    ];
  }
  return [
    {
      code: 'NOT_MLPERF_VALID',
      message:
        'quick lengths: the scenario is MLPerf’s, its minimum duration is not kept, so this is no MLPerf-valid result.',
      remedy: 'Set lengths=mlperf (600 s per launch) for a run of MLPerf’s length.',
    },
  ];
}

/** Says that the percentile could not be claimed, and what it would take. */
function countWarnings({ scenario, percentile }: LoadPlan, log: QueryLog): Warning[] {
  const needed = minimumQueries(1, percentile);
  if (scenario === 'offline' || log.latencies.length >= needed) return [];
  return [
    {
      code: 'EARLY_STOPPING_SHORT',
      message: `${log.latencies.length} queries are too few to claim the ${percentileSuffix(percentile)} at 99 % confidence; it takes ${needed}.`,
      remedy: 'Measure for longer (timing.targetSeconds), or take a lower percentile.',
    },
  ];
}

function boundMissed(
  { percentile, rate: fixed }: LoadPlan,
  bound: number,
  rate: number,
  overlatency: number,
  { latencies }: QueryLog,
  service: number,
): { reason: string; remedy: string } {
  const ms = (seconds: number): string => `${(1000 * seconds).toPrecision(3)} ms`;
  const found = `${overlatency} of ${latencies.length} queries at ${rate.toPrecision(3)} per second took longer than ${ms(bound)}`;
  return {
    reason: `The latency bound does not hold: ${found}, more than the ${percentileSuffix(percentile)} allows at 99 % confidence.`,
    remedy:
      service > bound
        ? `One inference alone takes ${ms(service)}: raise latencyBound, or choose a smaller model.`
        : fixed === undefined
          ? 'Leave the machine idle and run again, or raise latencyBound.'
          : 'Lower queriesPerSecond, or leave it out to have the rate searched for.',
  };
}
