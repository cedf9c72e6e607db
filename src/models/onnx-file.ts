/**
 * Reads what an ONNX file says of itself without reading its weights: a walk over the protobuf fields that jumps over tensor
 * contents, so that a file of many gigabytes is looked through in milliseconds and damage is named before an engine sees it.
 * Field numbers are those of onnx.proto3.
 */
import { closeSync, fstatSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import {
  TensorProto_DataType as DataType,
  OperatorSetIdProtoSchema,
  StringStringEntryProtoSchema,
  ValueInfoProtoSchema,
} from 'onnx-buf';
import { AibenchError, messageOf } from '../errors.ts';
import { BYTES, type Field, FieldReader, Malformed, Overrun, VARINT } from './protobuf-fields.ts';

export interface ModelFile {
  bytes: number;
  /** Files that hold weights beside it, by name. */
  externalFiles: string[];
  /** Their sizes together. */
  externalBytes: number;
  irVersion: number;
  /** Version of the default operator set. */
  opset: number;
  nodes: number;
  /** Elements of all weights: tensors of floating-point or quantised type; shapes and indices are not counted. */
  parameters: number;
  /** Some weights are of less than 32 bits: half precision or quantised. */
  reducedPrecision: boolean;
  inputs: string[];
  outputs: string[];
}

/** Fields of ModelProto and the wire type that each must have. */
const MODEL_FIELDS = new Map([
  [1, VARINT],
  [2, BYTES],
  [3, BYTES],
  [4, BYTES],
  [5, VARINT],
  [6, BYTES],
  [7, BYTES],
  [8, BYTES],
  [14, BYTES],
  [20, BYTES],
  [25, BYTES],
  [26, BYTES],
]);

const NOT_WEIGHTS = new Set<number>([DataType.INT64, DataType.INT32, DataType.BOOL, DataType.STRING]);
const FULL_PRECISION = new Set<number>([DataType.FLOAT, DataType.DOUBLE]);

/**
 * @throws AibenchError MODEL_NOT_FOUND, MODEL_UNREADABLE, MODEL_EMPTY, MODEL_NOT_ONNX, MODEL_TRUNCATED or
 * MODEL_EXTERNAL_DATA.
 */
export function inspectModel(file: string): ModelFile {
  const fd = openModel(file);
  try {
    const bytes = fstatSync(fd).size;
    if (bytes === 0) {
      throw new AibenchError('MODEL_EMPTY', `${file} is empty.`, 'Copy or export the model again.');
    }
    return walk(new FieldReader(fd, bytes), bytes, file);
  } finally {
    closeSync(fd);
  }
}

function openModel(file: string): number {
  try {
    if (statSync(file).isFile()) return openSync(file, 'r');
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    throw new AibenchError(
      missing ? 'MODEL_NOT_FOUND' : 'MODEL_UNREADABLE',
      missing ? `There is no model ${file}.` : `The model ${file} cannot be read: ${messageOf(error)}.`,
      missing
        ? 'Give the path of an .onnx file, or a name from `aibench list models`.'
        : 'Make the file readable for this user.',
    );
  }
  throw new AibenchError(
    'MODEL_UNREADABLE',
    `${file} is not a file.`,
    'Give the path of the .onnx file itself, not of the folder that holds it.',
  );
}

function walk(reader: FieldReader, bytes: number, file: string): ModelFile {
  const model: ModelFile = {
    bytes,
    externalFiles: [],
    externalBytes: 0,
    irVersion: 0,
    opset: 0,
    nodes: 0,
    parameters: 0,
    reducedPrecision: false,
    inputs: [],
    outputs: [],
  };
  const external = new Map<string, number>();
  const initializers = new Set<string>();
  let hasGraph = false;
  try {
    for (const field of reader.fields(0, bytes)) {
      if (MODEL_FIELDS.get(field.number) !== field.wireType) throw new Malformed();
      if (field.number === 1) model.irVersion = field.value;
      if (field.number === 8) {
        const { domain, version } = fromBinary(OperatorSetIdProtoSchema, reader.content(field));
        if (domain === '' || domain === 'ai.onnx') model.opset = Number(version);
      }
      if (field.number === 7) {
        hasGraph = true;
        walkGraph(reader, field, model, initializers, external);
      }
    }
  } catch (error) {
    const cut = error instanceof Overrun && model.irVersion > 0;
    throw cut ? truncated(file) : notOnnx(file);
  }
  if (!hasGraph) throw model.irVersion > 0 ? truncated(file) : notOnnx(file);
  model.inputs = model.inputs.filter(name => !initializers.has(name));
  model.externalBytes = checkExternalData(file, external);
  model.externalFiles = [...external.keys()].toSorted();
  return model;
}

function walkGraph(
  reader: FieldReader,
  graph: Field,
  model: ModelFile,
  initializers: Set<string>,
  external: Map<string, number>,
): void {
  for (const field of reader.fields(graph.start, graph.end)) {
    if (field.number === 1) model.nodes += 1;
    if (field.number === 5) {
      const tensor = readTensor(reader, field);
      initializers.add(tensor.name);
      if (!NOT_WEIGHTS.has(tensor.dataType)) {
        model.parameters += tensor.elements;
        model.reducedPrecision ||= !FULL_PRECISION.has(tensor.dataType);
      }
      if (tensor.external !== null) {
        const { location, end } = tensor.external;
        external.set(location, Math.max(end, external.get(location) ?? 0));
      }
    }
    if (field.number === 11 || field.number === 12) {
      const { name } = fromBinary(ValueInfoProtoSchema, reader.content(field));
      (field.number === 11 ? model.inputs : model.outputs).push(name);
    }
  }
}

interface TensorHead {
  name: string;
  dataType: number;
  elements: number;
  /** File and the offset behind its last byte. */
  external: { location: string; end: number } | null;
}

function readTensor(reader: FieldReader, tensor: Field): TensorHead {
  const head: TensorHead = { name: '', dataType: 0, elements: 1, external: null };
  const entries: Record<string, string> = Object.create(null);
  for (const field of reader.fields(tensor.start, tensor.end)) {
    if (field.number === 1) {
      for (const dim of reader.varints(field)) head.elements *= dim;
    }
    if (field.number === 2) head.dataType = field.value;
    if (field.number === 8) head.name = new TextDecoder().decode(reader.content(field));
    if (field.number === 13) {
      const { key, value } = fromBinary(StringStringEntryProtoSchema, reader.content(field));
      entries[key] = value;
    }
  }
  if (entries.location !== undefined) {
    const end = Number(entries.offset ?? 0) + Number(entries.length ?? 0);
    head.external = { location: entries.location, end };
  }
  return head;
}

/** Bytes of all external files; each must lie beside the model and be long enough. */
function checkExternalData(file: string, external: ReadonlyMap<string, number>): number {
  let total = 0;
  for (const [location, end] of external) {
    const folder = path.resolve(path.dirname(file));
    const resolved = path.resolve(folder, location);
    if (!resolved.startsWith(folder + path.sep)) {
      throw externalProblem(file, `refers to weights outside its own folder (${location})`);
    }
    const size = statSync(resolved, { throwIfNoEntry: false })?.size;
    if (size === undefined) throw externalProblem(file, `keeps weights in ${location}, which is not beside it`);
    if (size < end) throw externalProblem(file, `keeps weights in ${location}, which ends at ${size} of ${end} bytes`);
    total += size;
  }
  return total;
}

function externalProblem(file: string, what: string): AibenchError {
  return new AibenchError(
    'MODEL_EXTERNAL_DATA',
    `${file} ${what}.`,
    'Copy the model together with its data files, into one folder.',
  );
}

function truncated(file: string): AibenchError {
  return new AibenchError(
    'MODEL_TRUNCATED',
    `${file} is an ONNX model that was cut off.`,
    'Copy or download the file again and compare its size with the original.',
  );
}

function notOnnx(file: string): AibenchError {
  return new AibenchError(
    'MODEL_NOT_ONNX',
    `${file} is not an ONNX model.`,
    'Export the model to ONNX first (torch.onnx.export, optimum-cli export onnx).',
  );
}
