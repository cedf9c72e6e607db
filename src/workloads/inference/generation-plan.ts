/** Which generations a case runs, and what they must end with. */
import { llamaTokens, prefillInputs } from '../../models/llama.ts';
import { mixSeeds } from '../../models/random.ts';
import { findModel } from '../../models/registry.ts';
import type { NamedTensors } from '../../models/tensor.ts';
import { withCacheType } from './cache-type.ts';
import type { EngineSession } from './engine.ts';
import { bindGeneration, type Generation, type GenerationShape } from './generation.ts';
import { cacheBytesPerSequence, cacheElementBytes } from './kv-cache.ts';
import type { InferenceParams } from './params.ts';
import { INPUT_SETS } from './scenario.ts';

/** The prompts of the case: none where it does not generate. The same as those of the prefill. */
function shapesOf({ model: name, mode, batch, sequence, newTokens }: InferenceParams, seed: number): GenerationShape[] {
  const model = findModel(name);
  if (mode !== 'generate' || model?.kind !== 'decoder' || sequence === undefined || newTokens === undefined) return [];
  return Array.from({ length: INPUT_SETS }, (_, set) => ({
    config: model.config,
    prompt: llamaTokens(model.config, batch, sequence, mixSeeds(seed, set + 1)),
    newTokens,
  }));
}

export function planGenerations(params: InferenceParams, seed: number, session: EngineSession): Generation[] {
  return shapesOf(params, seed).map(shape => bindGeneration(session, shape));
}

/**
 * For each generation: runs it on `session`, and gives the logits of a prefill of prompt and generated tokens on `reference`, so
 * that the whole KV cache is part of the proof. The tokens are the session's own, since rounding may turn a close choice. In
 * another precision than fp32 a prefill is another computation (scenario.ts): there it is the same steps on `reference`.
 */
export async function referenceLogits(
  params: InferenceParams,
  seed: number,
  session: EngineSession,
  reference: EngineSession,
): Promise<NamedTensors[]> {
  const references: NamedTensors[] = [];
  for (const shape of shapesOf(params, seed)) {
    const { tokens } = await bindGeneration(session, shape)();
    if (params.precision !== 'fp32') {
      references.push({ logits: (await bindGeneration(reference, { ...shape, forced: tokens })()).logits });
      continue;
    }
    const rows = shape.prompt.map((row, index) => [...row, ...(tokens[index]?.slice(0, -1) ?? [])]);
    references.push(await reference.bind(withCacheType(prefillInputs(shape.config, rows), reference), ['logits'])());
  }
  return references;
}

/** The KV cache of a language model at the case's full length. Whether it stays in place says nothing of a prefill, which begins with none. */
export function cacheFacts(params: InferenceParams, session: EngineSession): Record<string, number | boolean> {
  const model = findModel(params.model);
  if (model?.kind !== 'decoder') return {};
  const { mode, sequence = 0, newTokens = 0, context = 0 } = params;
  const tokens = mode === 'decode' ? context + 1 : sequence + newTokens;
  return {
    kvCacheTokens: tokens,
    kvCacheBytesPerSequence: cacheBytesPerSequence(model.config, tokens, cacheElementBytes(session)),
    ...(mode === 'prefill' ? {} : { kvCacheInPlace: session.bindShared !== undefined }),
  };
}
