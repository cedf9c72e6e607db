// Of `npm run bench:server`: see its head.
import { Worker } from 'node:worker_threads';
import { medianInterval, ms, parts, partsUrl, us } from './setup.mjs';

const { poissonArrivals, quantile } = parts;

const LIMIT = 0.05;
/** Of the service time. */
const DISTURBED = 0.01;
/** Share of the time that the machine may take away before its theft, and not the scheduler, is what a p99 shows. */
const THEFT = 5e-4;
/** Of the recursion against theory: the p99 of one seed at 90 % load scatters by 4 %. */
const THEORY_ARRIVALS = 500_000;
const THEORY_SEEDS = 20;

/** The engine is busy for so long and computes nothing. It notes when each query began and how long it really took. */
const WORKER = `
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const { realClock, runOpenLoop } = await import(workerData.parts);
    const clock = realClock(() => false);
    const hooks = { stopped: () => false, progress: () => {} };
    let spun = 0;
    parentPort.on('message', async ({ arrivals, service }) => {
      const begun = new Float64Array(arrivals.length);
      const taken = new Float64Array(arrivals.length);
      let query = 0;
      const serve = async () => {
        const begin = clock.now();
        const end = begin + service;
        // A look at the clock allocates; looks without a pause would push the scheduler out of the caches, as 20 us of it showed.
        while (clock.now() < end) for (let i = 0; i < 500; i++) spun += i;
        begun[query] = begin;
        taken[query++] = clock.now() - begin;
      };
      const { latencies, windowSeconds } = await runOpenLoop(serve, arrivals, clock, hooks);
      parentPort.postMessage({ latencies, start: windowSeconds[0], end: windowSeconds[1], begun, taken });
    });
    parentPort.postMessage('ready');
  })();`;

/** Times in the system of a queue that is served in order: w' = max(0, w + S - gap). */
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

/** The p99 of the recursion over theory's, each seed a run of its own: mean and 95 % interval. Virtual: no clock is in it. */
function againstTheory(load) {
  const theory = sojournQuantile(0.99, load);
  const ratios = Array.from({ length: THEORY_SEEDS }, (_, seed) => {
    const arrivals = poissonArrivals(THEORY_ARRIVALS, load, 5000 + seed);
    return (
      quantile(
        recursion(arrivals, () => 1),
        0.99,
      ) / theory
    );
  });
  const mean = ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
  const variance = ratios.reduce((sum, ratio) => sum + (ratio - mean) ** 2, 0) / (ratios.length - 1);
  // Student's t at 19 degrees of freedom.
  const reach = 2.093 * Math.sqrt(variance / ratios.length);
  return { mean, low: mean - reach, high: mean + reach };
}

/**
 * Of the busy periods (from an empty queue to the next) those in which the machine took nothing away: no query lasted or waited for its turn longer than it
 * should by more than a hundredth of the service time. Each begins with an empty queue in the recursion too, so both sides can be
 * held against each other on them alone. Which queries those are.
 */
function undisturbed(arrivals, { start, begun, taken }, service) {
  const kept = new Uint8Array(arrivals.length);
  let first = 0;
  let clean = true;
  let free = 0;
  for (const [index, begin] of begun.entries()) {
    const arrived = start + arrivals[index];
    if (arrived > free && index > 0) {
      kept.fill(clean ? 1 : 0, first, index);
      first = index;
      clean = true;
    }
    const late = begin - Math.max(arrived, free) + taken[index] - service;
    if (late > DISTURBED * service) clean = false;
    free = begin + taken[index];
  }
  kept.fill(clean ? 1 : 0, first);
  return kept;
}

/** What the machine took: the share of the time that queries lasted beyond the service time or began later than they could. */
function disturbance(arrivals, { start, end, begun, taken }, service) {
  let free = 0;
  let lost = 0;
  const waits = Array.from(begun, (begin, index) => {
    const waited = begin - Math.max(start + arrivals[index], free);
    lost += Math.max(0, waited) + Math.max(0, taken[index] - service);
    free = begin + taken[index];
    return waited;
  });
  return {
    lost: lost / (end - start),
    late: quantile(waits, 0.5),
    latest: Math.max(...waits, ...taken.map(one => one - service)),
  };
}

export async function queue({ service, seconds, seeds, loads }) {
  const worker = new Worker(WORKER, { eval: true, workerData: { parts: partsUrl } });
  const lost = new Promise((_resolve, reject) => worker.once('error', reject));
  const answer = () => Promise.race([lost, new Promise(resolve => worker.once('message', resolve))]);
  const run = arrivals => {
    const done = answer();
    worker.postMessage({ arrivals, service });
    return done;
  };
  await answer();
  await run(poissonArrivals(Math.round(0.5 / service), 0.5 / service, 1));
  const runs = loads.map(() => []);
  // Loads in turn, so that a bad minute of the machine is no bad load.
  for (let seed = 0; seed < seeds; seed++) {
    for (const [index, load] of loads.entries()) {
      const arrivals = poissonArrivals(
        Math.round((load / service) * seconds),
        load / service,
        1000 * (index + 1) + seed,
      );
      const seen = await run(arrivals);
      const nominal = recursion(arrivals, () => service);
      const own = recursion(arrivals, query => seen.taken[query]);
      const kept = undisturbed(arrivals, seen, service);
      const among = values => values.filter((_value, query) => kept[query] === 1);
      runs[index].push({
        keptLatencies: among(seen.latencies),
        keptNominal: among(nominal),
        latencies: seen.latencies,
        nominal,
        measured: quantile(seen.latencies, 0.99),
        ratio: quantile(seen.latencies, 0.99) / quantile(nominal, 0.99),
        ownRatio: quantile(seen.latencies, 0.99) / quantile(own, 0.99),
        ...disturbance(arrivals, seen, service),
      });
    }
  }
  await worker.terminate();
  const rows = loads.map((load, index) => {
    const taken = runs[index];
    const theory = service * sojournQuantile(0.99, load);
    const pooled = key =>
      quantile(
        taken.flatMap(one => one[key]),
        0.99,
      );
    return {
      load,
      queries: taken.reduce((sum, one) => sum + one.latencies.length, 0),
      theory,
      pooled: pooled('latencies'),
      pooledLindley: pooled('nominal'),
      kept: taken.reduce((sum, one) => sum + one.keptLatencies.length, 0),
      keptRatio: pooled('keptLatencies') / pooled('keptNominal'),
      ratio: medianInterval(taken.map(one => one.ratio)),
      schedulerRatio: medianInterval(taken.map(one => one.ownRatio)),
      lindleyOverTheory: againstTheory(load),
      lost: medianInterval(taken.map(one => one.lost)),
      late: quantile(
        taken.map(one => one.late),
        0.5,
      ),
      latest: Math.max(...taken.map(one => one.latest)),
    };
  });
  const x = value => value.toFixed(3);
  return {
    result: { service, seconds, seeds, rows },
    lines: [
      `Server scenario in real time, an engine of ${ms(service)}, ${seeds} seeds of ${seconds} s: p99 in the system`,
      ...rows.flatMap(row => [
        `  load ${row.load}: measured over Lindley on the same arrivals ${x(row.ratio.median)} (${x(row.ratio.low)} to ${x(row.ratio.high)}; within ${LIMIT}); with the service times that the machine gave ${x(row.schedulerRatio.median)} (${x(row.schedulerRatio.low)} to ${x(row.schedulerRatio.high)})`,
        `    all ${row.queries} queries ${ms(row.pooled)}, Lindley ${ms(row.pooledLindley)}, theory ${ms(row.theory)}; Lindley over theory in the long run ${x(row.lindleyOverTheory.mean)} (${x(row.lindleyOverTheory.low)} to ${x(row.lindleyOverTheory.high)})`,
        `    in the ${row.kept} queries of busy periods in which the machine took nothing away ${x(row.keptRatio)}`,
        `    a query begins ${us(row.late)} after it could (median), ${ms(row.latest)} at the worst; ${(100 * row.lost.median).toFixed(2)} % of the time lost (${(100 * row.lost.low).toFixed(2)} to ${(100 * row.lost.high).toFixed(2)})`,
      ]),
    ],
    missed: rows.flatMap(({ load, ratio, keptRatio, lost: { median: stolen }, lindleyOverTheory }) => [
      // Where the machine took time away, the service time is not known and the whole runs say how much; the busy periods without are judged.
      ...(Math.abs((stolen > THEFT ? keptRatio : ratio.median) * lindleyOverTheory.mean - 1) > LIMIT
        ? [`M/D/1 at load ${load} is missed`]
        : []),
      ...(Math.abs(lindleyOverTheory.mean - 1) > LIMIT / 2 ? [`Lindley at load ${load} is not theory`] : []),
    ]),
  };
}
