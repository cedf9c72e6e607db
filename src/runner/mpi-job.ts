/**
 * A run inside an MPI job, or one whose ranks met at a file. Rank 0 goes the usual way, but its `mpi` cases, and its `nccl` and `rccl` cases where
 * there are several ranks, run in its own process, which is the rank that the launcher started and which can join the job only once. The other ranks follow its commands until the end.
 */
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import type { NativeAddon, NativeMpi } from '../native/types.ts';
import { isGpuCollective } from '../workloads/gpu/collective.ts';
import { allGpuLibraries } from '../workloads/gpu/devices.ts';
import type { LaunchOptions, LaunchOutcome } from './launch.ts';
import { runLaunch } from './launch.ts';
import { measureCase, toFailure } from './measure-case.ts';
import type { LaunchFailure } from './protocol.ts';

const LOOK_MS = 200;
/** An MPI call that takes longer than this has failed; AIBENCH_MPI_PATIENCE changes it. Seconds. */
const PATIENCE_SECONDS = 60;
/** Other ranks wait longer, so that rank 0 can still write why. */
const FOLLOWER_EXTRA_SECONDS = 15;
/** A rank that leaves in order is gone a moment before the others. */
const GONE_SECONDS = 0.5;

/** Joins the job; `build` must be the same at every rank. @throws AibenchError MPI_*, exit code 3. */
export function joinJob(native: NativeAddon, build: string): NativeMpi {
  try {
    return native.joinMpi(build);
  } catch (error) {
    const { code, remedy } = error as { code?: unknown; remedy?: unknown };
    throw new AibenchError(
      typeof code === 'string' ? code : 'MPI_FAILED',
      `This process was started by an MPI launcher but cannot join its job: ${messageOf(error)}.`,
      typeof remedy === 'string' ? remedy : 'See docs/collectives.md.',
      EXIT.unmeasured,
    );
  }
}

export function patienceSeconds(environment: NodeJS.ProcessEnv): number {
  const value = Number(environment.AIBENCH_MPI_PATIENCE);
  return Number.isFinite(value) && value > 0 ? value : PATIENCE_SECONDS;
}

/** What is wrong with the job as this rank sees it, or null. */
export function troubleOf(mpi: NativeMpi, patience: number): string | null {
  const busy = mpi.busySeconds();
  if (busy < GONE_SECONDS) return null;
  const silent = mpi.silentRanks();
  if (silent !== '') return `${silent}, and the MPI call that waits for it cannot end`;
  if (busy < patience) return null;
  return `an MPI call has taken ${Math.round(busy)} s although every rank of this host runs: a rank on another host or the network hangs`;
}

/** On ranks above 0: follows rank 0; returns its exit code. */
export async function followJob(mpi: NativeMpi): Promise<number> {
  const patience = patienceSeconds(process.env) + FOLLOWER_EXTRA_SECONDS;
  const watch = setInterval(() => {
    const trouble = troubleOf(mpi, patience);
    if (trouble === null || mpi.busySeconds() < FOLLOWER_EXTRA_SECONDS) return;
    console.error(`aibench: rank ${mpi.info().rank}: ${trouble}. The job ends.`);
    mpi.abort(EXIT.failed);
  }, LOOK_MS);
  process.on('SIGINT', () => {}); // rank 0 decides
  const code = await mpi.follow(allGpuLibraries());
  clearInterval(watch);
  mpi.finalize();
  return code;
}

/** On rank 0: runs launches, `mpi` cases in this process, and ends the job. */
export class MpiCoordinator {
  readonly #native: NativeAddon;
  readonly #mpi: NativeMpi;
  #broken: LaunchFailure | null = null;

  constructor(native: NativeAddon, mpi: NativeMpi) {
    this.#native = native;
    this.#mpi = mpi;
  }

  /** The `launch` of runSuite. */
  readonly launch = (options: LaunchOptions): Promise<LaunchOutcome> =>
    this.#runsHere(options.request.backend) ? this.#launchHere(options) : runLaunch(options);

  /** In this process, which is the rank: MPI's own collectives, and those of GPUs where each rank has one. */
  #runsHere(backend: string): boolean {
    return backend === 'mpi' || (isGpuCollective(backend) && this.#mpi.info().size > 1);
  }

  async #launchHere({ request, signal, onProgress }: LaunchOptions): Promise<LaunchOutcome> {
    if (this.#broken !== null) return { kind: 'failed', failure: this.#broken };
    const patience = patienceSeconds(process.env);
    let watch: NodeJS.Timeout | undefined;
    const failure = new Promise<LaunchOutcome>(resolve => {
      watch = setInterval(() => {
        const trouble = troubleOf(this.#mpi, patience);
        if (trouble === null) return;
        this.#broken = {
          code: 'MPI_RANK_FAILED',
          message: `The MPI job failed: ${trouble}.`,
          remedy: 'See docs/collectives.md, "When a rank fails"; start the job again.',
          permanent: true,
          unavailable: false,
        };
        resolve({ kind: 'failed', failure: this.#broken });
      }, LOOK_MS);
    });
    const walk = new Promise<LaunchOutcome>(resolve => {
      measureCase(request, this.#native, signal, message => {
        if (message.type === 'progress') onProgress(message.message);
        else if (message.type === 'result') resolve({ kind: 'measured', result: message.result });
        else if (message.type === 'verified-wrong')
          resolve({ kind: 'wrong', verification: message.verification, when: message.when });
      }).catch((error: unknown) => resolve({ kind: 'failed', failure: toFailure(error) }));
    });
    const outcome = await Promise.race([walk, failure]);
    clearInterval(watch);
    return outcome;
  }

  /** The last step of the run: the other ranks leave with `exitCode`. A broken job is ended by force, and never as if all were well. */
  end(exitCode: number): void {
    if (this.#broken !== null) this.#mpi.abort(exitCode === EXIT.ok ? EXIT.failed : exitCode);
    this.#mpi.endFollowers(exitCode);
    this.#mpi.finalize();
  }
}
