/** Pure: which metrics an inference case has; the first is its headline. */
import { percentileSuffix } from '../../analysis/early-stopping.ts';
import { findModel } from '../../models/registry.ts';
import { type InferenceParams, isGguf } from './params.ts';

const LATENCIES = ['latency_seconds_p50', 'latency_seconds_p90', 'latency_seconds_p99'] as const;

export function inferenceMetrics(params: InferenceParams): readonly string[] {
  const { scenario } = params;
  const claim =
    params.percentile === undefined ? [] : [`early_stopping_latency_seconds_${percentileSuffix(params.percentile)}`];
  // Its samples count the wait of each query: a rate over their sum would mean nothing.
  if (scenario === 'server') return ['server_queries_per_second', ...claim, ...LATENCIES];
  if (params.mode === 'generate') {
    return [
      'output_tokens_per_second',
      'prefill_tokens_per_second',
      'decode_tokens_per_second',
      'time_to_first_token_seconds_p50',
      'time_to_first_token_seconds_p99',
      'time_per_output_token_seconds',
      'inter_token_latency_seconds_p50',
      'inter_token_latency_seconds_p99',
      // Nobody counted the operations of a user's file.
      ...(findModel(params.model) === undefined ? [] : ['flops_per_second']),
    ];
  }
  const rates = throughputNames(params);
  if (scenario === 'single-stream' || scenario === 'multi-stream') return [...claim, ...LATENCIES, ...rates];
  const [headline = 'samples_per_second', ...others] = rates;
  return [headline, 'inferences_per_second', ...LATENCIES, ...others];
}

function throughputNames({ model: name, mode }: InferenceParams): string[] {
  const model = findModel(name);
  const tokens = mode === 'decode' ? 'decode_tokens_per_second' : 'prefill_tokens_per_second';
  if (model === undefined) return [isGguf(name) ? tokens : 'samples_per_second'];
  return [model.kind === 'decoder' ? tokens : 'samples_per_second', 'flops_per_second'];
}
