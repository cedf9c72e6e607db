// What the engines do beside a bare run: the copy of a 64 MB output, decoding with a KV cache that stays in place, two
// sessions at once, and the longest stall of the event loop while they run.
import os from 'node:os';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import {
  addGraph,
  addInput,
  cachedModel,
  median,
  medianInterval,
  ms,
  now,
  openHarness,
  openPlain,
  options,
  pairs,
  parts,
  partsUrl,
} from './setup.mjs';

const { openEngine, findModel, buildVariant, inferenceParams, planScenario } = parts;

const ENGINES = ['ort-node', 'ort-native'];
/** A copy of the output would be a second pass over 64 MB, and half as much again at the least. */
const COPY_LIMIT = 1.15;
const SCALING_LIMIT = 1.7;
const STALL_LIMIT_SECONDS = 0.02;
const STALL_RESOLUTION_MS = 5;
/** Of each session in a round. */
const INFERENCES = 6;

async function sampled(run, count, skipped) {
  const seconds = [];
  for (let i = 0; i < count; i++) {
    const start = now();
    await run();
    seconds.push(now() - start);
  }
  return median(seconds.slice(skipped));
}

/** Beside a plain C++ loop that has its output in one buffer: whatever ort-native takes longer would be a copy. */
export async function largeOutput() {
  const elements = 16 * 2 ** 20;
  const file = addGraph('large.onnx', elements);
  const session = await openEngine('ort-node').open(file, options);
  const node = await sampled(session.bind(addInput(elements), ['y']), 12, 2);
  await session.release();
  const native = await openHarness('ort-native', file, addInput(elements), ['y']);
  const plain = await openPlain(file, {}, ['y']);
  const timing = { maxWarmupSeconds: 0.5, minSampleSeconds: 0, targetSeconds: 2, minSamples: 20, maxSamples: 10_000 };
  const taken = await pairs(native, plain, timing);
  await native.release();
  plain.release();
  const ratio = medianInterval(taken.map(({ subject, floor }) => subject / floor));
  const result = { 'ort-node': node, 'ort-native': median(taken.map(pair => pair.subject)), ratio };
  return {
    result,
    lines: [
      `64 MB output: ort-node ${ms(node)}, ort-native ${ms(result['ort-native'])}: ${ratio.median.toFixed(3)} x the C++ loop (${ratio.low.toFixed(3)} to ${ratio.high.toFixed(3)}; at most ${COPY_LIMIT})`,
    ],
    missed: ratio.low > COPY_LIMIT ? ['ort-native takes longer for a 64 MB output than a loop without a copy'] : [],
  };
}

/** A decode step of llama-160m int4 at a context of 128, as `mode: decode` times it: with ort-native the KV cache stays in place. */
export async function decoding() {
  const model = findModel('llama-160m');
  const variant = buildVariant(model, 'int4');
  const file = cachedModel(variant, variant.graph);
  const params = inferenceParams.parse({ model: model.name, precision: 'int4', mode: 'decode', context: 128 });
  const result = {};
  for (const name of ENGINES) {
    const session = await openEngine(name).open(file, {
      ...options,
      threads: os.availableParallelism(),
      spinning: true,
    });
    const scenario = planScenario(params, 1, null, session);
    const [inputs] = await scenario.timedInputs(session);
    result[name] = await sampled(scenario.bind(session, inputs), 60, 10);
    await session.release();
  }
  return {
    result,
    lines: [`llama-160m int4, decode step: ort-node ${ms(result['ort-node'])}, ort-native ${ms(result['ort-native'])}`],
    missed: [],
  };
}

const WORKER = `
  const { workerData, parentPort } = require('node:worker_threads');
  (async () => {
    const { openEngine, findModel } = await import(workerData.parts);
    const session = await openEngine(workerData.engine).open(workerData.file, workerData.options);
    const run = session.bind(findModel('resnet50').inputs({ batch: 1, sequence: 1 }, 1), ['output']);
    for (let i = 0; i < 5; i++) await run();
    parentPort.on('message', async inferences => {
      const start = process.hrtime.bigint();
      for (let i = 0; i < inferences; i++) await run();
      parentPort.postMessage(Number(process.hrtime.bigint() - start) / 1e9 / inferences);
    });
    parentPort.postMessage('ready');
  })();`;

async function startWorker(engine, file) {
  const worker = new Worker(WORKER, {
    eval: true,
    workerData: {
      engine,
      file,
      options,
      parts: partsUrl,
    },
  });
  const lost = new Promise((_resolve, reject) => worker.once('error', reject));
  const answer = () => Promise.race([lost, new Promise(resolve => worker.once('message', resolve))]);
  await answer();
  return {
    time: inferences => {
      const seconds = answer();
      worker.postMessage(inferences);
      return seconds;
    },
    release: () => worker.terminate(),
  };
}

/** Two sessions of one thread each, in two workers, against one: alone and together in turn. */
export async function twoAtOnce(rounds) {
  const model = findModel('resnet50');
  const file = cachedModel(model, model.build());
  const result = {};
  for (const engine of ENGINES) {
    const [first, second] = [await startWorker(engine, file), await startWorker(engine, file)];
    const delay = monitorEventLoopDelay({ resolution: STALL_RESOLUTION_MS });
    delay.enable();
    const taken = [];
    for (let round = 0; round < rounds; round++) {
      const alone = [await first.time(INFERENCES), await second.time(INFERENCES)];
      const together = Math.max(...(await Promise.all([first.time(INFERENCES), second.time(INFERENCES)])));
      const mean = (alone[0] + alone[1]) / 2;
      taken.push({ alone: mean, together, scaling: (2 * mean) / together });
    }
    delay.disable();
    await Promise.all([first.release(), second.release()]);
    result[engine] = {
      alone: median(taken.map(row => row.alone)),
      together: median(taken.map(row => row.together)),
      scaling: median(taken.map(row => row.scaling)),
      // The monitor's delays hold its own period.
      longestStall: Math.max(0, delay.max / 1e9 - STALL_RESOLUTION_MS / 1e3),
    };
  }
  return {
    result,
    lines: ENGINES.map(engine => {
      const { alone, together, scaling, longestStall } = result[engine];
      return `ResNet-50, ${engine}, one thread each: alone ${ms(alone)}, two at once ${ms(together)}: ${scaling.toFixed(2)} of 2 (at least ${SCALING_LIMIT}); longest stall of the event loop ${ms(longestStall)} (at most ${ms(STALL_LIMIT_SECONDS)})`;
    }),
    missed: ENGINES.flatMap(engine => [
      ...(result[engine].scaling < SCALING_LIMIT ? [`two sessions of ${engine} do not scale`] : []),
      ...(result[engine].longestStall > STALL_LIMIT_SECONDS ? [`the event loop stalls beside ${engine}`] : []),
    ]),
  };
}
