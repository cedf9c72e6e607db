/**
 * One case from model file to verified samples, on the thread that it is called on. The Worker in session-worker.ts is where
 * it runs, since ONNX Runtime's Node binding computes on the calling thread.
 */
import { findModel } from '../../models/registry.ts';
import type { NamedTensors } from '../../models/tensor.ts';
import type { Verification, Warning, Work } from '../../results/schema.ts';
import { formatBytes } from '../../units.ts';
import type { Timing } from '../workload.ts';
import { chooseDevice } from './choose-device.ts';
import { compareWithTwins, damage, type Fault } from './compare.ts';
import { providerOf } from './device.ts';
import { deviceMemoryFact, deviceMemoryInUse } from './device-memory.ts';
import { attempt, installedDevices } from './device-probes.ts';
import type { Engine, EngineSession, SessionOptions } from './engine.ts';
import type { EngineName } from './engines.ts';
import { type Fidelity, measureFidelity, withinFidelity } from './fidelity.ts';
import { type Generation, runGenerations } from './generation.ts';
import { cacheFacts, planGenerations, referenceLogits } from './generation-plan.ts';
import { realClock } from './load/clock.ts';
import { type LoadResult, runLoadScenario } from './load/scenarios.ts';
import { loadPlan } from './load-plan.ts';
import { type ResolvedModel, resolveModel } from './model-source.ts';
import { ortError } from './ort-errors.ts';
import { type InferenceParams, modelLabel } from './params.ts';
import { type Proof, proveSession } from './prove-session.ts';
import { peakResidentBytes, resetPeakResidentBytes } from './resident-memory.ts';
import { planScenario, runAll, type Scenario } from './scenario.ts';
import { type LoopHooks, monotonicSeconds, runSampledLoop } from './timed-loop.ts';
import { takeTurns } from './turns.ts';

export interface HostSpec<Backend extends string = string> {
  backend: Backend;
  params: InferenceParams;
  /** What `params.threads` stands for on this machine. */
  threads: number;
  seed: number;
  cacheDir: string;
}

export interface LoadedModel {
  facts: Record<string, string | number | boolean | null>;
  warnings: Warning[];
  /** Of one inference. */
  work: Work;
}

/** Called in this order; the promises reject with AibenchError for what a user can cause. */
export interface SessionHost {
  load(): Promise<LoadedModel>;
  verify(): Promise<Verification>;
  measure(timing: Timing): Promise<LoadResult>;
  verifyTimed(): Promise<Verification>;
  /** Damages the next outputs to be checked; for tests of the verification. */
  injectFault(fault: Fault): Promise<void>;
  dispose(): Promise<void>;
}

/** The binding copies every output that is fetched; from this size on it is worth a warning. */
const LARGE_OUTPUT_BYTES = 2 ** 20;

export function createSessionHost(spec: HostSpec<EngineName>, openEngine: () => Engine, hooks: LoopHooks): SessionHost {
  const { params } = spec;
  const label = modelLabel(params);
  let loaded: { engine: Engine; model: ResolvedModel; session: EngineSession; scenario: Scenario } | undefined;
  let inputSets: NamedTensors[] = [];
  let references: NamedTensors[] = [];
  let lastTimed: { set: number; outputs: NamedTensors } | undefined;
  let fault: Fault | undefined;
  let proof: Proof = { facts: {}, warnings: [] };
  /** mode=generate: one per set of prompts, and the logits that each must end with. */
  let generations: Generation[] = [];
  let generationReferences: NamedTensors[] = [];
  let device: SessionOptions['device'] = 'cpu';
  const timedOptions = (on = device): SessionOptions => ({
    device: on,
    threads: spec.threads,
    spinning: params.spinning,
    optimise: true,
  });

  const ready = (): NonNullable<typeof loaded> => {
    if (loaded === undefined) throw new Error('the session is not loaded');
    return loaded;
  };
  /** Outputs of the profiled session, where those of the reference are of another computation. On the CPU alone: nothing is known of a device's order of sums. */
  const twins = (): readonly NamedTensors[] =>
    device === 'cpu' && ready().model.tolerance.rms !== null ? (proof.outputs ?? []) : [];
  const checked = (outputs: NamedTensors, other: NamedTensors): NamedTensors =>
    fault === undefined ? outputs : damage(outputs, fault, other);
  /** What the engine throws becomes a sentence. */
  const guarded = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw ortError(error, params.model);
    }
  };

  return {
    load: async () => {
      const engine = openEngine();
      const model = await guarded(() => resolveModel(params, engine, spec.cacheDir, hooks.progress));
      const chosen = await guarded(() =>
        chooseDevice(params.device, {
          ...installedDevices(spec.backend, params.mode),
          attempt: on => attempt(engine, model, timedOptions(on), params, spec.seed),
        }),
      );
      device = chosen.device;
      hooks.progress(`loading ${label}`);
      const memoryBefore = await deviceMemoryInUse(device);
      const resident = resetPeakResidentBytes();
      const start = monotonicSeconds();
      const session = await guarded(() => engine.open(model.path, timedOptions()));
      const loadSeconds = monotonicSeconds() - start;
      const scenario = await guarded(async () => planScenario(params, spec.seed, model.macs, session));
      loaded = { engine, model, session, scenario };
      return guarded(async () => {
        inputSets = await scenario.timedInputs(session);
        const first = monotonicSeconds();
        const bound = scenario.bind(session, inputSets[0] ?? {});
        const outputs = await bound();
        // Where binding runs the model too, the inference here is not its first.
        const firstInferenceSeconds = bound.firstSeconds ?? monotonicSeconds() - first;
        const memoryAfter = memoryBefore === null ? null : await deviceMemoryInUse(device);
        return {
          facts: {
            ...model.facts,
            engine: engine.name,
            onnxruntime: engine.version,
            ...chosen.facts,
            providers: providerOf(device),
            threads: spec.threads,
            spinning: params.spinning,
            loadSeconds,
            firstInferenceSeconds,
            peakResidentBytes: peakResidentBytes(),
            residentBytesBeforeLoad: resident,
            ...deviceMemoryFact(memoryBefore, memoryAfter),
          },
          warnings: [...chosen.warnings, ...(engine.copiesOutputs ? outputWarnings(outputs, label) : [])],
          work: scenario.work,
        };
      });
    },

    verify: () =>
      guarded(async () => {
        const { engine, model, session, scenario } = ready();
        hooks.progress('verifying');
        const options = { device: 'cpu', threads: 1, spinning: false, optimise: false } as const;
        const referenceSession = await engine.open(model.path, options);
        try {
          references = await scenario.reference(referenceSession);
          generationReferences = await referenceLogits(params, spec.seed, session, referenceSession);
        } finally {
          await referenceSession.release();
        }
        generations = planGenerations(params, spec.seed, session);
        const outputs = await runAll(session, inputSets, scenario.bind);
        proof = await proveSession(engine, model.path, timedOptions(), inputSets, scenario.bind, params);
        let fidelity: Fidelity | null = null;
        const definition = findModel(params.model);
        if (model.compressed && definition !== undefined) {
          hooks.progress('comparing with fp32');
          const { threads, seed, cacheDir } = spec;
          fidelity = await measureFidelity(definition, session, engine, { threads, seed, cacheDir });
          Object.assign(proof.facts, fidelity);
        }
        const [first = {}, second = {}] = outputs;
        for (const [set, generate] of generations.entries()) {
          outputs.push({ logits: (await generate()).logits });
          references = [...references.slice(0, inputSets.length + set), generationReferences[set] ?? {}];
        }
        const verification = compareWithTwins(
          [checked(first, second), ...outputs.slice(1)],
          references,
          model.tolerance,
          twins(),
        );
        return verification.passed && fidelity !== null ? withinFidelity(fidelity, params, verification) : verification;
      }),

    measure: timing =>
      guarded(async () => {
        const { session, scenario } = ready();
        const facts = { ...proof.facts, ...cacheFacts(params, session) };
        const turns = takeTurns(inputSets.map(inputs => scenario.bind(session, inputs)));
        if (generations.length > 0) {
          const { last, ...result } = await runGenerations(generations, timing, hooks);
          lastTimed = { set: inputSets.length + last.set, outputs: { logits: last.generated.logits } };
          return {
            ...result,
            facts,
            warnings: proof.warnings,
            ...(proof.invalid === undefined ? {} : { invalid: proof.invalid }),
          };
        }
        const plan = loadPlan(params, spec.seed);
        const result =
          plan === null
            ? { ...(await runSampledLoop(turns.timeRuns, timing, hooks)), facts: {}, warnings: [] }
            : await runLoadScenario(turns.query, plan, timing, realClock(hooks.stopped), hooks);
        lastTimed = turns.last();
        const { invalid } = proof;
        return {
          ...result,
          facts: { ...result.facts, ...facts },
          warnings: [...result.warnings, ...proof.warnings],
          ...(invalid === undefined ? {} : { invalid }),
        };
      }),

    verifyTimed: async () => {
      if (lastTimed === undefined) throw new Error('nothing was timed');
      const { set, outputs } = lastTimed;
      const expected = references[set] ?? {};
      const other = references[(set + 1) % references.length] ?? {};
      const twin = twins()[set];
      return compareWithTwins(
        [checked(outputs, other)],
        [expected],
        ready().model.tolerance,
        twin === undefined ? [] : [twin],
      );
    },

    injectFault: async next => {
      fault = next;
    },

    dispose: async () => {
      const session = loaded?.session;
      loaded = undefined;
      await session?.release();
    },
  };
}

function outputWarnings(outputs: NamedTensors, label: string): Warning[] {
  const bytes = Object.values(outputs).reduce(
    (sum, { data }) => sum + (ArrayBuffer.isView(data) ? data.byteLength : 0),
    0,
  );
  if (bytes < LARGE_OUTPUT_BYTES) return [];
  return [
    {
      code: 'OUTPUT_COPY',
      message: `${label} returns ${formatBytes(bytes)} per inference, which onnxruntime-node copies inside the timed run.`,
      remedy: 'End the model in a small output (argmax, pooling), or read the latency as including that copy.',
    },
  ];
}
