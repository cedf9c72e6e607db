/**
 * What is run, on which inputs, and what must come out. Every scenario has two sets of inputs, used in turn, so that a
 * session that hands back an old output is found out.
 */

import type { WorkPoint } from '../../models/graph-builder.ts';
import { decodeInputs, llamaTokens, prefillInputs, presentNames } from '../../models/llama.ts';
import { findPackaged, packagedDims } from '../../models/packaged.ts';
import { mixSeeds } from '../../models/random.ts';
import { type DecoderModel, findModel, type StatelessModel } from '../../models/registry.ts';
import type { NamedTensors } from '../../models/tensor.ts';
import type { Precision } from '../../models/variant.ts';
import type { Work } from '../../results/schema.ts';
import { withCacheType } from './cache-type.ts';
import type { BoundInference, EngineSession } from './engine.ts';
import { generationMacs } from './generation.ts';
import { genericInputs, resolveShapes } from './generic-inputs.ts';
import { sharedCache, withRoom } from './kv-cache.ts';
import type { InferenceParams } from './params.ts';

/** Hands one set of inputs to a session, for runs on it. */
export type Bind = (session: EngineSession, inputs: NamedTensors) => BoundInference;

export interface Scenario {
  /** As it is timed. */
  bind: Bind;
  /** Sets of inputs for the timed session; may run it, to fill a KV cache. */
  timedInputs(session: EngineSession): Promise<NamedTensors[]>;
  /** The same outputs from a session that is known to be right, for each set. */
  reference(session: EngineSession): Promise<NamedTensors[]>;
  /** Of one inference. */
  work: Work;
}

export const INPUT_SETS = 2;

/**
 * @param macs multiply–accumulates of one inference at a point, or null where nobody counted them
 * @param session of the user's own model: its inputs are what is known of it
 */
export function planScenario(
  params: InferenceParams,
  seed: number,
  macs: ((at: WorkPoint) => number) | null,
  session: EngineSession,
): Scenario {
  const model = findModel(params.model);
  const seeds = Array.from({ length: INPUT_SETS }, (_, set) => mixSeeds(seed, set + 1));
  if (model === undefined) return ownFileScenario(params, seeds, session);
  const { batch } = params;
  const point = { batch, sequence: params.sequence ?? 1, context: params.context ?? 0 };
  const flops = 2 * (macs?.(point) ?? 0);
  if (model.kind !== 'decoder') return statelessScenario(model, point, seeds, { items: batch, flops });
  const { newTokens } = params;
  const work =
    newTokens === undefined || macs === null
      ? { tokens: batch * point.sequence, items: batch, flops }
      : {
          tokens: batch * newTokens,
          promptTokens: batch * point.sequence,
          items: batch,
          flops: 2 * generationMacs(macs, batch, point.sequence, newTokens),
        };
  return params.mode === 'decode'
    ? decodeScenario(model, point, seeds, work, params.precision)
    : prefillScenario(model, point, seeds, work);
}

/** Every set of inputs once through the session. */
export async function runAll(
  session: EngineSession,
  sets: readonly NamedTensors[],
  bind: Bind,
): Promise<NamedTensors[]> {
  const outputs: NamedTensors[] = [];
  for (const inputs of sets) outputs.push(await bind(session, inputs)());
  return outputs;
}

function fetching(fetches: readonly string[]): Bind {
  return (session, inputs) => session.bind(withCacheType(inputs, session), fetches);
}

function fixedInputs(sets: readonly NamedTensors[], fetches: readonly string[], work: Work): Scenario {
  const bind = fetching(fetches);
  return {
    bind,
    timedInputs: async session => sets.map(inputs => withCacheType(inputs, session)),
    reference: session => runAll(session, sets, bind),
    work,
  };
}

function statelessScenario(model: StatelessModel, at: WorkPoint, seeds: readonly number[], work: Work): Scenario {
  return fixedInputs(
    seeds.map(seed => model.inputs(at, seed)),
    [model.output],
    work,
  );
}

function prefillScenario(model: DecoderModel, at: WorkPoint, seeds: readonly number[], work: Work): Scenario {
  const prompts = seeds.map(seed => llamaTokens(model.config, at.batch, at.sequence, seed));
  return fixedInputs(
    prompts.map(rows => prefillInputs(model.config, rows)),
    [model.output],
    work,
  );
}

/**
 * One token per row on a cache of `context` tokens, which a prefill of the timed session itself fills. Where the engine can share
 * buffers, the new keys and values are written behind those of the context, in every run to the same place, as in a generation. Where it cannot,
 * they are computed and not fetched: what is timed is the step, not the copies of the binding. The reference is a prefill of context + 1 tokens, so the cache is part of what is proved. In another precision than
 * fp32 that is another computation, since activations are quantised by the range of all tokens that go in at once: there the
 * reference is the same step on the reference session's own cache.
 */
function decodeScenario(
  model: DecoderModel,
  at: WorkPoint,
  seeds: readonly number[],
  work: Work,
  precision: Precision,
): Scenario {
  const { config, output } = model;
  const texts = seeds.map(seed => llamaTokens(config, at.batch, at.context + 1, seed));
  const shared = sharedCache(config);
  const plain = fetching([output]);
  const steps = async (session: EngineSession, inPlace: boolean): Promise<NamedTensors[]> => {
    const sets: NamedTensors[] = [];
    for (const rows of texts) {
      const prompt = prefillInputs(
        config,
        rows.map(row => row.slice(0, -1)),
      );
      const present = await session.bind(withCacheType(prompt, session), presentNames(config))();
      const next = rows.map(row => row.at(-1) ?? 0);
      const cache = inPlace
        ? Object.fromEntries(Object.entries(present).map(([name, part]) => [name, withRoom(part, at.context + 1)]))
        : present;
      sets.push(decodeInputs(config, next, at.context, cache));
    }
    return sets;
  };
  const wholeTexts = texts.map(rows => prefillInputs(config, rows));
  return {
    bind: (session, inputs) =>
      session.bindShared?.(inputs, [output, ...Object.keys(shared)], shared) ?? plain(session, inputs),
    timedInputs: session => steps(session, session.bindShared !== undefined),
    // Never in place: a fault of the sharing shall not be in both.
    reference: async session => runAll(session, precision === 'fp32' ? wholeTexts : await steps(session, false), plain),
    work,
  };
}

/** All outputs of the user's own file, on inputs made from its own description. The operations in it are not counted. */
function ownFileScenario(params: InferenceParams, seeds: readonly number[], session: EngineSession): Scenario {
  const { batch, sequence, model } = params;
  const packaged = findPackaged(model);
  const dims = packaged === undefined ? (params.dims ?? []) : packagedDims(packaged, batch);
  // A packaged model's sizes hold the batch already.
  const { shapes } = resolveShapes(
    session.inputs,
    { batch: packaged === undefined ? batch : 1, sequence, dims },
    model,
  );
  return fixedInputs(
    seeds.map(seed => genericInputs(session.inputs, shapes, seed, model, packaged?.integers)),
    session.outputs.map(({ name }) => name),
    { items: batch },
  );
}
