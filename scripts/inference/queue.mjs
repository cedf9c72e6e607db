// The server scenario's scheduler in real time: an engine of known service time behind Poisson arrivals, its p99 against
// M/D/1 theory. A p99 at 90 % load is known to 5 % after millions of queries only, which no bench has the time for: so the
// same arrivals are also put through Lindley's recursion, w' = max(0, w + S - gap), exactly, and the measured p99 is
// corrected by how far that sample of arrivals is from theory (a control variate).
import { dist, ms, now } from './setup.mjs';

const { poissonArrivals, runClosedLoop, runOpenLoop, realClock, quantile } = parts;

const LIMIT = 0.05;
const SERVICE_SECONDS = 500e-6;
const LOADS = [0.5, 0.7, 0.9];
const hooks = { stopped: () => false, progress: () => {} };

/** The engine: busy for so long, and it computes nothing. */
async function serve() {
  const end = now() + SERVICE_SECONDS;
  while (now() < end);
}

function recursion(arrivals, service) {
  let free = 0;
  return Array.from(arrivals, arrival => {
    free = Math.max(free, arrival) + service;
    return free - arrival;
  });
}

/**
 * Quantile of the time in an M/D/1 system, in service times: P[wait <= x] = (1 - rho) sum over j <= x of
 * (rho (j - x))^j / j! exp(-rho (j - x)) (Erlang 1909). The alternating sum is good to some 30 service times.
 */
function sojournQuantile(p, rho) {
  const waitAtMost = x => {
    let sum = 0;
    for (let j = 0; j <= x; j++) {
      const lag = rho * (j - x);
      let term = Math.exp(-lag);
      for (let i = 1; i <= j; i++) term *= lag / i;
      sum += term;
    }
    return (1 - rho) * sum;
  };
  let low = 0;
  let high = 28;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (waitAtMost(middle) < p) low = middle;
    else high = middle;
  }
  return 1 + high;
}

/** @param seconds of each load */
export async function queue(seconds) {
  const clock = realClock(() => false);
  // What a query takes with the scheduler's own work is the service time: the load is of that.
  const closed = await runClosedLoop(serve, queries => queries >= 2000, clock, hooks);
  const service = quantile(closed.latencies, 0.5);
  const rows = [];
  for (const [index, load] of LOADS.entries()) {
    const rate = load / service;
    const arrivals = poissonArrivals(Math.round(rate * seconds), rate, 20 + index);
    const { latencies } = await runOpenLoop(serve, arrivals, clock, hooks);
    const theory = service * sojournQuantile(0.99, load);
    const sample = quantile(recursion(arrivals, service), 0.99) / theory;
    const measured = quantile(latencies, 0.99);
    rows.push({ load, queries: latencies.length, theory, measured, sample, ratio: measured / theory / sample });
  }
  return {
    result: { service, rows },
    lines: [
      `Server scenario in real time, an engine of ${ms(service)}: p99 against M/D/1`,
      ...rows.map(
        ({ load, queries, theory, measured, sample, ratio }) =>
          `  load ${load}: ${ms(measured)} of ${queries} queries, theory ${ms(theory)}, these arrivals ${sample.toFixed(3)} of theory: ${ratio.toFixed(3)} x (within ${LIMIT})`,
      ),
    ],
    missed: rows.filter(({ ratio }) => Math.abs(ratio - 1) > LIMIT).map(({ load }) => `M/D/1 at load ${load} is missed`),
  };
}
