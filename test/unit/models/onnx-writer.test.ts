import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fromBinary } from '@bufbuild/protobuf';
import { AttributeProto_AttributeType, ModelProtoSchema, TensorProto_DataLocation } from 'onnx-buf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { buildMlp, MLP_TINY } from '../../../src/models/mlp.ts';
import { contentSha256 } from '../../../src/models/model-cache.ts';
import { structureDigest, writeModel, writeModelWithExternalData } from '../../../src/models/onnx-writer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-writer-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function sample(): GraphBuilder {
  const graph = new GraphBuilder('sample', { seed: 3, usesContribOps: true });
  const x = graph.input('x', 'float32', ['batch', 4]);
  const weight = graph.weight('w', [4, 1_100_000 / 4], 2, 1);
  const product = graph.node('MatMul', [x, weight]);
  graph.node(
    'Foo',
    [product, graph.integers([1, -2]), graph.scalar(0.5)],
    {
      count: 3,
      axes: [0, -1],
      mode: 'linear',
      alpha: { float: 2 },
    },
    { outputs: ['y', '', 'z'], domain: 'com.microsoft' },
  );
  graph.output('y', 'float32', ['batch', 275_000]);
  return graph;
}

const read = (file: string) => fromBinary(ModelProtoSchema, new Uint8Array(readFileSync(path.join(folder, file))));
const floats = (bytes: Uint8Array): Float32Array => new Float32Array(Uint8Array.from(bytes).buffer);

describe('writeModel', () => {
  it('writes what was built, as the protobuf library reads it back', () => {
    const graph = sample();
    const written = writeModel(graph, path.join(folder, 'm.onnx'));
    const model = read('m.onnx');
    expect(model.irVersion).toBe(10n);
    expect(model.opsetImport.map(({ domain, version }) => [domain, version])).toEqual([
      ['', 21n],
      ['com.microsoft', 1n],
    ]);
    expect(model.graph?.node).toEqual(graph.nodes);
    expect(model.graph?.input).toEqual(graph.inputs);
    expect(model.graph?.output).toEqual(graph.outputs);
    expect(model.graph?.initializer.map(({ name, dims, rawData }) => [name, dims, rawData.length])).toEqual([
      ['w', [4n, 275_000n], 4_400_000],
      ['int64.1_-2', [2n], 16],
      ['float32.0.5', [], 4],
    ]);
    const types = model.graph?.node[1]?.attribute.map(({ name, type }) => [name, type]);
    expect(types).toEqual([
      ['count', AttributeProto_AttributeType.INT],
      ['axes', AttributeProto_AttributeType.INTS],
      ['mode', AttributeProto_AttributeType.STRING],
      ['alpha', AttributeProto_AttributeType.FLOAT],
    ]);
    expect(written).toEqual({
      bytes: readFileSync(path.join(folder, 'm.onnx')).length,
      sha256: contentSha256(path.join(folder, 'm.onnx')),
    });
  });

  it('makes weights of the asked mean and spread, across chunks', () => {
    writeModel(sample(), path.join(folder, 'm.onnx'));
    const weights = floats(read('m.onnx').graph?.initializer[0]?.rawData ?? new Uint8Array());
    const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
    const variance = weights.reduce((sum, w) => sum + (w - mean) ** 2, 0) / weights.length;
    expect(mean).toBeCloseTo(1, 2);
    expect(Math.sqrt(variance)).toBeCloseTo(2, 2);
    expect(new Set(weights.subarray(1_048_576)).size).toBeGreaterThan(50_000);
  });

  it('is deterministic: mlp-tiny has this digest on every machine', () => {
    // When this changes on purpose, raise the model's version: caches hold the old bytes under the old name.
    const { sha256 } = writeModel(buildMlp(MLP_TINY), path.join(folder, 'm.onnx'));
    expect(sha256).toBe('c8f4fb423f5542368f2a50a1a2714674d4d35900ddee3053262759c86a1b78fd');
  });

  it('never overwrites', () => {
    writeModel(buildMlp(MLP_TINY), path.join(folder, 'm.onnx'));
    expect(() => writeModel(buildMlp(MLP_TINY), path.join(folder, 'm.onnx'))).toThrow(/EEXIST/);
  });
});

describe('writeModelWithExternalData', () => {
  it('keeps the same weights in a second file, on page boundaries, and small tensors in the model', () => {
    const graph = sample();
    writeModel(graph, path.join(folder, 'm.onnx'));
    writeModelWithExternalData(graph, path.join(folder, 'e.onnx'), {
      path: path.join(folder, 'tmp'),
      location: 'e.data',
    });
    const tensor = read('e.onnx').graph?.initializer[0];
    expect(tensor?.dataLocation).toBe(TensorProto_DataLocation.EXTERNAL);
    const entries = Object.fromEntries(tensor?.externalData.map(({ key, value }) => [key, value]) ?? []);
    expect(entries).toEqual({ location: 'e.data', offset: '0', length: '4400000' });
    const embedded = Buffer.from(read('m.onnx').graph?.initializer[0]?.rawData ?? []);
    expect(embedded.equals(readFileSync(path.join(folder, 'tmp')))).toBe(true);
    expect(read('e.onnx').graph?.initializer[1]?.rawData).toHaveLength(16);
  });

  it('aligns every tensor', () => {
    const graph = new GraphBuilder('two', { seed: 1 });
    graph.weight('a', [300], 1);
    graph.weight('b', [300], 1);
    writeModelWithExternalData(graph, path.join(folder, 'e.onnx'), {
      path: path.join(folder, 'tmp'),
      location: 'e.data',
    });
    const offsets = read('e.onnx').graph?.initializer.map(
      ({ externalData }) => externalData.find(({ key }) => key === 'offset')?.value,
    );
    expect(offsets).toEqual(['0', '4096']);
  });
});

describe('structureDigest', () => {
  it('changes with a node, an attribute or a shape, and not with the weights', () => {
    const build = (hidden: number, seed: number): GraphBuilder => {
      const graph = new GraphBuilder('g', { seed });
      graph.node('Gemm', ['x', graph.weight('w', [hidden, 4], 1)], { transB: 1 });
      return graph;
    };
    expect(structureDigest(build(8, 1))).toBe(structureDigest(build(8, 2)));
    expect(structureDigest(build(8, 1))).not.toBe(structureDigest(build(9, 1)));
    const other = build(8, 1);
    other.node('Relu', ['value.0']);
    expect(structureDigest(other)).not.toBe(structureDigest(build(8, 1)));
  });
});
