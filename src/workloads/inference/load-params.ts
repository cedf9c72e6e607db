/** Parameters of a load scenario: which apply to which, with MLPerf's defaults. */

import * as z from 'zod';
import { PERCENTILES } from '../../analysis/early-stopping.ts';
import {
  DEFAULT_PERCENTILE,
  LENGTHS,
  type Lengths,
  LOAD_SCENARIOS,
  type LoadScenario,
  MULTI_STREAM_SAMPLES,
} from './load/scenarios.ts';

export interface LoadParams {
  /** Absent: inferences back to back, with the suite's timing. */
  scenario?: LoadScenario;
  lengths?: Lengths;
  percentile?: number;
  /** Server: seconds that a query may take from its intended arrival. */
  latencyBound?: number;
  /** Server: a fixed rate instead of the search. */
  queriesPerSecond?: number;
}

export const loadShape = {
  scenario: z.enum(LOAD_SCENARIOS).optional(),
  lengths: z.enum(LENGTHS).optional(),
  percentile: z.literal([...PERCENTILES]).optional(),
  latencyBound: z.number().positive().max(3600).optional(),
  queriesPerSecond: z.number().positive().max(1e9).optional(),
};

/** The first load parameter that does not apply or is missing, and why; null where all is well. */
export function loadProblem(params: LoadParams & { batch?: number | undefined }): [string, string] | null {
  const { scenario } = params;
  if (scenario === undefined) {
    const surplus = (['lengths', 'percentile', 'latencyBound', 'queriesPerSecond'] as const).find(
      key => params[key] !== undefined,
    );
    return surplus === undefined ? null : [surplus, `${surplus} belongs to a load scenario; set scenario too`];
  }
  if (scenario === 'offline' && params.percentile !== undefined) {
    return ['percentile', 'offline has no latency to be held to; leave percentile out'];
  }
  if (scenario === 'server') {
    return params.latencyBound === undefined
      ? ['latencyBound', 'the server scenario needs a latency bound in seconds, such as 0.015']
      : null;
  }
  if (params.latencyBound !== undefined) return ['latencyBound', `${scenario} has no latency bound; server has`];
  if (params.queriesPerSecond !== undefined) return ['queriesPerSecond', `${scenario} has no arrival rate; server has`];
  return null;
}

/** What was left out, filled in; nothing where there is no scenario. */
export function loadDefaults({ scenario, lengths, percentile }: LoadParams): LoadParams {
  if (scenario === undefined) return {};
  return {
    lengths: lengths ?? 'quick',
    ...(scenario === 'offline' ? {} : { percentile: percentile ?? DEFAULT_PERCENTILE[scenario] }),
  };
}

/** Rows per inference where none are asked for. */
export function defaultBatch({ scenario }: LoadParams): number {
  return scenario === 'multi-stream' ? MULTI_STREAM_SAMPLES : 1;
}
