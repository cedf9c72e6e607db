/**
 * A whole generation: a prompt, then one token after another, greedily. Where the engine can, past and present KV cache are one
 * buffer of the final length; otherwise each step's cache comes back and is handed in again.
 */
import type { WorkPoint } from '../../models/graph-builder.ts';
import { decodeInputs, type LlamaConfig, prefillInputs, presentNames } from '../../models/llama.ts';
import type { NamedTensors, TensorValue } from '../../models/tensor.ts';
import type { Timing } from '../workload.ts';
import { withCacheType } from './cache-type.ts';
import { toNumbers } from './compare.ts';
import type { BoundInference, EngineSession } from './engine.ts';
import { cacheElementBytes, emptyCache, sharedCache } from './kv-cache.ts';
import { isSettled, type LoopHooks, type LoopResult, monotonicSeconds } from './timed-loop.ts';

export interface GenerationShape {
  config: LlamaConfig;
  /** Rows of the prompt, of equal length. */
  prompt: readonly (readonly number[])[];
  newTokens: number;
  /** Tokens of each row that go in instead of the likeliest: another session's, for a comparison with it. */
  forced?: readonly (readonly number[])[];
}

export interface Generated {
  /** From the call to the first token of every row. */
  firstTokenSeconds: number;
  /** From each token to the next. */
  interTokenSeconds: number[];
  /** Per row. */
  tokens: number[][];
  /** Of the last step. */
  logits: TensorValue;
}

/** Runs the generation; every call is the same one. */
export type Generation = () => Promise<Generated>;

export function bindGeneration(session: EngineSession, shape: GenerationShape): Generation {
  return session.bindShared === undefined ? copyingGeneration(session, shape) : inPlaceGeneration(session, shape);
}

/** Multiply–accumulates of a generation. */
export function generationMacs(
  macs: (at: WorkPoint) => number,
  batch: number,
  prompt: number,
  newTokens: number,
): number {
  let sum = macs({ batch, sequence: prompt, context: 0 });
  for (let step = 0; step + 1 < newTokens; step++) sum += macs({ batch, sequence: 1, context: prompt + step });
  return sum;
}

/** Takes the time of each token; `next` runs one step and gives its logits. */
async function generate(
  { prompt, newTokens, forced }: GenerationShape,
  first: () => Promise<TensorValue>,
  next: (tokens: readonly number[], context: number) => Promise<TensorValue>,
): Promise<Generated> {
  const choose = (logits: TensorValue, step: number): number[] =>
    forced === undefined ? topOfRows(logits) : forced.map(row => row[step] ?? 0);
  const start = monotonicSeconds();
  let logits = await first();
  let chosen = choose(logits, 0);
  let last = monotonicSeconds();
  const firstTokenSeconds = last - start;
  const interTokenSeconds: number[] = [];
  const tokens = chosen.map(token => [token]);
  const length = prompt[0]?.length ?? 0;
  for (let step = 0; step + 1 < newTokens; step++) {
    logits = await next(chosen, length + step);
    chosen = choose(logits, step + 1);
    const now = monotonicSeconds();
    interTokenSeconds.push(now - last);
    last = now;
    for (const [row, token] of chosen.entries()) tokens[row]?.push(token);
  }
  return { firstTokenSeconds, interTokenSeconds, tokens, logits };
}

function logitsOf(outputs: NamedTensors): TensorValue {
  const { logits } = outputs;
  if (logits === undefined) throw new Error('the session returned no logits');
  return logits;
}

function copyingGeneration(session: EngineSession, shape: GenerationShape): Generation {
  const { config, prompt } = shape;
  const fetches = ['logits', ...presentNames(config)];
  const prefill = session.bind(withCacheType(prefillInputs(config, prompt), session), fetches);
  return () => {
    let present: NamedTensors = {};
    return generate(
      shape,
      async () => {
        present = await prefill();
        return logitsOf(present);
      },
      async (tokens, context) => {
        present = await session.bind(decodeInputs(config, tokens, context, present), fetches)();
        return logitsOf(present);
      },
    );
  };
}

function inPlaceGeneration(session: EngineSession, shape: GenerationShape): Generation {
  const { config, prompt, newTokens } = shape;
  const length = prompt[0]?.length ?? 0;
  const cache = emptyCache(config, prompt.length, length + newTokens, cacheElementBytes(session));
  const shared = sharedCache(config);
  const bind = (inputs: NamedTensors): BoundInference => {
    const bound = session.bindShared?.({ ...inputs, ...cache }, ['logits', ...Object.keys(shared)], shared);
    if (bound === undefined) throw new Error('the engine cannot share buffers');
    return bound;
  };
  const prefill = bind(prefillInputs(config, prompt));
  const step = decodeInputs(
    config,
    prompt.map(() => 0),
    length,
    Object.fromEntries(Object.entries(shared).map(([present, past]) => [present, cache[past]])) as NamedTensors,
  );
  const decode = bind(step);
  const [ids, last, total] = [step.input_ids, step.seqlens_k, step.total_sequence_length].map(one => one?.data);
  return () =>
    generate(
      shape,
      async () => logitsOf(await prefill()),
      async (tokens, context) => {
        (ids as BigInt64Array).set(tokens.map(BigInt));
        (last as Int32Array).fill(context);
        (total as Int32Array)[0] = context + 1;
        return logitsOf(await decode());
      },
    );
}

/** The largest element of each row: greedy decoding. */
export function topOfRows(logits: TensorValue): number[] {
  const values = logits.type === 'float32' ? (logits.data as Float32Array) : toNumbers(logits);
  const rows = logits.dims[0] ?? 1;
  const width = values.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    let best = row * width;
    let most = values[best] ?? Number.NaN;
    for (let i = best + 1; i < (row + 1) * width; i++) {
      const value = values[i] ?? Number.NaN;
      if (value > most) {
        most = value;
        best = i;
      }
    }
    return best - row * width;
  });
}

/** When the tokens of a generation came. */
export type TokenTimes = Pick<Generated, 'firstTokenSeconds' | 'interTokenSeconds'>;

export interface GenerationResult<G extends TokenTimes> extends LoopResult {
  tokenTimes: { firstTokenSeconds: number[]; interTokenSeconds: number[] };
  last: { set: number; generated: G };
}

/** Generations in turn, each one a sample. */
export async function runGenerations<G extends TokenTimes>(
  generations: readonly (() => Promise<G>)[],
  timing: Timing,
  hooks: LoopHooks,
): Promise<GenerationResult<G>> {
  let turn = 0;
  const samples: number[] = [];
  const phase = async (seconds: number, least: number): Promise<GenerationResult<G>> => {
    samples.length = 0;
    const tokenTimes: GenerationResult<G>['tokenTimes'] = { firstTokenSeconds: [], interTokenSeconds: [] };
    const begin = monotonicSeconds();
    let end = begin;
    let last: GenerationResult<G>['last'];
    do {
      const set = turn++ % generations.length;
      const start = monotonicSeconds();
      const generated = await (generations[set] as () => Promise<G>)();
      end = monotonicSeconds();
      samples.push(end - start);
      tokenTimes.firstTokenSeconds.push(generated.firstTokenSeconds);
      tokenTimes.interTokenSeconds.push(...generated.interTokenSeconds);
      last = { set, generated };
      hooks.progress(`generation ${samples.length}`);
    } while (
      !hooks.stopped() &&
      samples.length < timing.maxSamples &&
      (samples.length < least || end - begin < seconds)
    );
    return {
      windowSeconds: [begin, end],
      samplesSeconds: [...samples],
      iterationsPerSample: 1,
      warmup: { samplesSeconds: [], settled: true },
      complete: !hooks.stopped(),
      tokenTimes,
      last,
    };
  };
  hooks.progress('warm-up');
  // Two at the least: one alone says nothing of whether it has settled.
  const warm = await phase(timing.maxWarmupSeconds, 2);
  const { samplesSeconds } = warm;
  const measured = await phase(timing.targetSeconds, timing.minSamples);
  return { ...measured, warmup: { samplesSeconds, settled: isSettled(samplesSeconds, timing.maxWarmupSeconds) } };
}
