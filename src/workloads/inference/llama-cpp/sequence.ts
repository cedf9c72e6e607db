/** One text in llama.cpp: a context of its own on a model that several share, with a KV cache that grows as tokens go in. */
import type { TensorValue } from '../../../models/tensor.ts';
import type { LlamaModel, LlamaSequence } from '../../../runtime/llama-cpp.ts';

/** Greedy, and on past the token that ends a text: a random model says it at any time. */
const GREEDY = { temperature: 0, yieldEogToken: true };

export interface TextOptions {
  /** Tokens that the cache has room for; llama.cpp rounds it up. */
  positions: number;
  threads: number;
  /** Leaves the choice to llama.cpp, as its users do; false for a reference that goes another way. */
  flashAttention: 'auto' | false;
}

export interface Text {
  /** Tokens that the cache has room for. */
  positions: number;
  /** Tokens in the cache. */
  length(): number;
  /** Drops what is behind the first `length` tokens. */
  keep(length: number): Promise<void>;
  /**
   * Puts tokens in and gives the likeliest next one; each further one is put in in its turn. Whoever has enough calls return().
   */
  generate(tokens: readonly number[]): AsyncGenerator<number, void, undefined | number>;
  /** Puts tokens in. */
  fill(tokens: readonly number[]): Promise<void>;
  /** Puts tokens in and gives the logits behind the last one: [1, vocabulary]. */
  logits(tokens: readonly number[]): Promise<TensorValue>;
  dispose(): Promise<void>;
}

export async function openText(model: LlamaModel, { positions, threads, flashAttention }: TextOptions): Promise<Text> {
  const context = await model.createContext({
    contextSize: positions,
    batchSize: Math.min(512, positions),
    threads: { ideal: threads, min: threads },
    flashAttention,
    failedCreationRemedy: false,
  });
  const sequence = context.getSequence();
  return {
    positions: context.contextSize,
    length: () => sequence.nextTokenIndex,
    keep: length => keep(sequence, length),
    generate: tokens => sequence.evaluate([...tokens], GREEDY),
    fill: tokens => sequence.evaluateWithoutGeneratingNewTokens([...tokens]),
    logits: tokens => logitsBehind(sequence, tokens),
    dispose: () => context.dispose(),
  };
}

async function keep(sequence: LlamaSequence, length: number): Promise<void> {
  const end = sequence.nextTokenIndex;
  if (length === 0) await sequence.clearHistory();
  else if (length < end) await sequence.eraseContextTokenRanges([{ start: length, end }]);
}

async function logitsBehind(sequence: LlamaSequence, tokens: readonly number[]): Promise<TensorValue> {
  const last = tokens.at(-1);
  if (last === undefined) throw new Error('no token to put in');
  const wanted: [number, object] = [last, { generateNext: { logits: true, options: { temperature: 0 } } }];
  const answers = await sequence.controlledEvaluate([...tokens.slice(0, -1), wanted]);
  const logits = answers.at(-1)?.next.logits;
  if (logits === undefined) throw new Error('llama.cpp returned no logits');
  const data = new Float32Array(logits.size).fill(Number.NaN);
  for (const [token, logit] of logits) data[token] = logit;
  return { type: 'float32', dims: [1, data.length], data };
}
