// What the parts of `npm run bench:inference` share: the built program, a folder for small models, the plain C++ loop as a
// process that answers one sample at a time, onnxruntime-node's own session.run, and the statistics of pairs.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bundleTypescript } from '../import-typescript.mjs';

const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
const bundles = mkdtempSync(path.join(root, 'node_modules', '.bench-inference-'));
export const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-bench-'));
process.on('exit', () => {
  for (const made of [bundles, folder]) rmSync(made, { recursive: true, force: true });
});
/** Where the program's parts are, for a worker to import. */
export const partsUrl = await bundleTypescript('scripts/inference/parts.ts', bundles);
export const parts = await import(partsUrl);
const { openEngine, takeTurns, runSampledLoop, GraphBuilder, writeModel, ensureModel, findOrt, ortLibrary } = parts;

const loop = path.join(root, `build-native-${process.platform}-${process.arch}`, 'test', 'ort_loop');
const models = path.join(os.tmpdir(), 'aibench-bench-models');
/** One thread: a pool of a process whose turn it is not would spin in the other's. */
export const options = { device: 'cpu', threads: 1, spinning: false, optimise: true };
export const hooks = { stopped: () => false, progress: () => {} };

export const cachedModel = (source, graph) => ensureModel(source, graph, models).path;
export const now = () => Number(process.hrtime.bigint()) / 1e9;
export const us = seconds => `${(seconds * 1e6).toFixed(2)} us`;
export const ms = seconds => `${(seconds * 1e3).toFixed(2)} ms`;

/** `y = x + 1` on float32 of [1, elements]. */
export function addGraph(name, elements) {
  const graph = new GraphBuilder('add', { seed: 1 });
  const x = graph.input('x', 'float32', [1, elements]);
  graph.node('Add', [x, graph.scalar(1)], {}, { outputs: ['y'] });
  graph.output('y', 'float32', [1, elements]);
  const file = path.join(folder, name);
  writeModel(graph, file);
  return file;
}

export const addInput = elements => ({
  x: { type: 'float32', dims: [1, elements], data: new Float32Array(elements).fill(0.5) },
});

/** The C API in a plain C++ loop: `time(iterations)` gives the seconds of so many runs. */
export async function openPlain(file, dims, fetches) {
  const sizes = Object.entries(dims).map(([name, size]) => `${name}=${size}`);
  const child = spawn(loop, [ortLibrary(findOrt()), file, '1', ...sizes, ...fetches], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => {
    const { value, done } = await lines.next();
    if (done) throw new Error(`${loop} ended; build it with npm run build:native -- --tests`);
    return value;
  };
  child.once('error', error => {
    throw error;
  });
  await line();
  return {
    time: async iterations => {
      child.stdin.write(`${iterations}\n`);
      return Number(await line());
    },
    release: () => child.stdin.end(),
  };
}

/** onnxruntime-node's session.run, awaited in a bare loop. */
export async function openBare(file, inputs, fetches) {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const session = await ort.InferenceSession.create(file, { intraOpNumThreads: 1 });
  return { ...bareLoop(ort, session, inputs, fetches), release: () => session.release() };
}

/**
 * The engine as a launch times it, and its floor on the very same session and inputs: for ort-native the addon's C++ loop over RunWithBinding on the same
 * binding, called by itself; for ort-node a bare loop over the same object's session.run. Where memory lies is then the same for both.
 */
export async function openSame(engine, file, inputs, fetches) {
  const ort = createRequire(import.meta.url)('onnxruntime-node');
  const { create } = ort.InferenceSession;
  let raw;
  // The engine's own session, seen as it is made.
  ort.InferenceSession.create = async (...given) => {
    raw = await create.apply(ort.InferenceSession, given);
    return raw;
  };
  const session = await openEngine(engine).open(file, options);
  ort.InferenceSession.create = create;
  const bound = session.bind(inputs, fetches);
  const { timeRuns } = takeTurns([bound]);
  return {
    subject: { time: timeRuns },
    floor:
      engine === 'ort-native'
        ? { time: async iterations => bound.time(iterations) }
        : bareLoop(ort, raw, inputs, fetches),
    release: () => session.release(),
  };
}

function bareLoop(ort, session, inputs, fetches) {
  const feeds = Object.fromEntries(
    Object.entries(inputs).map(([name, { type, data, dims }]) => [name, new ort.Tensor(type, data, dims)]),
  );
  return {
    time: async iterations => {
      const start = now();
      for (let i = 0; i < iterations; i++) await session.run(feeds, fetches);
      return now() - start;
    },
  };
}

/** The engine as a launch times it. */
export async function openHarness(engine, file, inputs, fetches) {
  const session = await openEngine(engine).open(file, options);
  const { timeRuns } = takeTurns([session.bind(inputs, fetches)]);
  return { time: timeRuns, release: () => session.release() };
}

/**
 * The harness's loop over `subject`, and beside each sample one of `floor`, in turn before and after it. Seconds per
 * inference of each pair.
 */
export async function pairs(subject, floor, timing) {
  const taken = [];
  // From the end of a sample to the beginning of the next: what the harness does in between.
  const between = [];
  let left = 0;
  let turn = 0;
  const result = await runSampledLoop(
    async iterations => {
      if (left > 0) between.push(now() - left);
      const first = turn++ % 2 === 0 ? await floor.time(iterations) : null;
      const seconds = await subject.time(iterations);
      taken.push((first ?? (await floor.time(iterations))) / iterations);
      left = now();
      return seconds;
    },
    timing,
    hooks,
  );
  const floors = taken.slice(-result.samplesSeconds.length);
  return result.samplesSeconds.map((seconds, i) => ({
    subject: seconds / result.iterationsPerSample,
    floor: floors[i],
    betweenSeconds: between.slice(-result.samplesSeconds.length)[i],
  }));
}

export function median(values) {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

/** The median and its distribution-free 95 % interval, from the order statistics that a fair coin would leave outside. */
export function medianInterval(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const reach = Math.floor(sorted.length / 2 - 0.98 * Math.sqrt(sorted.length));
  const low = Math.max(0, reach);
  return { median: median(sorted), low: sorted[low], high: sorted[sorted.length - 1 - low], pairs: sorted.length };
}
