/** Devices through OpenCL and PJRT. */
import type { GpuLibraryState, GpuStatus } from './gpu.ts';

/** Where the libraries may be: paths or sonames to try, in order. */
export interface OpenclLibraries {
  /** libOpenCL, the ICD loader. */
  opencl: string[];
  clblast: string[];
}

export interface OpenclDevice {
  /** Over all platforms, in the loader's order. */
  index: number;
  name: string;
  vendor: string;
  type: 'gpu' | 'cpu' | 'accelerator' | 'other';
  /** It computes on the host's CPU. */
  software: boolean;
  platform: string;
  platformVersion: string;
  driverVersion: string;
  /** All of it: OpenCL does not say what is free. */
  memoryBytes: number;
  /** Of one buffer. */
  maxAllocationBytes: number;
  computeUnits: number;
  clockHz: number;
  /** In which CLBlast can multiply there. */
  dtypes: string[];
  /** It compiles OpenCL C. */
  compiler: boolean;
}

export interface OpenclProbe {
  status: GpuStatus;
  reason: string;
  remedy: string;
  library: string;
  devices: OpenclDevice[];
  clblast: GpuLibraryState;
}

/** `device`: index of probeOpencl, or left out: the first that is not software, else the first. */
export interface OpenclGemmOptions extends OpenclLibraries {
  device?: number;
  dtype: 'f32' | 'f64' | 'f16';
  m: number;
  n: number;
  k: number;
  seed: number;
}

export interface OpenclStreamOptions extends Pick<OpenclLibraries, 'opencl'> {
  device?: number;
  kernel: 'copy' | 'scale' | 'add' | 'triad';
  /** Rounded down to a multiple of 16. */
  bytesPerArray: number;
  seed: number;
}

export interface PjrtDevice {
  index: number;
  /** The plugin's name of the kind: `TPU v5 lite`. */
  name: string;
  /** The most that a user may take; null where the plugin does not say. */
  memoryBytes: number | null;
}

export interface PjrtProbe {
  status: GpuStatus;
  reason: string;
  remedy: string;
  /** Path of the plugin. */
  library: string;
  /** Of the interface: `0.81`. */
  version: string;
  platform: string;
  platformVersion: string;
  devices: PjrtDevice[];
}

export interface PjrtGemmOptions {
  /** Path of the plugin. */
  plugin: string;
  /** Index of probePjrt; the first when it is left out. */
  device?: number;
  dtype: 'f64' | 'f32' | 'f16' | 'bf16';
  m: number;
  n: number;
  k: number;
  seed: number;
}

export interface PjrtAllReduceOptions extends Pick<PjrtGemmOptions, 'plugin' | 'dtype' | 'seed'> {
  /** Of each device's vector. */
  bytes: number;
}
