// Decoding of llama-160m in 4 bits: ort-native with its KV cache in place against llama.cpp through node-llama-cpp on the same weights,
// in one run, generations in turn. node-llama-cpp is no dependency; install it anywhere and name the folder:
//
//   npm install --prefix /some/folder --ignore-scripts --omit=optional node-llama-cpp@3.22.1 @node-llama-cpp/linux-x64@3.22.1
//   node scripts/bench-llama-cpp.mjs --from /some/folder [--rounds 12] [--threads 2] [--json]
//
// Weights are random and the same on both sides: 12 layers, hidden size 768, 32,000 tokens, no shared embedding. llama.cpp has q4_0 (4.5 bits a weight),
// ONNX Runtime blocks of 32 with an fp32 scale (5 bits). Both choose tokens greedily. Exits 1 when ort-native decodes fewer tokens per second
// (the upper end of the ratio's 95 % interval is below 1).
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as wait } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { readFlags } from './flags.mjs';
import { cachedModel, median, medianInterval, ms, now, options, parts } from './inference/setup.mjs';

const PROMPT = 128;
const TOKENS = 33;
/** Pools go on spinning after a run. */
const CALM_MS = 60;

const { values: flags } = readFlags(import.meta.url, {
  options: {
    from: { type: 'string' },
    rounds: { type: 'string', default: '12' },
    threads: { type: 'string', default: String(os.availableParallelism()) },
    json: { type: 'boolean', default: false },
  },
});
if (flags.from === undefined) throw new Error('--from names the folder in which node-llama-cpp is installed');
const rounds = Number(flags.rounds);
const threads = Number(flags.threads);
const { openEngine, findModel, buildVariant, llamaTokens, bindGeneration, llamaGguf } = parts;
const model = findModel('llama-160m');
const [prompt] = llamaTokens(model.config, 1, PROMPT, 1);

/** A prefill of the prompt, then tokens one by one: seconds of each after the first, and of the first. */
async function openLlamaCpp() {
  const entry = path.resolve(flags.from, 'node_modules', 'node-llama-cpp', 'dist', 'index.js');
  const { getLlama, LlamaLogLevel } = await import(pathToFileURL(entry).href);
  const { source, graph } = llamaGguf(model, 'int4', undefined);
  const file = cachedModel(source, graph);
  const llama = await getLlama({ gpu: false, build: 'never', logLevel: LlamaLogLevel.error, maxThreads: threads });
  const loaded = await llama.loadModel({ modelPath: file, gpuLayers: 0 });
  const context = await loaded.createContext({ contextSize: 512, threads, batchSize: 512 });
  const sequence = context.getSequence();
  return async () => {
    await sequence.clearHistory();
    const gaps = [];
    const start = now();
    let last = start;
    let first = 0;
    for await (const _token of sequence.evaluate([...prompt], { temperature: 0, yieldEogToken: true })) {
      const at = now();
      if (first === 0) first = at - start;
      else gaps.push(at - last);
      last = at;
      if (gaps.length === TOKENS - 1) break;
    }
    return { first, gaps };
  };
}

async function openOrt() {
  const variant = buildVariant(model, 'int4');
  const file = cachedModel(variant, variant.graph);
  const session = await openEngine('ort-native').open(file, { ...options, threads, spinning: true });
  const generation = bindGeneration(session, { config: model.config, prompt: [prompt], newTokens: TOKENS });
  return async () => {
    const { firstTokenSeconds, interTokenSeconds } = await generation();
    return { first: firstTokenSeconds, gaps: interTokenSeconds };
  };
}

const engines = { 'llama.cpp': await openLlamaCpp(), 'ort-native': await openOrt() };
const taken = { 'llama.cpp': [], 'ort-native': [] };
for (let round = -1; round < rounds; round++) {
  const names = Object.keys(engines);
  for (const name of round % 2 === 0 ? names : names.toReversed()) {
    await wait(CALM_MS);
    const { first, gaps } = await engines[name]();
    if (round >= 0) taken[name].push({ first, step: median(gaps) });
  }
}
const ratio = key => medianInterval(taken['llama.cpp'].map((row, round) => row[key] / taken['ort-native'][round][key]));
const summary = Object.fromEntries(
  Object.entries(taken).map(([name, rows]) => [
    name,
    { firstTokenSeconds: median(rows.map(row => row.first)), stepSeconds: median(rows.map(row => row.step)) },
  ]),
);
const result = { threads, rounds, ...summary, decodeRatio: ratio('step'), firstTokenRatio: ratio('first') };
if (flags.json) console.log(JSON.stringify(result, null, 2));
else {
  const show = ({ median: middle, low, high }) => `${middle.toFixed(3)} x (${low.toFixed(3)} to ${high.toFixed(3)})`;
  console.log(`llama-160m, 4 bits, ${threads} threads, context ${PROMPT} to ${PROMPT + TOKENS}, ${rounds} rounds`);
  for (const [name, { firstTokenSeconds, stepSeconds }] of Object.entries(summary)) {
    console.log(
      `  ${name.padEnd(10)} first token ${ms(firstTokenSeconds)}, then ${ms(stepSeconds)}: ${(1 / stepSeconds).toFixed(1)} tokens/s`,
    );
  }
  console.log(
    `  ort-native over llama.cpp: tokens/s ${show(result.decodeRatio)}, first token ${show(result.firstTokenRatio)}`,
  );
}
process.exit(result.decodeRatio.high < 1 ? 1 : 0);
