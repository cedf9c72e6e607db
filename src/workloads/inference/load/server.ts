/**
 * LoadGen's Server scenario: Poisson arrivals, and the highest rate at which the latency bound holds at the percentile with
 * early stopping's confidence. Search by bisection in the load; what is reported is a run of its own at the rate found.
 */
import { allowedOverlatency, minimumQueries } from '../../../analysis/early-stopping.ts';
import { mixSeeds } from '../../../models/random.ts';
import type { LoadClock } from './clock.ts';
import { poissonArrivals, type QueryHooks, type QueryLog, runOpenLoop } from './queries.ts';

export interface ServerPlan {
  latencyBoundSeconds: number;
  percentile: number;
  /** A fixed rate instead of the search. Queries per second. */
  rate?: number;
  /** Of the final run, at the least. */
  minSeconds: number;
  minQueries: number;
  seed: number;
}

export interface ServerResult {
  log: QueryLog;
  /** Rate of the schedule. Queries per second. */
  rate: number;
  overlatency: number;
  /** The bound held, by early stopping's inequality. */
  met: boolean;
  probes: number;
  serviceSeconds: number;
}

/** A single server is saturated at load 1; what is left of the bisection's interval when it ends. */
const HIGHEST_LOAD = 0.99;
/** Below a tenth hardly a query meets another: what is late there is late at any rate, and 64 queries take 640 times as long as one. */
const LOWEST_LOAD = 0.1;
const LOAD_STEP = 0.02;
/** A final run that misses the bound is repeated this much slower, so often at the most. */
const BACK_OFF = 0.97;
const FINAL_ATTEMPTS = 6;
const SERVICE_RUNS = 9;

export async function runServer(
  query: () => Promise<unknown>,
  plan: ServerPlan,
  clock: LoadClock,
  hooks: QueryHooks,
): Promise<ServerResult> {
  const serviceSeconds = await medianServiceSeconds(query, clock);
  let probes = 0;
  const attempt = async (rate: number, least: { seconds: number; queries: number }): Promise<ServerResult> => {
    probes += 1;
    const count = Math.max(least.queries, minimumQueries(1, plan.percentile), Math.ceil(rate * least.seconds));
    const allowed = allowedOverlatency(count, plan.percentile);
    let overlatency = 0;
    const arrivals = poissonArrivals(count, rate, mixSeeds(plan.seed, probes));
    const log = await runOpenLoop(query, arrivals, clock, hooks, latency => {
      if (latency > plan.latencyBoundSeconds) overlatency += 1;
      return overlatency > allowed && plan.rate === undefined;
    });
    return { log, rate, overlatency, met: log.complete && overlatency <= allowed, probes, serviceSeconds };
  };
  const final = { seconds: plan.minSeconds, queries: plan.minQueries };
  if (plan.rate !== undefined) return attempt(plan.rate, final);
  // Where one query alone is late there is no rate to be found, and low rates would take long to say so.
  if (serviceSeconds > plan.latencyBoundSeconds) return attempt(HIGHEST_LOAD / serviceSeconds, final);
  hooks.progress('searching for the rate');
  let rate = (await highestLoad(load => attempt(load / serviceSeconds, { seconds: 0, queries: 0 }))) / serviceSeconds;
  hooks.progress('measuring at the rate found');
  let result = await attempt(rate, final);
  for (let again = 1; again < FINAL_ATTEMPTS && !result.met && !hooks.stopped(); again++) {
    rate *= BACK_OFF;
    result = await attempt(rate, final);
  }
  return { ...result, probes };
}

/** Bisection between loads; the lowest one where none holds. A probe that was ended by Ctrl-C ends the search. */
async function highestLoad(probe: (load: number) => Promise<ServerResult>): Promise<number> {
  let low = LOWEST_LOAD;
  let high = HIGHEST_LOAD;
  if ((await probe(high)).met) return high;
  while (high - low > LOAD_STEP) {
    const middle = (low + high) / 2;
    const result = await probe(middle);
    if (result.met) low = middle;
    else high = middle;
    if (!result.log.complete && result.overlatency === 0) break;
  }
  return low;
}

async function medianServiceSeconds(query: () => Promise<unknown>, clock: LoadClock): Promise<number> {
  const taken: number[] = [];
  for (let i = 0; i < SERVICE_RUNS; i++) {
    const start = clock.now();
    await query();
    taken.push(clock.now() - start);
  }
  return Math.max(1e-9, taken.toSorted((a, b) => a - b)[Math.floor(SERVICE_RUNS / 2)] ?? 0);
}
