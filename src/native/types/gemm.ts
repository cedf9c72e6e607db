/** Products on the CPU, and the ceiling of its units. */
import type { Isa } from './host.ts';

/**
 * Dtypes of a product: bf16 and f16 give f32; s8 times s8 and u8 (A) times s8 (B) give s32.
 */
export const GEMM_DTYPES = ['f32', 'f64', 'bf16', 'f16', 's8', 'u8'] as const;
export type GemmDtype = (typeof GEMM_DTYPES)[number];

/** One row of native/gemm/kernels.inc. */
export interface KernelInfo {
  name: string;
  dtype: GemmDtype;
  mr: number;
  nr: number;
  isa: Isa;
  /** This CPU and OS can run it. */
  supported: boolean;
}

export interface GemmOptions {
  dtype: GemmDtype;
  m: number;
  n: number;
  k: number;
  threads: number;
  seed: number;
  /** Force a path; otherwise the best that the CPU and AIBENCH_ISA allow. */
  isa?: Isa;
  /**
   * On our own kernels alone, but for dense, and packed on onednn. `packed`: packed once by prepare(), before anything is timed. The others in f32, bf16, s8: `flops` of
   * work() are then those that are done, `items` those of the dense product.
   */
  weights?: 'dense' | 'packed' | '2:4' | 'block' | 'int4';
  /** A name of gemmPeers(), or `native` (the default): our own kernels. */
  backend?: string;
  /** A is stored k x m, B n x k. */
  transposeA?: boolean;
  transposeB?: boolean;
  /** C = alpha * A * B + beta * C. Not 0; 1 by default. Whole for int8, as beta. */
  alpha?: number;
  /** -1 to 1; 0 by default. With 1 alpha changes its sign from run to run, so that C stays bounded. */
  beta?: number;
  /** int8: B in [-64, 63], for which AVX2 has a kernel of its own, and with which libraries are exact that add two products at 16 bits. */
  narrowWeights?: boolean;
  /** So many products of that shape per run, one after the other in memory. */
  batch?: number;
  /** The batch is given as lists of pointers to matrices in a shuffled order. */
  scattered?: boolean;
}

/** A library that gemm can be run on, opened at run time. */
export interface GemmPeer {
  name: string;
  found: boolean;
  /** Why not, and what to do; empty where it was found. */
  reason: string;
  remedy: string;
  /** The file that the loader took. */
  path: string;
  version: string;
  /** pthreads, OpenMP, sequential, ... */
  threading: string;
  /** The kernels that the library chose for this CPU, in its own words. */
  kernel: string;
  dtypes: string[];
}

export interface PeakOptions {
  dtype: GemmDtype;
  threads: number;
  isa?: Isa;
  /** The instruction for int8 weights in [-64, 63], where the ISA has one. */
  narrowWeights?: boolean;
}
