/** From a case's parameters to its load scenario. */
import { DEFAULT_PERCENTILE, type LoadPlan } from './load/scenarios.ts';
import type { InferenceParams } from './params.ts';

/** The load scenario that the parameters ask for, or null for inferences back to back. */
export function loadPlan(params: InferenceParams, seed: number): LoadPlan | null {
  const { scenario, lengths, percentile, latencyBound, queriesPerSecond, batch } = params;
  if (scenario === undefined) return null;
  return {
    scenario,
    lengths: lengths ?? 'quick',
    percentile: percentile ?? DEFAULT_PERCENTILE[scenario],
    batch,
    seed,
    ...(latencyBound === undefined ? {} : { latencyBoundSeconds: latencyBound }),
    ...(queriesPerSecond === undefined ? {} : { rate: queriesPerSecond }),
  };
}
