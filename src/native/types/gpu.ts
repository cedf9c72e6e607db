/** GPUs through their vendors' own libraries. */
import type { CollectiveOptions } from './collectives.ts';

export const GPU_VENDORS = ['cuda', 'rocm'] as const;
export type GpuVendor = (typeof GPU_VENDORS)[number];

/** Where the libraries of a GPU vendor may be: paths or sonames to try, in order. */
export interface GpuLibraries {
  vendor: GpuVendor;
  /** libcuda, libamdhip64. */
  driver: string[];
  /** cuBLASLt, hipBLASLt. */
  matmul: string[];
  /** NCCL, RCCL. */
  collective: string[];
  /** hipRTC; none for CUDA, whose driver compiles our kernels. */
  compiler: string[];
}

/** A GPU as the driver lists it. */
export interface GpuDevice {
  index: number;
  name: string;
  /** Of the board, as NVML writes it; empty where the driver does not say. */
  uuid: string;
  /** Of the MIG instance that this device is; empty where it is a whole GPU. */
  instanceUuid: string;
  /** `0000:1b:00.0` */
  pciBusId: string;
  numaNode: number | null;
  memoryBytes: number;
  multiprocessors: number;
  computeCapability: string;
  /** Highest. */
  clockHz: number;
  memoryClockHz: number;
  memoryBusBits: number;
  l2Bytes: number;
  ecc: boolean;
}

/** absent: nothing is there. unsupported: it is there and cannot be used. broken: it is there and fails. */
export type GpuStatus = 'ok' | 'absent' | 'unsupported' | 'broken';

export interface GpuLibraryState {
  status: GpuStatus;
  reason: string;
  remedy: string;
  library: string;
  version: string;
}

export interface GpuProbe {
  vendor: GpuVendor;
  status: GpuStatus;
  reason: string;
  remedy: string;
  library: string;
  driverVersion: string;
  devices: GpuDevice[];
  matmul: GpuLibraryState;
  collective: GpuLibraryState;
  /** What makes machine code of our own kernels: for CUDA the driver itself. */
  compiler: GpuLibraryState;
}

export const GPU_DTYPES = [
  'f64',
  'f32',
  'tf32',
  'f16',
  'bf16',
  'f8e4m3',
  'f8e5m2',
  's8',
  'mxfp8',
  'mxfp4',
  'nvfp4',
] as const;
export type GpuDtype = (typeof GPU_DTYPES)[number];

export interface GpuGemmOptions {
  libraries: GpuLibraries;
  /** The driver's numbers; several work at the same time. */
  devices: number[];
  dtype: GpuDtype;
  m: number;
  n: number;
  k: number;
  /** `tn`: both operands have k as their fastest dimension; `nn`: A has m. */
  layout: 'tn' | 'nn';
  workspaceBytes: number;
  /** How many algorithms the library is asked for; each is tried. */
  algorithms: number;
  /** Products that take less are replayed as a graph of many. */
  graphBelowSeconds: number;
  seed: number;
}

/** One rank per device. */
export interface GpuCollectiveOptions
  extends Pick<CollectiveOptions, 'collective' | 'dtype' | 'op' | 'bytes' | 'seed' | 'inPlace' | 'perCall'> {
  libraries: GpuLibraries;
  devices: number[];
}

export const GPU_MEMORY_KERNELS = [
  'copy',
  'triad',
  'memcpy',
  'h2d',
  'd2h',
  'h2d-pageable',
  'd2h-pageable',
  'peer',
] as const;

export interface GpuMemoryOptions {
  libraries: GpuLibraries;
  /** One; of `peer` two, from the first to the second. */
  devices: number[];
  kernel: (typeof GPU_MEMORY_KERNELS)[number];
  /** Of each array; a multiple of 16. */
  bytes: number;
  seed: number;
}
