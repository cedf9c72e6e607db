/**
 * Writes a built graph as an ONNX file, weights streamed one chunk at a time: the memory needed does not grow with the
 * model. The digest is taken on the way. Field numbers are those of onnx.proto3 (ModelProto.graph 7, GraphProto.initializer
 * 5, TensorProto.raw_data 9).
 */
import { createHash } from 'node:crypto';
import { create, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { GraphProtoSchema, ModelProtoSchema, TensorProto_DataLocation, TensorProtoSchema } from 'onnx-buf';
import { type FileSink, type WrittenFile, withSink } from './file-sink.ts';
import { ELEMENT_TYPES, type GraphBuilder, type Initializer } from './graph-builder.ts';

/** Highest IR version that ONNX Runtime 1.23 and later take along with opset 21. */
const IR_VERSION = 10n;
/** A tensor in the data file starts on a page, so that a runtime can map it. */
const ALIGNMENT = 4096;
/** Smaller tensors stay in the model file: shapes and scalars are needed before the weights are. */
const MIN_EXTERNAL_BYTES = 1024;

export interface ExternalData {
  /** Where to write now. */
  path: string;
  /** The name that the model refers to: a file beside it. */
  location: string;
}

/** SHA-256 of the graph and of the names, types and shapes of its weights; the numbers in them are not looked at. */
export function structureDigest(graph: GraphBuilder): string {
  const hash = createHash('sha256').update(encodeStructure(graph));
  for (const initializer of graph.initializers) {
    hash.update(toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorHead(initializer))));
  }
  return hash.digest('hex');
}

/** Writes the model to `path`, which must not exist. Throws what the file system throws. */
export function writeModel(graph: GraphBuilder, path: string): WrittenFile {
  return withSink(path, sink => {
    writeModelTo(sink, graph, graph.initializers.map(embeddedTensor));
  });
}

/** As writeModel, with the weights in a second file: protobuf messages end at 2 GiB. */
export function writeModelWithExternalData(
  graph: GraphBuilder,
  path: string,
  external: ExternalData,
): { model: WrittenFile; data: WrittenFile } {
  const tensors: EncodedTensor[] = [];
  const data = withSink(external.path, sink => {
    for (const initializer of graph.initializers) {
      if (initializer.byteLength < MIN_EXTERNAL_BYTES) tensors.push(embeddedTensor(initializer));
      else {
        sink.pad(ALIGNMENT);
        tensors.push(externalTensor(initializer, external.location, sink.bytes));
        for (const chunk of initializer.chunks()) sink.write(chunk);
      }
    }
  });
  const model = withSink(path, sink => {
    writeModelTo(sink, graph, tensors);
  });
  return { model, data };
}

/** A TensorProto: its encoded head, then `contentBytes` of raw data. */
interface EncodedTensor {
  head: Uint8Array;
  contentBytes: number;
  chunks(): Iterable<Uint8Array>;
}

function embeddedTensor(initializer: Initializer): EncodedTensor {
  const head = toBinary(TensorProtoSchema, create(TensorProtoSchema, tensorHead(initializer)));
  return {
    head: concat(head, lengthPrefix(9, initializer.byteLength)),
    contentBytes: initializer.byteLength,
    chunks: initializer.chunks,
  };
}

function externalTensor(initializer: Initializer, location: string, offset: number): EncodedTensor {
  const head = create(TensorProtoSchema, {
    ...tensorHead(initializer),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: [
      { key: 'location', value: location },
      { key: 'offset', value: String(offset) },
      { key: 'length', value: String(initializer.byteLength) },
    ],
  });
  return { head: toBinary(TensorProtoSchema, head), contentBytes: 0, chunks: () => [] };
}

function tensorHead({ name, dims, elementType }: Initializer): { name: string; dims: bigint[]; dataType: number } {
  return { name, dims: dims.map(BigInt), dataType: ELEMENT_TYPES[elementType] };
}

function writeModelTo(sink: FileSink, graph: GraphBuilder, tensors: readonly EncodedTensor[]): void {
  const opsetImport = [{ domain: '', version: BigInt(graph.opset) }];
  if (graph.usesContribOps) opsetImport.push({ domain: 'com.microsoft', version: 1n });
  const model = create(ModelProtoSchema, { irVersion: IR_VERSION, producerName: 'aibench', opsetImport });
  const structure = encodeStructure(graph);
  const prefixes = tensors.map(tensor => lengthPrefix(5, tensor.head.length + tensor.contentBytes));
  const graphBytes = tensors.reduce(
    (sum, tensor, index) => sum + (prefixes[index]?.length ?? 0) + tensor.head.length + tensor.contentBytes,
    structure.length,
  );
  sink.write(toBinary(ModelProtoSchema, model));
  sink.write(lengthPrefix(7, graphBytes));
  sink.write(structure);
  tensors.forEach((tensor, index) => {
    sink.write(prefixes[index] ?? new Uint8Array());
    sink.write(tensor.head);
    for (const chunk of tensor.chunks()) sink.write(chunk);
  });
}

/** A GraphProto without its initializers. */
function encodeStructure({ name, nodes, inputs, outputs }: GraphBuilder): Uint8Array {
  return toBinary(GraphProtoSchema, create(GraphProtoSchema, { name, node: nodes, input: inputs, output: outputs }));
}

/** Tag and length of a length-delimited field. */
function lengthPrefix(field: number, length: number): Uint8Array {
  return new BinaryWriter()
    .uint32((field << 3) | 2)
    .uint32(length)
    .finish();
}

function concat(a: Uint8Array, b: Uint8Array): Uint8Array {
  const joined = new Uint8Array(a.length + b.length);
  joined.set(a);
  joined.set(b, a.length);
  return joined;
}
