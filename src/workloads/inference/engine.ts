/** The seam for inference engines. A session is opened on a model file and runs on tensors that were handed over before. */
import type { NamedTensors } from '../../models/tensor.ts';
import type { Device } from './device.ts';

export interface SessionOptions {
  device: Exclude<Device, 'auto'>;
  threads: number;
  spinning: boolean;
  /** False leaves the graph as it is in the file: slower, and free of whatever an optimiser may get wrong. */
  optimise: boolean;
  /** Records every node that is executed, in a file whose path begins so. It slows the session down: not for timing. */
  profilePrefix?: string;
}

export interface TensorInfo {
  name: string;
  /** `float32`, `int64`, ... or null for what is not a tensor. */
  type: string | null;
  /** A text is a dynamic dimension's name; it may be empty. */
  dims: readonly (number | string)[];
}

export interface BoundInference {
  (): Promise<NamedTensors>;
  /** Of the inference that binding itself did, where the engine does one. Seconds. */
  firstSeconds?: number;
  /** Seconds of so many inferences back to back, timed inside the engine: for one that JavaScript need not be part of. */
  time?(iterations: number): number;
  /** The outputs of the last inference, where they lie in place. */
  outputs?(): NamedTensors;
}

export interface EngineSession {
  inputs: readonly TensorInfo[];
  outputs: readonly TensorInfo[];
  /**
   * Takes the inputs over once and gives a function that runs one inference on them. Between the call and its result
   * there is nothing but the engine: this function is what is timed.
   */
  bind(inputs: NamedTensors, fetches: readonly string[]): BoundInference;
  /**
   * The same with outputs written into the buffers of inputs, `{ present: past }`: a KV cache that stays in place. Absent
   * where the engine cannot.
   */
  bindShared?(inputs: NamedTensors, fetches: readonly string[], shared: Record<string, string>): BoundInference;
  /** Writes the profile of a session that was opened with `profilePrefix`. */
  endProfiling(): void;
  release(): Promise<void>;
}

export interface Engine {
  name: string;
  version: string;
  /** Outputs are copied inside the timed call. */
  copiesOutputs: boolean;
  /** Rejects with the engine's own error; ort-errors.ts makes a sentence of it. */
  open(file: string, options: SessionOptions): Promise<EngineSession>;
}
