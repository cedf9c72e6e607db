/** A tensor as it is handed to an engine or comes back from one. The names of the types are ONNX Runtime's. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | readonly string[];

export interface TensorValue {
  type: string;
  dims: readonly number[];
  data: TensorData;
}

/** Tensors by the name of the model's input or output. */
export type NamedTensors = Record<string, TensorValue>;

export function elementCount(dims: readonly number[]): number {
  return dims.reduce((product, dim) => product * dim, 1);
}

export function float32(dims: readonly number[], data: Float32Array): TensorValue {
  return { type: 'float32', dims, data };
}

/** Token ids and the like: 64-bit integers in ONNX. */
export function int64(dims: readonly number[], at: (index: number) => number): TensorValue {
  return {
    type: 'int64',
    dims,
    data: BigInt64Array.from({ length: elementCount(dims) }, (_, index) => BigInt(at(index))),
  };
}

export function int32(dims: readonly number[], data: number[]): TensorValue {
  return { type: 'int32', dims, data: Int32Array.from(data) };
}
