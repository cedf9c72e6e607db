/** Inference with ONNX Runtime: models that aibench makes itself, or the user's own .onnx file. */
import { statSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { minimumQueries } from '../../analysis/early-stopping.ts';
import { TAIL_SAMPLES } from '../../analysis/statistics.ts';
import type { GraphBuilder, WorkPoint } from '../../models/graph-builder.ts';
import { inspectModel } from '../../models/onnx-file.ts';
import { findPackaged, locatePackaged, packageMissing } from '../../models/packaged.ts';
import { findModel, type ModelDefinition } from '../../models/registry.ts';
import { buildVariant } from '../../models/variant.ts';
import type { Work } from '../../results/schema.ts';
import { findOrt } from '../../runtime/ort.ts';
import { measureFmaPeak } from '../ceilings.ts';
import { fitsInMemory, resolveThreads, threadsLabel } from '../parameters.ts';
import type { LaunchContext, Machine, Prepared, Support, Workload } from '../workload.ts';
import { BACKEND_NAMES, type BackendName } from './backends.ts';
import { deviceSupport, resolveDevice } from './device.ts';
import { engineSupport } from './engines.ts';
import { watchEventLoop } from './event-loop.ts';
import { LLAMA_CPP, llamaCppSupport } from './llama-cpp/support.ts';
import { inferenceMetrics } from './metric-names.ts';
import { type InferenceParams, inferenceParams, isGguf, modelLabel } from './params.ts';
import type { HostSpec } from './session-host.ts';
import { type RemoteHost, startSessionWorker } from './worker-client.ts';

/**
 * Memory of a case over the size of its model: the timed session and, while it is verified, a second one, each with its
 * weights packed anew. Measured for one session of BERT-base and llama-160m: 1.5 times.
 */
const MEMORY_FACTOR = 3;
/** ONNX Runtime's pool goes on spinning for about 32 ms after a run, which would disturb the ceiling. Milliseconds. */
const POOL_CALM_MS = 60;

/** Of the search for the server's rate, each at about its highest load. */
const SERVER_PROBES = 9;
const MLPERF_LAUNCH_SECONDS = 620;
/** What a thread does of a model's FLOPs, for the expected time only: between a third and all of what cores since 2018 do. */
const THREAD_FLOPS = 4e10;

export const inference: Workload<InferenceParams> = {
  name: 'inference',
  summary:
    'ONNX Runtime on ResNet-50, BERT, a Llama-style decoder or any .onnx file; llama.cpp on a decoder or any .gguf file',
  params: inferenceParams,
  backends: BACKEND_NAMES,
  metrics: inferenceMetrics,
  limit: params => (hasCeiling(params) ? { ceiling: 'fma_flops_per_second', metric: 'flops_per_second' } : null),
  label: params =>
    [
      modelLabel(params),
      params.mode ?? '',
      params.precision === 'fp32' ? '' : params.precision,
      params.sparsity ?? '',
      params.sequence === undefined ? '' : `s=${params.sequence}`,
      params.context === undefined ? '' : `c=${params.context}`,
      params.batch === 1 ? '' : `b=${params.batch}`,
      threadsLabel('t', params.threads).trim(),
      params.device === 'auto' ? '' : params.device,
      params.scenario ?? '',
    ]
      .filter(part => part !== '')
      .join(' '),
  overheadSeconds: (params, machine) => overheadSeconds(params, resolveThreads(params.threads, machine)),
  supports,
  prepare: (params, backend, context) => prepareInference(params, context, startSessionWorker, backend as BackendName),
};

/**
 * FLOPs are known, the work is done where the FMA ceiling is measured and in its precision, and the samples are times of work alone: in
 * the server scenario they count the wait of a query too. Products of int8 exceed the ceiling of fp32, and rightly.
 */
function hasCeiling(params: InferenceParams): boolean {
  return (
    findModel(params.model) !== undefined &&
    resolveDevice(params.device) === 'cpu' &&
    params.precision === 'fp32' &&
    params.scenario !== 'server'
  );
}

async function supports(params: InferenceParams, backend: string, machine: Machine): Promise<Support> {
  const support = backend === LLAMA_CPP ? llamaCppSupport(params) : ortSupport(params, backend);
  if (!support.supported) return support;
  const working = findModel(params.model)?.workingBytes(workPoint(params)) ?? 0;
  const bytes = MEMORY_FACTOR * modelBytes(params) + 2 * working;
  return fitsInMemory(bytes, machine, `Inference with ${modelLabel(params)} (batch ${params.batch})`);
}

function ortSupport(params: InferenceParams, backend: string): Support {
  if (isGguf(params.model)) {
    return {
      supported: false,
      reason: `ONNX Runtime does not read GGUF: ${modelLabel(params)} is a file for llama.cpp.`,
      remedy: `Use backend: ${LLAMA_CPP}.`,
    };
  }
  const ort = findOrt();
  if (ort.status === 'absent') return { supported: false, reason: ort.reason, remedy: ort.remedy };
  const device = deviceSupport(params.device, ort);
  if (!device.supported) return device;
  const engine = engineSupport(backend, params.device, ort, params.mode);
  if (!engine.supported) return engine;
  const packaged = findPackaged(params.model);
  if (packaged !== undefined && locatePackaged(packaged) === null) {
    return { supported: false, ...packageMissing(packaged) };
  }
  return { supported: true };
}

/** Size of the weights that are in memory at once. A compressed model is compared with the fp32 one, which is open beside it. */
function modelBytes(params: InferenceParams): number {
  const model = findModel(params.model);
  return ownBytes(params) + (model !== undefined && isCompressed(params) ? fp32Bytes(model) / 2 : 0);
}

/** Size of the weights of the case's own model. 0 for a file that cannot be read: prepare() says what is wrong with it. */
function ownBytes({ model: name, precision, sparsity }: InferenceParams): number {
  const model = findModel(name);
  if (model !== undefined) {
    return remember(`bytes of ${name} ${precision} ${sparsity}`, () =>
      weightBytes(buildVariant(model, precision, sparsity).graph),
    );
  }
  if (isGguf(name)) return statSync(name, { throwIfNoEntry: false })?.size ?? 0;
  try {
    const packaged = findPackaged(name);
    const { bytes, externalBytes } = inspectModel((packaged && locatePackaged(packaged)) ?? name);
    return bytes + externalBytes;
  } catch {
    return 0;
  }
}

function isCompressed({ precision, sparsity }: InferenceParams): boolean {
  return precision !== 'fp32' || sparsity !== undefined;
}

function fp32Bytes(model: ModelDefinition): number {
  return remember(`bytes of ${model.name}`, () => weightBytes(model.build()));
}

function macsOf(model: ModelDefinition, at: WorkPoint): number {
  return remember(`macs of ${model.name} ${JSON.stringify(at)}`, () => model.build().macs(at));
}

const REMEMBERED = new Map<string, number>();

/** Making a graph takes milliseconds, and the expected time of all cases is asked for before every launch: the run's event loop would stand still. */
function remember(key: string, work: () => number): number {
  const known = REMEMBERED.get(key);
  if (known !== undefined) return known;
  const value = work();
  REMEMBERED.set(key, value);
  return value;
}

function weightBytes({ initializers }: GraphBuilder): number {
  return initializers.reduce((sum, initializer) => sum + initializer.byteLength, 0);
}

/**
 * Thread and library; the digest of the file and three sessions (timed, reference, profiled), each loading at about 0.5 GB/s; the
 * inferences of the verification: seven on all threads, two of the reference on one thread. A compressed model is compared with the
 * fp32 one on 16 rows.
 */
function overheadSeconds(params: InferenceParams, threads: number): number {
  const model = findModel(params.model);
  const bytes = ownBytes(params);
  const macs = model === undefined ? 0 : macsOf(model, workPoint(params));
  const inference = (2 * macs) / (THREAD_FLOPS * threads);
  const verification = bytes / 1e9 + (3 * bytes) / 5e8 + inference * (7 + 2 * threads);
  const fidelity = model !== undefined && isCompressed(params) ? fidelitySeconds(model, threads) : 0;
  // A token of a generation reads every weight once; four generations of the verification, two of the warm-up, two samples more.
  const generation = params.mode === 'generate' ? 8 * (inference + ((params.newTokens ?? 0) * bytes) / 1e10) : 0;
  return 0.5 + verification + fidelity + generation + scenarioSeconds(params, inference);
}

/** The fp32 session with its digest, and 16 rows of up to 32 tokens through both. */
function fidelitySeconds(model: ModelDefinition, threads: number): number {
  const rows = macsOf(model, { batch: 16, sequence: Math.min(32, model.sequence?.default ?? 1), context: 0 });
  return (3 * fp32Bytes(model)) / 1e9 + (4 * rows) / (THREAD_FLOPS * threads);
}

/** What a load scenario takes beside the suite's measuring time. */
function scenarioSeconds({ scenario, lengths, percentile }: InferenceParams, inference: number): number {
  if (scenario === undefined) return 0;
  if (lengths === 'mlperf') return MLPERF_LAUNCH_SECONDS;
  const claim = percentile === undefined ? 0 : minimumQueries(1, percentile) * inference;
  if (scenario === 'server') return SERVER_PROBES * claim;
  return scenario !== 'offline' && (percentile ?? 1) <= 0.9 ? claim : 0;
}

function workPoint({ batch, sequence, context }: InferenceParams): {
  batch: number;
  sequence: number;
  context: number;
} {
  return { batch, sequence: sequence ?? 1, context: context ?? 0 };
}

/**
 * Opens the session in a thread of its own and gives the case as a Prepared.
 * @param start for tests: how to start the thread
 */
export async function prepareInference(
  params: InferenceParams,
  context: LaunchContext,
  start: (spec: HostSpec<BackendName>, progress: (message: string) => void) => RemoteHost = startSessionWorker,
  backend: BackendName = 'ort-node',
): Promise<Prepared> {
  // NVIDIA's libraries else compute fp32 products with ten bits of mantissa; read when CUDA is loaded, in this process.
  process.env.NVIDIA_TF32_OVERRIDE ??= '0';
  const threads = resolveThreads(params.threads, context.machine);
  const spec = { backend, params, threads, seed: context.seed, cacheDir: context.cacheDir };
  const host = start(spec, message => context.progress(message));
  const stop = (): void => host.stop();
  if (context.signal.aborted) stop();
  context.signal.addEventListener('abort', stop);
  const dispose = async (): Promise<void> => {
    context.signal.removeEventListener('abort', stop);
    await host.dispose();
  };
  const ceilings = async (): Promise<number> => {
    await wait(POOL_CALM_MS);
    return measureFmaPeak(context.native, 'f32', threads);
  };
  try {
    const { facts, warnings, work } = await host.load();
    return {
      facts,
      warnings,
      verify: () => host.verify(),
      measure: async () => {
        // The FMA ceiling is the CPU's: with `auto` only the session knows what it took.
        const limited = hasCeiling(params) && (facts.device ?? 'cpu') === 'cpu';
        const before = limited ? await ceilings() : 0;
        const { result: measured, longestStall } = await watchEventLoop(() => host.measure(context.timing));
        const after = limited ? await ceilings() : 0;
        const { facts: seen, warnings: told, ...measurement } = measured;
        Object.assign(facts, seen, {
          eventLoopStallSeconds: longestStall.seconds,
          eventLoopStallOwnSeconds: longestStall.ownSeconds,
        });
        warnings.push(...told);
        if (measured.iterationsPerSample > 1) warnings.push(batchedSamples(measured.iterationsPerSample));
        warnings.push(...tailWarnings((measured.tokenTimes?.firstTokenSeconds ?? measured.samplesSeconds).length));
        return {
          ...measurement,
          work: scaled(work, measured.iterationsPerSample),
          ceilings: limited ? { fma_flops_per_second: Math.max(before, after) } : {},
        };
      },
      verifyTimed: () => host.verifyTimed(),
      dispose,
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function scaled(work: Work, iterations: number): Work {
  return Object.fromEntries(Object.entries(work).map(([quantity, amount = 0]) => [quantity, amount * iterations]));
}

/** Of so few samples hardly one lies beyond the 99th percentile: it is nearly the slowest of them. */
function tailWarnings(samples: number): { code: string; message: string; remedy: string }[] {
  if (samples >= TAIL_SAMPLES) return [];
  return [
    {
      code: 'TAIL_OF_FEW',
      message: `The p99 is of ${samples} samples in a launch, so it is nearly the slowest of them: it takes ${TAIL_SAMPLES} for one to lie beyond it.`,
      remedy: 'Measure for longer (--set timing.targetSeconds=10), or read p50 and the rate.',
    },
  ];
}

function batchedSamples(iterations: number): { code: string; message: string; remedy: string } {
  return {
    code: 'BATCHED_SAMPLES',
    message: `One inference is too short to be a sample: each is ${iterations} inferences, and the percentiles are of their means.`,
    remedy: 'Read the tail (p99) of such a case with care; a larger batch or model has samples of single inferences.',
  };
}
