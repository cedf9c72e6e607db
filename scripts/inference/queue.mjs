// The server scenario's scheduler in real time: an engine of known service time behind Poisson arrivals, its p99 against
// M/D/1 theory. A p99 at 90 % load is known to 5 % after millions of queries only, which no bench has the time for: so the
// same arrivals are also put through Lindley's recursion, w' = max(0, w + S - gap), exactly, and the measured p99 is
// corrected by how far that sample of arrivals is from theory (a control variate). Where the machine itself held the engine or the
// scheduler up (a hypervisor's steal, a neighbour), the service time is no longer known, and the bar is not judged.
import { hooks, median, ms, now, parts, us } from './setup.mjs';

const { poissonArrivals, runClosedLoop, runOpenLoop, realClock, quantile } = parts;

const LIMIT = 0.05;
const SERVICE_SECONDS = 500e-6;
const LOADS = [0.5, 0.7, 0.9];
/** Share of the time that the machine may take away before the service time counts as unknown. */
const DISTURBED = 1e-3;

/** The engine: busy for so long, and it computes nothing. It notes when it was called and how long it really took. */
function syntheticEngine() {
  const calls = [];
  const serve = async () => {
    const begin = now();
    while (now() - begin < SERVICE_SECONDS);
    calls.push([begin, now() - begin]);
  };
  return { serve, calls };
}

/** What the machine took: seconds beyond the service time, and by how much each query started later than it could. */
function disturbance(calls, arrivals, start, service) {
  let free = 0;
  let lost = 0;
  const late = calls.map(([begin, taken], index) => {
    const waited = begin - Math.max(start + arrivals[index], free);
    lost += Math.max(0, waited - service / 50) + Math.max(0, taken - service * 1.02);
    free = begin + taken;
    return waited;
  });
  return { lost, late: median(late) };
}

/** Latencies of a queue that is served in order: w' = max(0, w + S - gap), with the service time of each query. */
function recursion(arrivals, serviceOf) {
  let free = 0;
  return Array.from(arrivals, (arrival, index) => {
    free = Math.max(free, arrival) + serviceOf(index);
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
  const warm = syntheticEngine();
  const closed = await runClosedLoop(warm.serve, queries => queries >= 2000, clock, hooks);
  const service = median(closed.latencies);
  const rows = [];
  for (const [index, load] of LOADS.entries()) {
    const rate = load / service;
    const arrivals = poissonArrivals(Math.round(rate * seconds), rate, 20 + index);
    const { serve, calls } = syntheticEngine();
    const { latencies, windowSeconds } = await runOpenLoop(serve, arrivals, clock, hooks);
    const theory = service * sojournQuantile(0.99, load);
    const sample =
      quantile(
        recursion(arrivals, () => service),
        0.99,
      ) / theory;
    const measured = quantile(latencies, 0.99);
    const [start, end] = windowSeconds;
    const { lost, late } = disturbance(calls, arrivals, start, service);
    const own = quantile(
      recursion(arrivals, index => calls[index][1]),
      0.99,
    );
    rows.push({
      load,
      queries: calls.length,
      theory,
      measured,
      sample,
      ratio: measured / theory / sample,
      disturbed: lost / (end - start),
      ownRatio: measured / own,
      late,
    });
  }
  return {
    result: { service, rows },
    lines: [
      `Server scenario in real time, an engine of ${ms(service)}: p99 against M/D/1`,
      ...rows.map(
        ({ load, queries, theory, measured, sample, ratio, disturbed, ownRatio, late }) =>
          `  load ${load}: ${ms(measured)} of ${queries} queries, theory ${ms(theory)}, these arrivals ${sample.toFixed(3)} of theory: ${ratio.toFixed(3)} x (within ${LIMIT})${disturbed > DISTURBED ? `; not judged: the machine took ${(100 * disturbed).toFixed(1)} % of the time away, ${ownRatio.toFixed(3)} x with the service times that it had` : ''}; a query starts ${us(late)} after it could`,
      ),
    ],
    missed: rows
      .filter(
        ({ ratio, disturbed, late }) =>
          (Math.abs(ratio - 1) > LIMIT && disturbed <= DISTURBED) || late > LIMIT * service,
      )
      .map(({ load }) => `M/D/1 at load ${load} is missed`),
  };
}
