/**
 * What each metric name means: how a launch's samples become one number. One row per name; `aibench verify` recomputes
 * every summary from these rows alone, so that a document needs no workload code to be checked.
 *
 * Throughput is total work over total time, never a mean of rates. A latency is a quantile (type 7) of the time per
 * iteration over the samples of one launch. docs/methodology.md §1.
 */

import type { Launch, Work } from '../results/schema.ts';
import { earlyStoppingEstimate, PERCENTILES, percentileSuffix } from './early-stopping.ts';
import { quantile } from './statistics.ts';

export interface MetricDefinition {
  name: string;
  unit: string;
  better: 'higher' | 'lower';
  summary: string;
  /** What the rate is over: the samples' own time, or the window where samples overlap or have pauses between them. */
  over?: 'window';
  /** The launch's value, or null where the launch does not have what it takes. */
  ofLaunch(launch: LaunchSamples): number | null;
}

export type LaunchSamples = Pick<Launch, 'samplesSeconds' | 'iterationsPerSample' | 'work'> &
  Partial<Pick<Launch, 'windowSeconds' | 'tokenTimes' | 'ranks'>>;

function rate(quantity: keyof Work) {
  return ({ samplesSeconds, work }: LaunchSamples): number | null => {
    const amount = work[quantity];
    const seconds = samplesSeconds.reduce((sum, sample) => sum + sample, 0);
    if (amount === undefined || amount <= 0 || seconds <= 0) return null;
    return (amount * samplesSeconds.length) / seconds;
  };
}

function latency(p: number) {
  return ({ samplesSeconds, iterationsPerSample }: LaunchSamples): number | null =>
    samplesSeconds.length === 0 || iterationsPerSample <= 0 ? null : quantile(samplesSeconds, p) / iterationsPerSample;
}

function iterationRate({ samplesSeconds, iterationsPerSample }: LaunchSamples): number | null {
  const seconds = samplesSeconds.reduce((sum, sample) => sum + sample, 0);
  return seconds > 0 ? (iterationsPerSample * samplesSeconds.length) / seconds : null;
}

/** Completed over the time from the first intended arrival to the last completion, which the window is. */
function completionRate({ samplesSeconds, iterationsPerSample, windowSeconds }: LaunchSamples): number | null {
  if (windowSeconds === undefined || samplesSeconds.length === 0) return null;
  const seconds = windowSeconds[1] - windowSeconds[0];
  return seconds > 0 ? (iterationsPerSample * samplesSeconds.length) / seconds : null;
}

/** Between the rank that took longest and the one that took shortest, of each sample. */
function rankSkew({ ranks = [], iterationsPerSample }: LaunchSamples): number | null {
  const [first, ...others] = ranks;
  if (first === undefined || others.length === 0 || iterationsPerSample <= 0) return null;
  const skews = first.samplesSeconds.map((_, sample) => {
    const times = ranks.map(({ samplesSeconds }) => samplesSeconds[sample] ?? Number.NaN);
    return times.reduce((a, b) => Math.max(a, b)) - times.reduce((a, b) => Math.min(a, b));
  });
  return skews.length === 0 ? null : quantile(skews, 0.5) / iterationsPerSample;
}

function tokenQuantile(part: 'firstTokenSeconds' | 'interTokenSeconds', p: number) {
  return ({ tokenTimes }: LaunchSamples): number | null => {
    const times = tokenTimes?.[part] ?? [];
    return times.length === 0 ? null : quantile(times, p);
  };
}

/** In a generation, of its first part alone: all tokens of the prompts over all times to a first token. */
function prefillRate(launch: LaunchSamples): number | null {
  const times = launch.tokenTimes?.firstTokenSeconds ?? [];
  return times.length === 0 ? rate('tokens')(launch) : overTotal(launch.work.promptTokens, times);
}

/** In a generation, of its steps alone: a token per row in each, over all times from a token to the next. */
function decodeRate(launch: LaunchSamples): number | null {
  const times = launch.tokenTimes?.interTokenSeconds ?? [];
  return times.length === 0 ? rate('tokens')(launch) : overTotal(launch.work.items, times);
}

function overTotal(amount: number | undefined, seconds: readonly number[]): number | null {
  const total = seconds.reduce((sum, one) => sum + one, 0);
  return amount === undefined || amount <= 0 || total <= 0 ? null : (amount * seconds.length) / total;
}

function earlyStopping(percentile: number): MetricDefinition {
  return {
    name: `early_stopping_latency_seconds_${percentileSuffix(percentile)}`,
    unit: 's',
    better: 'lower',
    summary: `upper bound of the ${percentileSuffix(percentile)} latency at 99 % confidence (MLPerf early stopping)`,
    ofLaunch: ({ samplesSeconds, iterationsPerSample }) =>
      iterationsPerSample === 1 ? earlyStoppingEstimate(samplesSeconds, percentile) : null,
  };
}

export const METRICS: readonly MetricDefinition[] = [
  {
    name: 'flops_per_second',
    unit: 'FLOP/s',
    better: 'higher',
    summary: 'floating-point operations per second',
    ofLaunch: rate('flops'),
  },
  {
    name: 'bytes_per_second',
    unit: 'B/s',
    better: 'higher',
    summary: 'bytes moved per second, as the workload counts them',
    ofLaunch: rate('bytes'),
  },
  {
    name: 'algorithm_bandwidth_bytes_per_second',
    unit: 'B/s',
    better: 'higher',
    summary: 'message size over time of a collective (nccl-tests: algbw)',
    ofLaunch: rate('bytes'),
  },
  {
    name: 'bus_bandwidth_bytes_per_second',
    unit: 'B/s',
    better: 'higher',
    summary: 'algorithm bandwidth times the collective’s own factor, as in nccl-tests',
    ofLaunch: rate('busBytes'),
  },
  {
    name: 'dense_flops_per_second',
    unit: 'FLOP/s',
    better: 'higher',
    summary: 'operations of the dense product that one with compressed weights stands in for; more than were done',
    ofLaunch: rate('denseFlops'),
  },
  {
    name: 'inferences_per_second',
    unit: 'inf/s',
    better: 'higher',
    summary: 'model runs per second',
    ofLaunch: iterationRate,
  },
  {
    name: 'samples_per_second',
    unit: 'samples/s',
    better: 'higher',
    summary: 'inputs (images, sequences) per second',
    ofLaunch: rate('items'),
  },
  {
    name: 'prefill_tokens_per_second',
    unit: 'tok/s',
    better: 'higher',
    summary: 'prompt tokens per second until the first token is there',
    ofLaunch: prefillRate,
  },
  {
    name: 'decode_tokens_per_second',
    unit: 'tok/s',
    better: 'higher',
    summary: 'generated tokens per second after the first one, of all rows together',
    ofLaunch: decodeRate,
  },
  {
    name: 'latency_seconds_p50',
    unit: 's',
    better: 'lower',
    summary: 'median time per iteration',
    ofLaunch: latency(0.5),
  },
  {
    name: 'latency_seconds_p90',
    unit: 's',
    better: 'lower',
    summary: '90th percentile of the time per iteration',
    ofLaunch: latency(0.9),
  },
  {
    name: 'latency_seconds_p99',
    unit: 's',
    better: 'lower',
    summary: '99th percentile of the time per iteration',
    ofLaunch: latency(0.99),
  },
  {
    name: 'latency_seconds_p999',
    unit: 's',
    better: 'lower',
    summary: '99.9th percentile of the time per iteration',
    ofLaunch: latency(0.999),
  },
  {
    name: 'latency_seconds_max',
    unit: 's',
    better: 'lower',
    summary: 'longest time per iteration',
    ofLaunch: latency(1),
  },
  {
    name: 'rank_skew_seconds_p50',
    unit: 's',
    better: 'lower',
    summary: 'time per iteration of the slowest rank less that of the fastest, median over samples',
    ofLaunch: rankSkew,
  },
  {
    name: 'load_latency_seconds',
    unit: 's',
    better: 'lower',
    summary: 'mean time of one dependent load (total time over total loads)',
    ofLaunch: launch => {
      const loads = rate('items')(launch);
      return loads === null ? null : 1 / loads;
    },
  },
  ...PERCENTILES.map(earlyStopping),
  {
    name: 'output_tokens_per_second',
    unit: 'tok/s',
    better: 'higher',
    summary: 'generated tokens per second of whole generations, the prompt’s time included',
    ofLaunch: rate('tokens'),
  },
  ...([50, 99] as const).flatMap((percent): MetricDefinition[] => [
    {
      name: `time_to_first_token_seconds_p${percent}`,
      unit: 's',
      better: 'lower',
      summary: `time from the prompt to the first token, ${percent === 50 ? 'median' : '99th percentile'} (TTFT)`,
      ofLaunch: tokenQuantile('firstTokenSeconds', percent / 100),
    },
    {
      name: `inter_token_latency_seconds_p${percent}`,
      unit: 's',
      better: 'lower',
      summary: `time from a token to the next, ${percent === 50 ? 'median' : '99th percentile'}`,
      ofLaunch: tokenQuantile('interTokenSeconds', percent / 100),
    },
  ]),
  {
    name: 'time_per_output_token_seconds',
    unit: 's',
    better: 'lower',
    summary: 'mean time from a token to the next (TPOT)',
    ofLaunch: ({ tokenTimes }) => {
      const times = tokenTimes?.interTokenSeconds ?? [];
      return times.length === 0 ? null : times.reduce((sum, time) => sum + time, 0) / times.length;
    },
  },
  {
    name: 'server_queries_per_second',
    unit: 'queries/s',
    better: 'higher',
    summary: 'queries completed per second under a latency bound (MLPerf server)',
    over: 'window',
    ofLaunch: completionRate,
  },
];

const BY_NAME = new Map(METRICS.map(metric => [metric.name, metric]));

/** The row of a metric name, or undefined. */
export function metricDefinition(name: string): MetricDefinition | undefined {
  return BY_NAME.get(name);
}
