/** A clock that only moves when it is told to, and an engine on it whose service time is known. */
import type { LoadClock } from '../../../../../src/workloads/inference/load/clock.ts';

export interface VirtualEngine {
  clock: LoadClock;
  query(): Promise<void>;
  served(): number;
}

/** @param serviceSeconds of the n-th query */
export function virtualEngine(serviceSeconds: (query: number) => number): VirtualEngine {
  let now = 100;
  let queries = 0;
  return {
    clock: {
      now: () => now,
      waitUntil: seconds => {
        now = Math.max(now, seconds);
      },
    },
    query: async () => {
      now += serviceSeconds(queries);
      queries += 1;
    },
    served: () => queries,
  };
}

/**
 * P[wait <= x] in an M/D/1 queue with service time 1 and load rho (Erlang 1909; Tijms, "A First Course in Stochastic
 * Models", §9.2): (1 - rho) * sum over j <= x of (rho (j - x))^j / j! * exp(-rho (j - x)).
 */
export function waitAtMost(x: number, rho: number): number {
  let sum = 0;
  for (let j = 0; j <= x; j++) {
    const lag = rho * (j - x);
    let term = Math.exp(-lag);
    for (let i = 1; i <= j; i++) term *= lag / i;
    sum += term;
  }
  return (1 - rho) * sum;
}

/** Quantile of the time in an M/D/1 system, in service times. The alternating sum is good to some 30 of them. */
export function sojournQuantile(p: number, rho: number): number {
  let low = 0;
  let high = 28;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (waitAtMost(middle, rho) < p) low = middle;
    else high = middle;
  }
  return 1 + high;
}
