// What the engines cost: a trivial model through the harness's own loop, against the C API in a plain C++ loop and against
// session.run of onnxruntime-node; the copy of a 64 MB output; decoding with a KV cache that stays in place; two sessions at once.
// Rounds are interleaved, so that drift does not land on one side. Needs `npm run build` and `npm run build:native -- --tests`.
//
//   node scripts/bench-inference.mjs [--rounds 7] [--json] [--no-llm]
//
// Exits 1 when ort-native takes more than 1.15 times the C++ loop, or ort-node more than its session.run floor + 0.5 us.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker } from 'node:worker_threads';
import { bundleTypescript } from './import-typescript.mjs';

const NATIVE_LIMIT = 1.15;
const NODE_LIMIT_SECONDS = 0.5e-6;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    'no-llm': { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const bundles = mkdtempSync(path.join(root, 'node_modules', '.bench-inference-'));
process.on('exit', () => rmSync(bundles, { recursive: true, force: true }));
const parts = await bundleTypescript('scripts/inference-parts.ts', bundles);
const { openEngine, runTimedLoop, runSampledLoop, findOrt, ortLibrary } = await import(parts);
const { findModel, buildVariant, ensureModel, GraphBuilder, writeModel } = await import(parts);
const { decodeInputs, llamaTokens, prefillInputs, presentNames } = await import(parts);

const loop = path.join(root, `build-native-${process.platform}-${process.arch}`, 'test', 'ort_loop');
const library = ortLibrary(findOrt());
const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-bench-'));
const hooks = { stopped: () => false, progress: () => {} };
const median = values => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const options = { device: 'cpu', threads: 1, spinning: false, optimise: true };
const results = {};

function addGraph(name, elements) {
  const graph = new GraphBuilder('add', { seed: 1 });
  const x = graph.input('x', 'float32', [1, elements]);
  graph.node('Add', [x, graph.scalar(1)], {}, { outputs: ['y'] });
  graph.output('y', 'float32', [1, elements]);
  const file = path.join(folder, name);
  writeModel(graph, file);
  return file;
}

const input = elements => ({ x: { type: 'float32', dims: [1, elements], data: new Float32Array(elements).fill(0.5) } });

/** p50 seconds per inference through the harness's loop. */
async function throughHarness(engineName, session, timing) {
  const run = session.bind(input(4), ['y']);
  const result =
    engineName === 'ort-native'
      ? await runSampledLoop(async iterations => run.time(iterations), timing, hooks)
      : await runTimedLoop(run, timing, hooks);
  return median(result.samplesSeconds) / result.iterationsPerSample;
}

/** onnxruntime-node's own session.run in a bare loop. */
async function bareNode(file) {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  const feeds = { x: new ort.Tensor('float32', new Float32Array(4).fill(0.5), [1, 4]) };
  return {
    sample: async (samples, iterations) => {
      const seconds = [];
      for (let s = 0; s < samples; s++) {
        const start = process.hrtime.bigint();
        for (let i = 0; i < iterations; i++) await session.run(feeds, ['y']);
        seconds.push(Number(process.hrtime.bigint() - start) / 1e9 / iterations);
      }
      return median(seconds);
    },
    release: () => session.release(),
  };
}

async function overhead() {
  const file = addGraph('tiny.onnx', 4);
  const timing = {
    maxWarmupSeconds: 0.1,
    minSampleSeconds: 0.001,
    targetSeconds: 0.4,
    minSamples: 50,
    maxSamples: 400,
  };
  const engines = { 'ort-node': openEngine('ort-node'), 'ort-native': openEngine('ort-native') };
  const sessions = {};
  for (const [name, engine] of Object.entries(engines)) sessions[name] = await engine.open(file, options);
  const bare = await bareNode(file);
  const rows = { plain: [], native: [], floor: [], node: [] };
  await bare.sample(20, 200);
  for (let round = 0; round < rounds; round++) {
    const plain = spawnSync(loop, [library, file, '1', '300', '1000'], { encoding: 'utf8' });
    if (plain.status !== 0) throw new Error(plain.stderr || `cannot run ${loop}`);
    rows.plain.push(median(plain.stdout.trim().split('\n').map(Number)));
    rows.native.push(await throughHarness('ort-native', sessions['ort-native'], timing));
    rows.floor.push(await bare.sample(200, 200));
    rows.node.push(await throughHarness('ort-node', sessions['ort-node'], timing));
  }
  for (const session of Object.values(sessions)) await session.release();
  await bare.release();
  // The least of the rounds: on a shared machine the others hold what a neighbour did.
  const best = Object.fromEntries(Object.entries(rows).map(([name, seconds]) => [name, Math.min(...seconds)]));
  results.overhead = { ...best, nativeOverPlain: best.native / best.plain, nodeOverFloor: best.node - best.floor };
}

async function largeOutput() {
  const elements = 16 * 2 ** 20;
  const file = addGraph('large.onnx', elements);
  results.output64MB = {};
  for (const name of ['ort-node', 'ort-native']) {
    const session = await openEngine(name).open(file, options);
    const run = session.bind(input(elements), ['y']);
    const seconds = [];
    for (let i = 0; i < 12; i++) {
      const start = process.hrtime.bigint();
      await run();
      seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
    }
    results.output64MB[name] = median(seconds.slice(2));
    await session.release();
  }
}

/** Seconds of a decode step of llama-160m int4 at a context of 128: fetching nothing, and with the cache in place. */
async function decoding() {
  const model = findModel('llama-160m');
  const { config } = model;
  const variant = buildVariant(model, 'int4');
  const file = ensureModel(variant, variant.graph, path.join(os.tmpdir(), 'aibench-bench-models')).path;
  const context = 128;
  const [text] = llamaTokens(config, 1, context + 1, 1);
  results.decode = {};
  for (const name of ['ort-node', 'ort-native']) {
    const session = await openEngine(name).open(file, {
      ...options,
      threads: os.availableParallelism(),
      spinning: true,
    });
    const present = await session.bind(prefillInputs(config, [text.slice(0, -1)]), presentNames(config))();
    const run = session.bind(decodeInputs(config, [text.at(-1)], context, present), ['logits']);
    const seconds = [];
    for (let i = 0; i < 60; i++) {
      const start = process.hrtime.bigint();
      await run();
      seconds.push(Number(process.hrtime.bigint() - start) / 1e9);
    }
    results.decode[name] = median(seconds.slice(10));
    await session.release();
  }
}

/** Two sessions of one thread each, in two workers, against one. */
async function twoAtOnce() {
  const model = findModel('resnet50');
  const file = ensureModel(model, model.build(), path.join(os.tmpdir(), 'aibench-bench-models')).path;
  const code = `
    const { workerData, parentPort } = require('node:worker_threads');
    (async () => {
      const { openEngine, findModel } = await import(workerData.parts);
      const session = await openEngine('ort-node').open(workerData.file, workerData.options);
      const run = session.bind(findModel('resnet50').inputs({ batch: 1, sequence: 1 }, 1), ['output']);
      for (let i = 0; i < 5; i++) await run();
      parentPort.postMessage('ready');
      await new Promise(resolve => parentPort.once('message', resolve));
      const start = process.hrtime.bigint();
      for (let i = 0; i < 40; i++) await run();
      parentPort.postMessage(Number(process.hrtime.bigint() - start) / 1e9 / 40);
      await session.release();
    })();`;
  const start = count =>
    Promise.all(
      Array.from({ length: count }, () => {
        const worker = new Worker(code, {
          eval: true,
          workerData: { file, options, parts },
        });
        return new Promise((resolve, reject) => {
          worker.once('error', reject);
          worker.once('message', () => resolve(worker));
        });
      }),
    );
  const measure = async count => {
    const workers = await start(count);
    const times = workers.map(worker => new Promise(resolve => worker.once('message', resolve)));
    let stall = 0;
    let before = process.hrtime.bigint();
    const clock = setInterval(() => {
      const now = process.hrtime.bigint();
      stall = Math.max(stall, Number(now - before) / 1e9 - 1e-3);
      before = now;
    }, 1);
    for (const worker of workers) worker.postMessage('go');
    const seconds = Math.max(...(await Promise.all(times)));
    clearInterval(clock);
    await Promise.all(workers.map(worker => worker.terminate()));
    return { seconds, stall };
  };
  const one = await measure(1);
  const two = await measure(2);
  results.twoSessions = {
    one: one.seconds,
    two: two.seconds,
    scaling: (2 * one.seconds) / two.seconds,
    longestStall: Math.max(one.stall, two.stall),
  };
}

try {
  await overhead();
  await largeOutput();
  if (!flags['no-llm']) await decoding();
  await twoAtOnce();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
const us = seconds => `${(seconds * 1e6).toFixed(2)} us`;
const ms = seconds => `${(seconds * 1e3).toFixed(2)} ms`;
if (flags.json) console.log(JSON.stringify(results, null, 2));
else {
  const { overhead: o, output64MB, decode, twoSessions: t } = results;
  console.log(`Add [1, 4], p50 per inference, best of ${rounds} rounds`);
  console.log(`  C API in a C++ loop        ${us(o.plain)}`);
  console.log(
    `  ort-native in the harness  ${us(o.native)}   ${o.nativeOverPlain.toFixed(2)} x (at most ${NATIVE_LIMIT})`,
  );
  console.log(`  onnxruntime-node, bare     ${us(o.floor)}`);
  console.log(`  ort-node in the harness    ${us(o.node)}   + ${us(o.nodeOverFloor)} (at most + 0.50 us)`);
  console.log(`64 MB output: ort-node ${ms(output64MB['ort-node'])}, ort-native ${ms(output64MB['ort-native'])}`);
  if (decode) {
    console.log(
      `llama-160m int4, decode step: ort-node ${ms(decode['ort-node'])}, ort-native ${ms(decode['ort-native'])}`,
    );
  }
  console.log(
    `ResNet-50, one thread each: alone ${ms(t.one)}, two at once ${ms(t.two)} (${t.scaling.toFixed(2)} of 2), longest stall of the event loop ${ms(t.longestStall)}`,
  );
}
const { nativeOverPlain, nodeOverFloor } = results.overhead;
process.exit(nativeOverPlain > NATIVE_LIMIT || nodeOverFloor > NODE_LIMIT_SECONDS ? 1 : 0);
