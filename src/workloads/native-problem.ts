/** Turns a NativeProblem of the addon into a Prepared case: the same walk for every native workload. */
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import type { NativeMeasurement, NativeProblem, NativeVerification } from '../native/types.ts';
import type { Verification, Warning, Work } from '../results/schema.ts';
import type { LaunchContext, Prepared } from './workload.ts';

export interface NativeProblemOptions {
  /** Opens the problem; the addon refuses at once what the CPU lacks. */
  open: () => NativeProblem;
  context: LaunchContext;
  /** Work of one iteration, by the problem's own count. */
  work: (perIteration: { flops: number; bytes: number; items: number }) => Work;
  /** Measured before and after the samples, in the same process; the highest counts, with what the problem saw in between. */
  ceilings?: (problem: NativeProblem) => Promise<Record<string, number>>;
  /** Ceilings that follow from the highest of those that were measured; `work` is of one iteration. */
  derived?: (ceilings: Record<string, number>, work: ReturnType<NativeProblem['work']>) => Record<string, number>;
  warnings?: Warning[];
  /** Keeps what each rank measured, named by this. */
  rank?: (index: number) => { host: string; pid?: number };
}

export async function prepareNativeProblem(options: NativeProblemOptions): Promise<Prepared> {
  const { context } = options;
  const problem = await openProblem(options.open);
  const abort = (): void => problem.stop();
  context.signal.addEventListener('abort', abort);
  return {
    // Some facts are known only after the samples: where the ranks sat then, for instance.
    get facts() {
      return problem.facts();
    },
    warnings: options.warnings ?? [],
    verify: async () => toVerification(await problem.runAndVerify().catch(asLacking)),
    measure: async () => {
      const before = (await options.ceilings?.(problem)) ?? {};
      const measured = await problem.measure(context.timing);
      const after = (await options.ceilings?.(problem)) ?? {};
      const ceilings = higherOf(higherOf(before, after), problem.ceilings());
      return {
        windowSeconds: [measured.windowStart, measured.windowEnd],
        samplesSeconds: [...measured.samplesSeconds],
        iterationsPerSample: measured.iterationsPerSample,
        work: scaleWork(options.work(problem.work()), measured.iterationsPerSample),
        warmup: { samplesSeconds: [...measured.warmup.samplesSeconds], settled: measured.warmup.settled },
        ...rankSamples(measured, options.rank),
        complete: measured.complete,
        ceilings: { ...ceilings, ...options.derived?.(ceilings, problem.work()) },
      };
    },
    verifyTimed: async () => toVerification(await problem.verify()),
    dispose: async () => {
      context.signal.removeEventListener('abort', abort);
      problem.dispose();
    },
  };
}

async function openProblem(open: () => NativeProblem): Promise<NativeProblem> {
  let problem: NativeProblem | undefined;
  try {
    problem = open();
    await problem.prepare();
    return problem;
  } catch (error) {
    problem?.dispose();
    throw asAibenchError(error);
  }
}

/** Codes that say that the device, its driver or a library lacks what the case needs: the case is skipped, not failed. */
const LACKS = /^(GPU_ALGORITHM_NONE|(GPU|LIBRARY|DTYPE|DEVICE)_UNSUPPORTED)$/;

/** Native errors carry a code and a remedy; both reach the user as they are. */
function asAibenchError(error: unknown): AibenchError {
  if (error instanceof AibenchError) return error;
  const { code, remedy } = error as { code?: unknown; remedy?: unknown };
  return new AibenchError(
    typeof code === 'string' ? code : 'NATIVE_FAILURE',
    messageOf(error),
    typeof remedy === 'string' ? remedy : 'Run `aibench doctor`.',
    typeof code === 'string' && LACKS.test(code) ? EXIT.unmeasured : EXIT.failed,
  );
}

/** Of the first run, where some libraries only then say what they lack. */
function asLacking(error: unknown): never {
  const known = asAibenchError(error);
  throw known.exitCode === EXIT.unmeasured ? known : error;
}

function rankSamples(
  measured: NativeMeasurement,
  rank: NativeProblemOptions['rank'],
): { ranks?: { rank: number; host: string; pid?: number; samplesSeconds: number[] }[] } {
  if (rank === undefined) return {};
  return {
    ranks: measured.rankSamplesSeconds.map((samples, index) => ({
      rank: index,
      ...rank(index),
      samplesSeconds: [...samples],
    })),
  };
}

function toVerification(native: NativeVerification): Verification {
  return { ...native, error: Number.isFinite(native.error) ? native.error : null };
}

function scaleWork(work: Work, iterations: number): Work {
  const scaled: Work = {};
  for (const [quantity, amount] of Object.entries(work) as [keyof Work, number][]) {
    if (amount > 0) scaled[quantity] = amount * iterations;
  }
  return scaled;
}

function higherOf(before: Record<string, number>, after: Record<string, number>): Record<string, number> {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  const highest = [...names].map((name): [string, number] => [name, Math.max(before[name] ?? 0, after[name] ?? 0)]);
  return Object.fromEntries(highest.filter(([, value]) => value > 0));
}
