/** Cases of the ONNX backend suite, as Debian's libonnx-testdata has them: a model, inputs and the outputs that are right. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { TensorProto_DataType as DataType, ModelProtoSchema, type TensorProto, TensorProtoSchema } from 'onnx-buf';
import { elementCount, type NamedTensors, type TensorData, type TensorValue } from '../../src/models/tensor.ts';
import { toNumbers } from '../../src/workloads/inference/compare.ts';
import type { Engine } from '../../src/workloads/inference/engine.ts';

export const SUITE_FOLDER = '/usr/share/libonnx-testdata/data';
const PARTS = ['node', 'simple', 'pytorch-converted', 'pytorch-operator'];
/** The suite's own tolerance (onnx.backend.test.runner). */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-5;

/** `node/test_add`, ...; none where the package is not installed. */
export function backendCases(): string[] {
  return PARTS.flatMap(part => {
    const folder = path.join(SUITE_FOLDER, part);
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .filter(name => existsSync(path.join(folder, name, 'model.onnx')))
      .toSorted()
      .map(name => `${part}/${name}`);
  });
}

export type Outcome =
  | { kind: 'pass' }
  /** The output differs, the run failed, the model did not load, or the case wants what tensors cannot hold. */
  | { kind: 'wrong' | 'run' | 'load' | 'kind'; why: string };

/** Runs one case through the engine layer. */
export async function runBackendCase(engine: Engine, name: string): Promise<Outcome> {
  const folder = path.join(SUITE_FOLDER, name);
  const file = path.join(folder, 'model.onnx');
  const graph = fromBinary(ModelProtoSchema, readFileSync(file)).graph;
  const ports = [...(graph?.input ?? []), ...(graph?.output ?? [])];
  if (ports.some(({ type }) => type?.value.case !== 'tensorType')) return { kind: 'kind', why: 'sequence or optional' };
  const opening = engine.open(file, { device: 'cpu', threads: 1, spinning: false, optimise: true });
  const session = await opening.catch((error: Error) => error);
  if (session instanceof Error) return { kind: 'load', why: session.message };
  try {
    for (const set of readdirSync(folder).filter(entry => entry.startsWith('test_data_set_'))) {
      const read = (prefix: string): TensorValue[] => tensorsOf(path.join(folder, set), prefix);
      const given = read('input_');
      const inputs: NamedTensors = Object.fromEntries(
        given.map((value, index) => [session.inputs[index]?.name ?? '', value]),
      );
      const names = session.outputs.map(output => output.name);
      const actual = await session.bind(inputs, names)();
      const expected = read('output_');
      for (const [index, value] of expected.entries()) {
        const why = difference(actual[names[index] ?? ''], value);
        if (why !== null) return { kind: 'wrong', why };
      }
    }
    return { kind: 'pass' };
  } catch (error) {
    return { kind: 'run', why: (error as Error).message };
  } finally {
    await session.release();
  }
}

function tensorsOf(folder: string, prefix: string): TensorValue[] {
  const number = (file: string): number => Number(/\d+/.exec(file)?.[0]);
  return readdirSync(folder)
    .filter(file => file.startsWith(prefix))
    .toSorted((a, b) => number(a) - number(b))
    .map(file => decodeTensor(fromBinary(TensorProtoSchema, readFileSync(path.join(folder, file)))));
}

const TYPES = new Map<number, [string, new (source: ArrayBuffer | number) => Exclude<TensorData, readonly string[]>]>([
  [DataType.FLOAT, ['float32', Float32Array]],
  [DataType.UINT8, ['uint8', Uint8Array]],
  [DataType.INT8, ['int8', Int8Array]],
  [DataType.UINT16, ['uint16', Uint16Array]],
  [DataType.INT16, ['int16', Int16Array]],
  [DataType.INT32, ['int32', Int32Array]],
  [DataType.INT64, ['int64', BigInt64Array]],
  [DataType.BOOL, ['bool', Uint8Array]],
  [DataType.FLOAT16, ['float16', Uint16Array]],
  [DataType.DOUBLE, ['float64', Float64Array]],
  [DataType.UINT32, ['uint32', Uint32Array]],
  [DataType.UINT64, ['uint64', BigUint64Array]],
]);

function decodeTensor(tensor: TensorProto): TensorValue {
  const dims = tensor.dims.map(Number);
  if (tensor.dataType === DataType.STRING) {
    return { type: 'string', dims, data: tensor.stringData.map(text => new TextDecoder().decode(text)) };
  }
  const row = TYPES.get(tensor.dataType);
  if (row === undefined) throw new Error(`element type ${tensor.dataType} cannot be handed over`);
  const [type, ArrayType] = row;
  if (tensor.rawData.length > 0) return { type, dims, data: new ArrayType(Uint8Array.from(tensor.rawData).buffer) };
  const { floatData, doubleData, int64Data, uint64Data, int32Data } = tensor;
  const source = [floatData, doubleData, int64Data, uint64Data, int32Data].find(({ length }) => length > 0) ?? [];
  const data = new ArrayType(elementCount(dims)) as Float64Array;
  for (let i = 0; i < data.length; i++) {
    const value = source[i] ?? 0;
    data[i] = (type.endsWith('int64') ? BigInt(value) : Number(value)) as number;
  }
  return { type, dims, data };
}

function difference(actual: TensorValue | undefined, expected: TensorValue): string | null {
  if (actual === undefined) return 'no output';
  if (actual.type !== expected.type) return `type ${actual.type}, not ${expected.type}`;
  if (actual.dims.join() !== expected.dims.join())
    return `shape ${actual.dims.join('x')}, not ${expected.dims.join('x')}`;
  if (expected.type === 'string') {
    return expected.data.every((text, index) => text === actual.data[index]) ? null : 'another string';
  }
  const values = toNumbers(actual);
  const wrong = toNumbers(expected).findIndex((right, index) => {
    const value = values[index] ?? Number.NaN;
    return !(
      Object.is(value, right) ||
      value === right ||
      Math.abs(value - right) <= ABSOLUTE + RELATIVE * Math.abs(right)
    );
  });
  return wrong < 0 ? null : `element ${wrong} is ${values[wrong]}`;
}
