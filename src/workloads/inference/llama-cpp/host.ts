/** One case on llama.cpp, from model file to verified samples: what session-host.ts is for ONNX Runtime. It runs in the same Worker. */
import { llamaTokens } from '../../../models/llama.ts';
import { llamaGguf } from '../../../models/llama-gguf.ts';
import { contentSha256, ensureModel } from '../../../models/model-cache.ts';
import { mixSeeds } from '../../../models/random.ts';
import { findModel } from '../../../models/registry.ts';
import type { Warning } from '../../../results/schema.ts';
import { type LlamaBinding, openLlamaCpp } from '../../../runtime/llama-cpp.ts';
import { damage, type Fault } from '../compare.ts';
import { generationMacs, runGenerations } from '../generation.ts';
import { realClock } from '../load/clock.ts';
import { runLoadScenario } from '../load/scenarios.ts';
import { loadPlan } from '../load-plan.ts';
import { modelLabel } from '../params.ts';
import { peakResidentBytes, resetPeakResidentBytes } from '../resident-memory.ts';
import { INPUT_SETS } from '../scenario.ts';
import type { HostSpec, SessionHost } from '../session-host.ts';
import { type LoopHooks, monotonicSeconds, runSampledLoop } from '../timed-loop.ts';
import { type Check, checkRuns } from './check.ts';
import { llamaCppError } from './errors.ts';
import { checkGguf } from './gguf-file.ts';
import { onnxRuntimeReference, ownReference, type Reference } from './reference.ts';
import { type RunOutcome, type TimedRun, textLengths, timedRun } from './runs.ts';
import { openText, type Text } from './sequence.ts';

interface Loaded {
  llama: LlamaBinding;
  texts: Text[];
  runs: TimedRun[];
  reference: Reference;
}

export function createLlamaCppHost(spec: HostSpec, hooks: LoopHooks): SessionHost {
  const { params, threads, seed, cacheDir } = spec;
  const label = modelLabel(params);
  let loaded: Loaded | undefined;
  let fault: Fault | undefined;
  let lastTimed: Check[] = [];
  let turn = 0;

  const ready = (): Loaded => {
    if (loaded === undefined) throw new Error('the model is not loaded');
    return loaded;
  };
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw llamaCppError(error, params.model);
    }
  };
  /** The next run in turn, kept for the verification of what was timed. */
  const next = async (): Promise<RunOutcome> => {
    const { runs, texts } = ready();
    const set = turn++ % runs.length;
    const outcome = await (runs[set] as TimedRun).run();
    lastTimed = [{ text: texts[set] as Text, outcome }];
    return outcome;
  };
  const verified = (checks: readonly Check[]) =>
    checkRuns(checks, ready().reference, (outputs, other) =>
      fault === undefined ? outputs : damage(outputs, fault, other),
    );

  return {
    load: () =>
      guarded(async () => {
        const definition = findModel(params.model);
        const { file, facts } = modelFile(spec, message => hooks.progress(message));
        hooks.progress(`loading ${label}`);
        const { llama, version } = await openLlamaCpp(threads);
        const resident = resetPeakResidentBytes();
        const begin = monotonicSeconds();
        const model = await llama.loadModel({ modelPath: file, gpuLayers: 0 }).catch(error => {
          throw llamaCppError(error, params.model, true);
        });
        const { given, room } = textLengths(params);
        const texts: Text[] = [];
        for (let set = 0; set < INPUT_SETS; set++) {
          texts.push(await openText(model, { positions: room, threads, flashAttention: 'auto' }));
        }
        const loadSeconds = monotonicSeconds() - begin;
        const tokens = await givenTokens(spec, given, texts[0] as Text);
        const runs = texts.map((text, set) => timedRun(text, params, tokens[set] ?? []));
        for (const run of runs) await run.prepare();
        const reference =
          definition?.kind === 'decoder'
            ? onnxRuntimeReference(definition, params, cacheDir)
            : ownReference(model, room);
        loaded = { llama, texts, runs, reference };
        const first = await next();
        return {
          facts: {
            ...facts,
            engine: 'node-llama-cpp',
            nodeLlamaCpp: version,
            llamaCpp: llama.llamaCppRelease.release,
            llamaCppSystem: llama.systemInfo.trim(),
            modelDescription: model.typeDescription,
            device: 'cpu',
            adapter: null,
            threads,
            kvCacheType: 'fp16',
            kvCacheInPlace: true,
            ...cacheFacts(params, texts[0] as Text),
            loadSeconds,
            firstInferenceSeconds: first.seconds,
            peakResidentBytes: peakResidentBytes(),
            residentBytesBeforeLoad: resident,
          },
          warnings: definition === undefined ? [] : [unproved(label, params.precision)],
          work: workOf(params),
        };
      }),

    verify: () =>
      guarded(async () => {
        hooks.progress('verifying');
        const { runs, texts } = ready();
        const checks: Check[] = [];
        for (const [set, run] of runs.entries()) checks.push({ text: texts[set] as Text, outcome: await run.run() });
        return verified(checks);
      }),

    measure: timing =>
      guarded(async () => {
        const { runs } = ready();
        if (params.mode === 'generate') {
          const generations = runs.map(() => async () => {
            const { tokenTimes } = await next();
            if (tokenTimes === undefined) throw new Error('a generation has token times');
            return tokenTimes;
          });
          const { last: _last, ...result } = await runGenerations(generations, timing, hooks);
          return { ...result, facts: {}, warnings: [] };
        }
        const plan = loadPlan(params, seed);
        if (plan !== null) return runLoadScenario(next, plan, timing, realClock(hooks.stopped), hooks);
        const timeRuns = async (iterations: number): Promise<number> => {
          let seconds = 0;
          for (let i = 0; i < iterations; i++) seconds += (await next()).seconds;
          return seconds;
        };
        return { ...(await runSampledLoop(timeRuns, timing, hooks)), facts: {}, warnings: [] };
      }),

    verifyTimed: () =>
      guarded(() => {
        if (lastTimed.length === 0) throw new Error('nothing was timed');
        return verified(lastTimed);
      }),

    injectFault: async given => {
      fault = given;
    },

    dispose: async () => {
      const llama = loaded?.llama;
      loaded = undefined;
      await llama?.dispose();
    },
  };
}

/** The file, made where it is one of ours. */
function modelFile(
  { params, cacheDir }: HostSpec,
  progress: (message: string) => void,
): { file: string; facts: Record<string, string | number | boolean | null> } {
  const model = findModel(params.model);
  if (model?.kind !== 'decoder') {
    const bytes = checkGguf(params.model);
    return {
      file: params.model,
      facts: { model: modelLabel(params), modelSha256: contentSha256(params.model), modelBytes: bytes, macs: null },
    };
  }
  const { source, graph } = llamaGguf(model, params.precision, params.sparsity);
  progress(`making ${source.name} as GGUF`);
  const { path: file, sha256, bytes } = ensureModel(source, graph, cacheDir);
  const { batch, sequence, context, precision, sparsity } = params;
  return {
    file,
    facts: {
      model: model.name,
      modelVersion: source.version,
      modelSha256: sha256,
      modelBytes: bytes,
      parameters: graph.parameters,
      macs: graph.macs({ batch, sequence: sequence ?? 1, context: context ?? 0 }),
      ...(model.smallerOf === undefined ? {} : { smallerOf: model.smallerOf }),
      ...(precision === 'fp32' && sparsity === undefined ? {} : { precision, sparsity: sparsity ?? 'none' }),
    },
  };
}

/** A user's file runs as it is; of our own models a precision was asked for. */
function unproved(label: string, precision: string): Warning {
  return {
    code: 'PRECISION_UNPROVED',
    message: `In which precision ${label} multiplied is not proved: llama.cpp has no profile of what it executed. Its weights are ${precision}.`,
    remedy: 'Hold the rate against fp32 on the same engine before a gain is put down to the precision.',
  };
}

/** Random ids, for our own models the same as on ONNX Runtime. A file's vocabulary is as wide as its logits. */
async function givenTokens({ params, seed }: HostSpec, length: number, text: Text): Promise<number[][]> {
  const model = findModel(params.model);
  const vocabulary = model?.kind === 'decoder' ? model.config.vocabulary : ((await text.logits([1])).dims[1] as number);
  await text.keep(0);
  return Array.from(
    { length: INPUT_SETS },
    (_, set) => llamaTokens({ vocabulary }, 1, length, mixSeeds(seed, set + 1))[0] ?? [],
  );
}

/** Multiplications are those of the ONNX graph of the same model; nobody counted those of a user's file. */
function workOf({ model: name, mode, sequence, context, newTokens }: HostSpec['params']) {
  const model = findModel(name);
  const graph = model?.build();
  const macs = (at: { batch: number; sequence: number; context: number }): number => graph?.macs(at) ?? 0;
  const given = sequence ?? 1;
  const flops =
    2 *
    (mode === 'generate'
      ? generationMacs(macs, 1, given, newTokens ?? 1)
      : macs({ batch: 1, sequence: given, context: context ?? 0 }));
  return {
    tokens: mode === 'generate' ? (newTokens ?? 1) : given,
    ...(mode === 'generate' ? { promptTokens: given } : {}),
    items: 1,
    ...(flops > 0 ? { flops } : {}),
  };
}

function cacheFacts({ model: name }: HostSpec['params'], text: Text): Record<string, number> {
  const model = findModel(name);
  if (model?.kind !== 'decoder') return {};
  const { layers, kvHeads, hidden, heads } = model.config;
  return { kvCacheBytesPerSequence: 2 * 2 * layers * kvHeads * (hidden / heads) * text.positions };
}
