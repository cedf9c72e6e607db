/** Collectives among threads, processes and ranks of MPI. */
import type { GemmDtype } from './gemm.ts';
import type { GpuLibraries } from './gpu.ts';
import type { NativeProblem } from './problem.ts';

/** `shift` and `ping-pong` are what collectives are made of: see native/collective/algorithm.h. */
export const COLLECTIVES = [
  'allreduce',
  'reduce-scatter',
  'all-gather',
  'broadcast',
  'all-to-all',
  'shift',
  'ping-pong',
] as const;
export type CollectiveName = (typeof COLLECTIVES)[number];
export const COLLECTIVE_DTYPES = ['f64', 'f32', 'f16', 'bf16', 's32', 's8'] as const;
export type CollectiveDtype = (typeof COLLECTIVE_DTYPES)[number];

export interface CollectiveOptions {
  collective: CollectiveName;
  dtype: CollectiveDtype;
  /** Where it reduces. */
  op: 'sum' | 'min' | 'max';
  /** Message size as in nccl-tests: bytes of the larger of a rank's two vectors. */
  bytes: number;
  ranks: number;
  seed: number;
  /** Force one algorithm; otherwise chosen by size and rank count. */
  algorithm?: string;
  /** Ranks are processes over POSIX shared memory, else threads. */
  processes?: boolean;
  /** Ranks do not see each other's vectors, as with MPI. */
  privateBuffers?: boolean;
  inPlace?: boolean;
  /** OSU's method (barrier, one timed call), else calls back to back. */
  perCall?: boolean;
  /** A rank that has not moved for so long has failed. */
  patienceSeconds?: number;
}

export interface CollectiveAlgorithmInfo {
  collective: CollectiveName;
  name: string;
  /** It reaches into other ranks' buffers. */
  sharedBuffers: boolean;
}

export interface MpiProductOptions {
  dtype: GemmDtype;
  m: number;
  n: number;
  k: number;
  /** Of each rank; 0: one per CPU that is the rank's own. */
  threads: number;
  /** The first so many ranks of the job; 0: all. */
  ranks: number;
  seed: number;
}

/** This process as a rank of an MPI job. */
export interface NativeMpi {
  info(): {
    rank: number;
    size: number;
    abi: string;
    library: string;
    version: string;
    launcher: string;
    oversubscribed: boolean;
    ranks: { host: string; pid: number }[];
  };
  /**
   * On rank 0, while the others follow. With an `engine` the ranks are GPUs, one per process, and `libraries` are those of this host; else the
   * collectives are MPI's own.
   */
  createCollective(
    options: Pick<CollectiveOptions, 'collective' | 'dtype' | 'op' | 'bytes' | 'seed' | 'inPlace' | 'perCall'> & {
      engine?: 'nccl' | 'rccl';
      libraries?: GpuLibraries;
      /** Of MPI's own: the first so many ranks of the job; 0 or left out: all. */
      ranks?: number;
    },
  ): NativeProblem;
  /** A matrix product whose rows the ranks share, on rank 0 while the others follow. */
  createProduct(options: MpiProductOptions): NativeProblem;
  /**
   * On the other ranks: does what rank 0 commands; gets the exit code at the end.
   * @param libraries where each GPU vendor's may be on this host, for collectives of GPUs
   */
  follow(libraries: GpuLibraries[]): Promise<number>;
  /** How long the MPI call under way has taken, seconds; 0 when there is none. */
  busySeconds(): number;
  /** Ranks of this host that have stopped or died, in words; empty when all run. */
  silentRanks(): string;
  /** On rank 0: the others leave with this exit code. */
  endFollowers(exitCode: number): void;
  /** MPI_Finalize; every rank must call it. */
  finalize(): void;
  /** Ends the whole job at once; does not return. */
  abort(exitCode: number): void;
}
