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
  /** f32 on our own kernels alone: `flops` of work() are then those that are done, `items` those of the dense product. */
  weights?: 'dense' | '2:4' | 'block' | 'int4';
  /** A name of gemmPeers(), or `native` (the default): our own kernels. */
  backend?: string;
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
}
