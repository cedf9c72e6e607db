/** What must come out: the logits behind a text, from something else than the session that is timed. */
import { prefillInputs } from '../../../models/llama.ts';
import { ensureModel } from '../../../models/model-cache.ts';
import type { DecoderModel } from '../../../models/registry.ts';
import type { TensorValue } from '../../../models/tensor.ts';
import { buildVariant } from '../../../models/variant.ts';
import type { LlamaModel } from '../../../runtime/llama-cpp.ts';
import { withCacheType } from '../cache-type.ts';
import type { Tolerance } from '../compare.ts';
import { openEngine } from '../engines.ts';
import type { InferenceParams } from '../params.ts';
import { openText } from './sequence.ts';

type Tokens = readonly number[];

export interface Reference {
  /** How, for the record: completes "the logits ...". */
  against: string;
  tolerance: Tolerance;
  /** Logits behind each text, which all come at once since what gives them is opened for the call. */
  logits(texts: readonly Tokens[]): Promise<TensorValue[]>;
}

/**
 * ONNX Runtime on the ONNX file of the same weights, its graph as it is in the file, on one thread. llama.cpp keeps its KV cache in fp16 whatever the weights are in, and
 * multiplies 4-bit weights with activations of 8 bits, a scale to 32 of them, as ONNX Runtime does. Measured on llama-15m and
 * llama-160m, three seeds, element / rms: see docs/inference.md.
 */
const TOLERANCE: Record<string, Tolerance> = {
  fp32: { element: 2e-2, rms: 5e-3 },
  fp16: { element: 2e-2, rms: 5e-3 },
  int4: { element: 0.25, rms: 5e-2 },
};

export function onnxRuntimeReference(model: DecoderModel, params: InferenceParams, cacheDir: string): Reference {
  return {
    against: 'against ONNX Runtime on the same weights, unoptimised graph on one CPU thread',
    tolerance: TOLERANCE[params.precision] ?? { element: 0, rms: 0 },
    logits: async texts => {
      const variant = buildVariant(model, params.precision, params.sparsity);
      const file = ensureModel(variant, variant.graph, cacheDir).path;
      const options = { device: 'cpu', threads: 1, spinning: false, optimise: false } as const;
      const session = await openEngine('ort-node').open(file, options);
      try {
        const found: TensorValue[] = [];
        for (const text of texts) {
          const inputs = withCacheType(prefillInputs(model.config, [text]), session);
          const { logits } = await session.bind(inputs, ['logits'])();
          if (logits === undefined) throw new Error('the session returned no logits');
          found.push(logits);
        }
        return found;
      } finally {
        await session.release();
      }
    },
  };
}

/** Tokens that go in at once. */
const PIECE = 16;

/**
 * For a file of the user's, of which nobody else has the weights: llama.cpp itself, another way round. It tells a stale buffer, a cache that
 * lost something or threads that raced; it does not tell an error that llama.cpp makes in both ways.
 */
export function ownReference(model: LlamaModel, positions: number): Reference {
  return {
    against:
      'against llama.cpp itself in pieces of 16 tokens on one thread, without flash attention: no other engine has these weights',
    tolerance: { element: 0.25, rms: 5e-2 },
    logits: async texts => {
      const text = await openText(model, { positions, threads: 1, flashAttention: false });
      const found: TensorValue[] = [];
      for (const tokens of texts) {
        await text.keep(0);
        for (let at = 0; at < tokens.length - 1; at += PIECE) {
          await text.fill(tokens.slice(at, Math.min(at + PIECE, tokens.length - 1)));
        }
        found.push(await text.logits(tokens.slice(-1)));
      }
      await text.dispose();
      return found;
    },
  };
}
