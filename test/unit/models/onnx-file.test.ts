import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType } from 'onnx-buf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../../src/models/graph-builder.ts';
import { inspectModel } from '../../../src/models/onnx-file.ts';
import { writeModel, writeModelWithExternalData } from '../../../src/models/onnx-writer.ts';

let folder = '';
const at = (name: string): string => path.join(folder, name);
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-onnx-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

function linear(): GraphBuilder {
  const graph = new GraphBuilder('linear', { seed: 1 });
  graph.node(
    'MatMul',
    [graph.input('x', 'float32', ['N', 40]), graph.weight('w', [40, 50], 1)],
    {},
    { outputs: ['y'] },
  );
  graph.node('Reshape', ['y', graph.integers([-1])], {}, { outputs: ['z'] });
  graph.output('z', 'float32', ['M']);
  return graph;
}

function failure(file: string): { code: string; message: string } {
  try {
    inspectModel(file);
  } catch (error) {
    return error as { code: string; message: string };
  }
  throw new Error('it was accepted');
}

describe('inspectModel', () => {
  it('reads structure and counts, and leaves shapes out of the parameters', () => {
    writeModel(linear(), at('m.onnx'));
    expect(inspectModel(at('m.onnx'))).toEqual({
      bytes: readFileSync(at('m.onnx')).length,
      externalFiles: [],
      externalBytes: 0,
      irVersion: 10,
      opset: 21,
      nodes: 2,
      parameters: 2000,
      reducedPrecision: false,
      inputs: ['x'],
      outputs: ['z'],
    });
  });

  it('reads unpacked dimensions, old-style inputs that repeat the weights, and reduced precision', () => {
    const model = create(ModelProtoSchema, {
      irVersion: 3n,
      opsetImport: [{ domain: 'ai.onnx', version: 9n }],
      graph: {
        initializer: [
          { name: 'w', dims: [2n, 3n], dataType: TensorProto_DataType.FLOAT16, rawData: new Uint8Array(12) },
        ],
        input: [{ name: 'x' }, { name: 'w' }],
      },
    });
    writeFileSync(at('m.onnx'), toBinary(ModelProtoSchema, model));
    expect(inspectModel(at('m.onnx'))).toMatchObject({
      opset: 9,
      parameters: 6,
      reducedPrecision: true,
      inputs: ['x'],
    });
  });

  it('sees every truncation of a model', () => {
    writeModel(linear(), at('m.onnx'));
    const whole = readFileSync(at('m.onnx'));
    for (const length of [3, 12, 60, whole.length - 4000, whole.length - 1]) {
      writeFileSync(at('cut.onnx'), whole.subarray(0, length));
      expect(failure(at('cut.onnx')), `${length} bytes`).toMatchObject({
        code: 'MODEL_TRUNCATED',
        message: expect.stringContaining('cut off'),
      });
    }
  });

  it.each<[string, string | Uint8Array]>([
    ['text', 'This is a README, not a model.\n'],
    ['JSON', '{"schema": "aibench.result/1"}'],
    ['a PNG', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13)],
    ['a zip (a PyTorch checkpoint)', Uint8Array.of(0x50, 0x4b, 3, 4, 0, 0, 8, 8, 0, 0)],
    ['GGUF', 'GGUF\x03\0\0\0'],
    ['zeros', new Uint8Array(4096)],
    ['an endless varint', new Uint8Array(64).fill(0xff)],
  ])('says that %s is not an ONNX model', (_what, content) => {
    writeFileSync(at('m.onnx'), content);
    expect(failure(at('m.onnx'))).toMatchObject({ code: 'MODEL_NOT_ONNX' });
  });

  it('tells an empty, a missing and an unsuitable path apart', () => {
    writeFileSync(at('empty.onnx'), '');
    mkdirSync(at('folder.onnx'));
    expect(failure(at('empty.onnx')).code).toBe('MODEL_EMPTY');
    expect(failure(at('missing.onnx')).code).toBe('MODEL_NOT_FOUND');
    expect(failure(at('folder.onnx')).code).toBe('MODEL_UNREADABLE');
    expect(failure(at('empty.onnx/m.onnx')).code).toBe('MODEL_UNREADABLE');
  });

  it('never reads the weights: damage in them is for the digest to find', () => {
    writeModel(linear(), at('m.onnx'));
    const before = inspectModel(at('m.onnx'));
    const bytes = readFileSync(at('m.onnx'));
    bytes[bytes.length - 5000] = 0xff;
    writeFileSync(at('m.onnx'), bytes);
    expect(inspectModel(at('m.onnx'))).toEqual(before);
  });

  describe('external data', () => {
    beforeEach(() => {
      writeModelWithExternalData(linear(), at('m.onnx'), { path: at('m.data'), location: 'm.data' });
    });

    it('is counted', () => {
      expect(inspectModel(at('m.onnx'))).toMatchObject({
        externalFiles: ['m.data'],
        externalBytes: 8000,
        parameters: 2000,
      });
    });

    it('must be there, and whole', () => {
      truncateSync(at('m.data'), 7999);
      expect(failure(at('m.onnx'))).toMatchObject({
        code: 'MODEL_EXTERNAL_DATA',
        message: expect.stringContaining('m.data, which ends at 7999 of 8000 bytes'),
      });
      rmSync(at('m.data'));
      expect(failure(at('m.onnx')).message).toContain('m.data, which is not beside it');
    });

    it.each(['../secrets', '/etc/hostname'])('must not lie outside the folder of the model: %s', location => {
      const model = fromBinary(ModelProtoSchema, readFileSync(at('m.onnx')));
      const entry = model.graph?.initializer[0]?.externalData[0];
      if (entry === undefined) throw new Error('no external data');
      entry.value = location;
      writeFileSync(at('m.onnx'), toBinary(ModelProtoSchema, model));
      expect(failure(at('m.onnx')).message).toContain('outside its own folder');
    });
  });
});
