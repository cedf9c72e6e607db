/** ONNX Runtime's C API, and the adapters that Vulkan lists. */
/** A tensor of ONNX Runtime: type and dims as onnxruntime-node names them. */
export interface OrtTensor {
  type: string;
  dims: readonly number[];
  data: ArrayBufferView;
}

export interface OrtPort {
  name: string;
  /** `float32`, `int64`, ... or null for what is not a tensor. */
  type: string | null;
  /** A text is a dynamic dimension's name; it may be empty. */
  dims: (number | string)[];
}

/** A device as Vulkan names it, in Vulkan's order. `cpu` is a software renderer. */
export interface VulkanAdapter {
  name: string;
  kind: 'other' | 'integrated' | 'discrete' | 'virtual' | 'cpu';
}

export interface OrtSessionOptions {
  /** Path of libonnxruntime. */
  library: string;
  model: string;
  threads: number;
  /** 0 or 1. */
  spinning: number;
  /** 0 or 1. */
  optimise: number;
  /** `cpu`, `cuda`, or a provider's name as SessionOptionsAppendExecutionProvider takes it. */
  provider?: string;
  profilePrefix?: string;
}

/** Inputs and outputs bound to buffers; every call computes on the calling thread. Throws NativeError. */
export interface NativeOrtRun {
  /** Seconds of the first of the two runs that `bind` did: with a new session, its first inference. */
  firstSeconds: number;
  run(): void;
  /** Seconds of so many runs, back to back. */
  time(iterations: number): number;
  /** The outputs' own memory, which the next run overwrites. Those that share an input's buffer are left out. */
  outputs(): Record<string, OrtTensor>;
}

export interface NativeOrtSession {
  version: string;
  inputs: OrtPort[];
  outputs: OrtPort[];
  /**
   * Runs twice, to learn the outputs' shapes and to bind buffers for them.
   * @param shared outputs that are written into an input's buffer: { 'present.0.key': 'past.0.key' }
   */
  bind(
    inputs: readonly (OrtTensor & { name: string })[],
    outputs: readonly string[],
    shared?: Record<string, string>,
  ): NativeOrtRun;
  /** Path of the profile. */
  endProfiling(): string;
  release(): void;
}
