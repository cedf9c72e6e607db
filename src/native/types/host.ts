/** CPU, caches, clock and the addon's own build. */
import type { KernelInfo } from './gemm.ts';

/** Instruction-set paths that a kernel may need, weakest first. `scalar` is always there. */
export const ISAS = [
  'scalar',
  'avx2',
  'avxvnni',
  'avx512f',
  'avx512vnni',
  'avx512bf16',
  'amxint8',
  'amxbf16',
  'amxfp16',
  'neon',
  'neondot',
  'neonbf16',
  'neoni8mm',
  'sve256',
  'sve512',
  'sme512',
  'sme512f64',
] as const;
export type Isa = (typeof ISAS)[number];

export interface CpuFeatures {
  arch: 'x86_64' | 'aarch64' | 'other';
  vendor: string;
  brand: string;
  family: number;
  model: number;
  stepping: number;
  /** Paths that this CPU and this operating system can run. */
  isas: Isa[];
  /** Every extension found, in the vendors' spelling (avx512_bf16, vnni, amx_tile, sve2, ...). */
  flags: string[];
  hypervisor: boolean;
}

export interface CpuCache {
  level: number;
  type: 'data' | 'instruction' | 'unified';
  sizeBytes: number;
  lineBytes: number;
  ways: number;
  /** Logical CPUs that share this cache, as seen from the first CPU that this process may use. */
  sharedBy: number;
}

export interface BuildInfo {
  version: string;
  compiler: string;
  target: string;
  kernels: KernelInfo[];
}

export interface ClockInfo {
  /** Smallest step seen, seconds. */
  resolutionSeconds: number;
  /** Cost of one reading, seconds. */
  overheadSeconds: number;
}
