/** A KV cache with room for tokens to come: past and present in one buffer of a length that is fixed beforehand. */
import { type LlamaConfig, presentNames } from '../../models/llama.ts';
import type { NamedTensors, TensorValue } from '../../models/tensor.ts';
import type { EngineSession } from './engine.ts';

/** Each output of the cache and the input whose buffer it is written to: `{ "present.0.key": "past.0.key" }`. */
export function sharedCache(config: Pick<LlamaConfig, 'layers'>): Record<string, string> {
  return Object.fromEntries(presentNames(config as LlamaConfig).map(name => [name, name.replace('present', 'past')]));
}

/** Bytes of an element of the session's cache: 2 where it keeps halves. */
export function cacheElementBytes(session: Pick<EngineSession, 'inputs'>): 2 | 4 {
  return session.inputs.find(({ name }) => name === 'past.0.key')?.type === 'float16' ? 2 : 4;
}

/** Bytes of one row's keys and values for `tokens` tokens. */
export function cacheBytesPerSequence(
  { layers, kvHeads, hidden, heads }: Pick<LlamaConfig, 'layers' | 'kvHeads' | 'hidden' | 'heads'>,
  tokens: number,
  elementBytes: number,
): number {
  return 2 * layers * kvHeads * (hidden / heads) * tokens * elementBytes;
}

/** Zeros for every layer: [rows, KV heads, capacity, width of a head], by the names of the inputs. */
export function emptyCache(config: LlamaConfig, rows: number, capacity: number, elementBytes: 2 | 4): NamedTensors {
  const dims = [rows, config.kvHeads, capacity, config.hidden / config.heads];
  const elements = dims.reduce((product, dim) => product * dim, 1);
  return Object.fromEntries(
    Object.values(sharedCache(config)).map(name => [
      name,
      elementBytes === 2
        ? { type: 'float16', dims, data: new Uint16Array(elements) }
        : { type: 'float32', dims, data: new Float32Array(elements) },
    ]),
  );
}

/** A cache as a prefill leaves it, [rows, KV heads, tokens, width], copied into one with room for `capacity` tokens. */
export function withRoom({ type, dims, data }: TensorValue, capacity: number): TensorValue {
  const [rows = 0, heads = 0, tokens = 0, width = 0] = dims;
  const from = data as Float32Array | Uint16Array;
  const elements = rows * heads * capacity * width;
  const to = from instanceof Uint16Array ? new Uint16Array(elements) : new Float32Array(elements);
  for (let head = 0; head < rows * heads; head++) {
    to.set(from.subarray(head * tokens * width, (head + 1) * tokens * width), head * capacity * width);
  }
  return { type, dims: [rows, heads, capacity, width], data: to };
}
