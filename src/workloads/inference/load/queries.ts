/**
 * Queries one after another, in LoadGen's two ways: the next one when the last is done (closed loop), or at a time that was
 * fixed beforehand (open loop). In the open loop the latency counts from the intended arrival, so that a stall is charged to
 * every query that should have come during it: no coordinated omission.
 */
import { Random } from '../../../models/random.ts';
import type { LoadClock } from './clock.ts';

export interface QueryLog {
  /** Of every query, in the order of arrival. Seconds. */
  latencies: number[];
  /** From the first (intended) arrival to the last completion. Seconds on the clock. */
  windowSeconds: [number, number];
  /** False where it was ended from outside. */
  complete: boolean;
}

export interface QueryHooks {
  stopped(): boolean;
  progress(message: string): void;
}

const PROGRESS_SECONDS = 0.25;

/** Whether a closed loop has enough; asked after each query. */
export type Enough = (queries: number, elapsedSeconds: number) => boolean;

/** Each query is sent when the one before is done. */
export async function runClosedLoop(
  query: () => Promise<unknown>,
  enough: Enough,
  clock: LoadClock,
  hooks: QueryHooks,
): Promise<QueryLog> {
  const latencies: number[] = [];
  const begin = clock.now();
  let end = begin;
  const report = reporter(hooks, begin);
  do {
    const start = clock.now();
    await query();
    end = clock.now();
    latencies.push(end - start);
    report(end, `query ${latencies.length}`);
  } while (!hooks.stopped() && !enough(latencies.length, end - begin));
  return { latencies, windowSeconds: [begin, end], complete: !hooks.stopped() };
}

/** `count` intended arrivals of a Poisson process of `rate` per second, as seconds from its start; the first is at 0. */
export function poissonArrivals(count: number, rate: number, seed: number): Float64Array {
  const random = new Random(seed);
  const arrivals = new Float64Array(count);
  for (let i = 1; i < count; i++) {
    // (symmetric + 1) / 2 is in [0, 1), so the logarithm is finite.
    arrivals[i] = (arrivals[i - 1] ?? 0) - Math.log(1 - (random.symmetric() + 1) / 2) / rate;
  }
  return arrivals;
}

/**
 * Queries at their intended arrivals, first come first served by one session. A query that comes while another is served
 * waits, and its latency counts the wait.
 * @param hopeless asked after each query with its latency; true ends the run (not complete)
 */
export async function runOpenLoop(
  query: () => Promise<unknown>,
  arrivals: Float64Array,
  clock: LoadClock,
  hooks: QueryHooks,
  hopeless: (latency: number) => boolean = () => false,
): Promise<QueryLog> {
  const latencies: number[] = [];
  const begin = clock.now();
  let end = begin;
  let given = false;
  const report = reporter(hooks, begin);
  for (const arrival of arrivals) {
    const intended = begin + arrival;
    if (end < intended) clock.waitUntil(intended);
    await query();
    end = clock.now();
    const latency = end - intended;
    latencies.push(latency);
    report(end, `query ${latencies.length} of ${arrivals.length}`);
    given = hopeless(latency);
    if (given || hooks.stopped()) break;
  }
  return { latencies, windowSeconds: [begin, end], complete: !given && !hooks.stopped() };
}

function reporter({ progress }: QueryHooks, begin: number): (now: number, message: string) => void {
  let reported = begin;
  return (now, message) => {
    if (now - reported < PROGRESS_SECONDS) return;
    reported = now;
    progress(message);
  };
}
