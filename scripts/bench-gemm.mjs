// GEMM against the FMA peak and against the libraries that are here, in one interleaved run: for each shape, round after round
// in a new order, one sample of each of them, the peak looked at before every sample. Each product is verified before and after.
// Ratios are paired within a round, so that a clock that moves moves both; printed with their quartiles.
//
//   node scripts/bench-gemm.mjs [--json] [--out results/gemm.json] [--seconds 3] [--threads 1,2] [--dtype f32,f64]
//                               [--shapes 512,1000x1001x999] [--backends openblas,blis,onednn | none] [--weights packed | rows]
//
// By default f32 and f64 on one and two threads, then bf16 and int8 on weights that every engine has packed beforehand (engines that cannot
// are left out), each over all shapes; with --threads, --dtype or --weights, what these say. Weights of int8 lie in [-64, 63]: beyond, libraries
// that add two products at 16 bits (AVX2) are wrong.
//
// Exit code 0 when every bar that was run is met, 1 when one is missed, 3 when the machine was too busy to say.
import { mkdirSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { againstBest, judge } from './gemm/bars.mjs';

const SHAPES = '64,128,256,512,1024,2048,4096,1000x1001x999,1x4096x4096,8x4096x4096,16x4096x4096,64x4096x4096';
const SAMPLE_SECONDS = 0.002;
const MIN_ROUNDS = 5;
// Threads of OpenBLAS and OpenMP spin for a while after their work: the next in turn must not run beside them.
const SETTLE_MS = 40;

const { values } = readFlags(import.meta.url, {
  options: {
    json: { type: 'boolean', default: false },
    out: { type: 'string' },
    seconds: { type: 'string', default: '3' },
    threads: { type: 'string' },
    dtype: { type: 'string' },
    shapes: { type: 'string', default: SHAPES },
    backends: { type: 'string' },
    weights: { type: 'string' },
  },
});

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');
const addon = createRequire(import.meta.url)(path.resolve(process.env.AIBENCH_ADDON ?? built));

function parseShape(text) {
  const sizes = text.split('x').map(Number);
  const [m, n = m, k = m] = sizes;
  if (sizes.some(size => !Number.isInteger(size) || size < 1)) throw new Error(`not a shape: ${text}`);
  return { shape: sizes.length === 1 ? `${m}` : `${m}x${n}x${k}`, m, n, k };
}

/** Type 7 quantile of a sorted list. */
function quantile(sorted, q) {
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}
const ascending = list => [...list].sort((a, b) => a - b);

/** One sample of a few milliseconds, or one iteration where that takes longer. Rate in FLOP/s. */
async function sample(problem, seconds = SAMPLE_SECONDS) {
  const options = { maxWarmupSeconds: 0, minSampleSeconds: seconds, targetSeconds: 0, minSamples: 1, maxSamples: 1 };
  const result = await problem.measure(options);
  return (problem.work().flops * result.iterationsPerSample) / result.samplesSeconds[0];
}

function shuffled(list) {
  const order = [...list];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** What is to be run: dtypes on numbers of threads, with weights as rows or packed beforehand. */
function plans() {
  const { dtype, threads, weights } = values;
  if (weights !== undefined && weights !== 'packed' && weights !== 'rows')
    throw new Error(`--weights is packed or rows, not ${weights}`);
  const numbers = (threads ?? '1,2').split(',').map(Number);
  if (dtype !== undefined || threads !== undefined || weights !== undefined)
    return [{ dtypes: (dtype ?? 'f32,f64').split(','), threads: numbers, weights: weights ?? 'rows' }];
  return [
    { dtypes: ['f32', 'f64'], threads: numbers, weights: 'rows' },
    { dtypes: ['bf16', 's8'], threads: [1], weights: 'packed' },
  ];
}

async function openAll(dtype, threads, shape, weights, peers) {
  const engines = [];
  const can = peer => peer.dtypes.includes(dtype) && (weights === 'rows' || peer.name === 'onednn');
  for (const backend of ['native', ...peers.filter(can).map(({ name }) => name)]) {
    const { m, n, k } = shape;
    const options = { dtype, threads, seed: 1, m, n, k, backend, narrowWeights: /^[su]8$/.test(dtype) };
    if (weights === 'packed') options.weights = weights;
    const problem = addon.createGemm(options);
    await problem.prepare();
    if (!(await problem.runAndVerify()).passed)
      throw new Error(`${backend} ${dtype} ${shape.shape}: wrong result, so no rate`);
    engines.push({ backend, problem, rates: [] });
  }
  return engines;
}

async function compare(dtype, threads, shape, weights, peers) {
  const peak = addon.createPeak({ dtype, threads });
  let engines = [];
  try {
    await peak.prepare();
    engines = await openAll(dtype, threads, shape, weights, peers);
    const peaks = [];
    const begin = addon.now();
    for (let round = 0; round < MIN_ROUNDS || addon.now() - begin < Number(values.seconds); round++) {
      for (const engine of shuffled(engines)) {
        if (threads > 1) await sleep(SETTLE_MS);
        peaks.push(await sample(peak, 0.0005));
        engine.rates.push(await sample(engine.problem));
      }
    }
    for (const { backend, problem } of engines) {
      // What the timed loop left behind; and what the peak did in between, which counts as well.
      if (!(await problem.verify()).passed)
        throw new Error(`${backend} ${dtype} ${shape.shape}: wrong result, so no rate`);
      peaks.push(problem.ceilings().fma_flops_per_second);
    }
    return rowOf({ dtype, threads, weights, ...shape }, ascending(peaks), engines);
  } finally {
    peak.dispose();
    for (const { problem } of engines) problem.dispose();
  }
}

function rowOf(what, peaks, engines) {
  const [native, ...others] = engines;
  const ratios = {};
  for (const { backend, rates } of others) {
    const paired = ascending(native.rates.map((rate, i) => rate / rates[i]));
    ratios[backend] = { median: quantile(paired, 0.5), low: quantile(paired, 0.25), high: quantile(paired, 0.75) };
  }
  const rates = Object.fromEntries(
    engines.map(({ backend, rates: list }) => {
      const sorted = ascending(list);
      return [backend, { best: sorted.at(-1), median: quantile(sorted, 0.5) }];
    }),
  );
  const peakBest = peaks.at(-1);
  // The roofline: the peak, or what memory allows of the operands read once.
  const { flops, bytes } = native.problem.work();
  const bandwidth = native.problem.ceilings().operand_bytes_per_second;
  const limit = bandwidth > 0 ? Math.min(peakBest, (flops / bytes) * bandwidth) : peakBest;
  return {
    ...what,
    kernel: native.problem.facts().kernel,
    rounds: native.rates.length,
    peakBest,
    peakMedian: quantile(peaks, 0.5),
    rates,
    shareOfPeak: rates.native.best / peakBest,
    bandwidth,
    shareOfLimit: rates.native.best / limit,
    ratios,
  };
}

const cpus = addon.affinity().length;
const found = addon.gemmPeers().filter(peer => peer.found);
const wanted = values.backends?.split(',');
const peers = wanted === undefined ? found : found.filter(({ name }) => wanted.includes(name));
const environment = Object.keys(process.env).filter(name =>
  /^(OPENBLAS|GOTO|BLIS|MKL|OMP|GOMP|KMP|DNNL|ONEDNN)_/.test(name),
);
const say = text => {
  if (!values.json) console.log(text);
};
for (const { name, version, kernel, threading, path: file } of peers)
  say(`${name} ${version}, kernels ${kernel}, ${threading}, ${file}`);
if (environment.length > 0) console.error(`warning: set, and can hold a library back: ${environment.join(', ')}`);
say('dtype thr shape            native best (median) GF/s   peak   % peak % limit  native / peer: median [quartiles]');

const rows = [];
const giga = value => (value / 1e9).toFixed(1);
function tell(row) {
  const ratios = Object.entries(row.ratios).map(
    ([name, { median, low, high }]) => `${name} ${median.toFixed(2)} [${low.toFixed(2)} ${high.toFixed(2)}]`,
  );
  say(
    [
      row.dtype.padEnd(5),
      String(row.threads).padEnd(3),
      row.shape.padEnd(16),
      `${giga(row.rates.native.best)} (${giga(row.rates.native.median)})`.padStart(20),
      giga(row.peakBest).padStart(12),
      (100 * row.shareOfPeak).toFixed(1).padStart(8),
      (100 * row.shareOfLimit).toFixed(1).padStart(7),
      ` ${ratios.join('  ')}`,
    ].join(' '),
  );
}

for (const { dtypes, threads, weights } of plans()) {
  if (weights === 'packed') say('on packed weights:');
  for (const dtype of dtypes) {
    for (const count of threads) {
      if (count > cpus) {
        console.error(`skipped: ${count} threads on ${cpus} CPUs`);
        continue;
      }
      for (const shape of values.shapes.split(',').map(parseShape)) {
        rows.push(await compare(dtype, count, shape, weights, peers));
        tell(rows.at(-1));
      }
    }
  }
}
const bars = judge(rows);
for (const { name, verdict, detail } of bars) say(`bar: ${name}: ${verdict}${detail === '' ? '' : ` (${detail})`}`);
const document = {
  date: new Date().toISOString(),
  peers,
  environment,
  bars,
  rows: rows.map(row => ({ ...row, againstBest: againstBest(row) })),
};
if (values.json) console.log(JSON.stringify(document, null, 2));
if (values.out !== undefined) {
  mkdirSync(path.dirname(path.resolve(values.out)), { recursive: true });
  writeFileSync(values.out, `${JSON.stringify(document, null, 2)}\n`);
}
const verdicts = bars.map(({ verdict }) => verdict);
process.exit(verdicts.includes('missed') ? 1 : verdicts.includes('too noisy to say') ? 3 : 0);
