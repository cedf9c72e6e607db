import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GGML_TYPES, writeGguf } from '../../../src/models/gguf-writer.ts';
import { buildLlama, LLAMA_15M } from '../../../src/models/llama.ts';
import { inPairs, llamaGguf, toQ40 } from '../../../src/models/llama-gguf.ts';
import { ensureModel } from '../../../src/models/model-cache.ts';
import { type DecoderModel, findModel } from '../../../src/models/registry.ts';
import { halfToNumber } from '../../../src/workloads/inference/compare.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-gguf-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Values of q4_0, by its definition in ggml: d * (nibble - 8), the lower nibbles first. */
function fromQ40(data: Uint8Array): number[] {
  const values: number[] = [];
  for (let at = 0; at < data.length; at += 18) {
    const scale = halfToNumber((data[at] ?? 0) | ((data[at + 1] ?? 0) << 8));
    const codes = [...data.subarray(at + 2, at + 18)];
    values.push(...codes.map(code => scale * ((code & 15) - 8)), ...codes.map(code => scale * ((code >> 4) - 8)));
  }
  return values;
}

describe('toQ40', () => {
  it('holds every weight within half a step, and the largest within the scale’s own rounding', () => {
    const weights = Float32Array.from({ length: 96 }, (_, i) => Math.sin(i * i) * (1 + i / 32));
    const values = fromQ40(toQ40(weights));
    expect(values).toHaveLength(96);
    for (let block = 0; block < 3; block++) {
      const here = [...weights.subarray(32 * block, 32 * block + 32)];
      const most = Math.max(...here.map(Math.abs));
      for (const [i, weight] of here.entries()) {
        // Beyond 7 steps on the side without a code of its own it is clipped: up to one step.
        expect(Math.abs((values[32 * block + i] ?? 0) - weight)).toBeLessThanOrEqual((most / 8) * 1.001);
      }
      const largest = here.findIndex(weight => Math.abs(weight) === most);
      expect(Math.abs((values[32 * block + largest] ?? 0) / (here[largest] ?? 1) - 1)).toBeLessThan(2 ** -11);
    }
  });
});

describe('inPairs', () => {
  it('puts row i of the first half beside row i of the second, head by head', () => {
    // Two heads of four rows, one input each.
    expect([...inPairs(Float32Array.of(0, 1, 2, 3, 10, 11, 12, 13), 1, 4)]).toEqual([0, 2, 1, 3, 10, 12, 11, 13]);
  });
});

describe('llamaGguf', () => {
  const config = { ...LLAMA_15M, layers: 2, hidden: 64, heads: 4, feedForward: 96, vocabulary: 320 };
  const model: DecoderModel = {
    ...(findModel('llama-15m') as DecoderModel),
    name: 'tiny',
    config,
    build: () => buildLlama(config),
  };
  const { parameters } = buildLlama(config);

  it('is written to the cache under the size that was said before, and found again', () => {
    const { source, graph } = llamaGguf(model, 'int4', undefined);
    const made = ensureModel(source, graph, folder);
    expect(path.basename(made.path)).toMatch(/^tiny-int4-v\d+-[0-9a-f]{12}\.gguf$/);
    // Beside the tensors there is the vocabulary.
    expect(made.bytes - (source.form?.bytes ?? 0)).toBeGreaterThan(0);
    expect(made.bytes - (source.form?.bytes ?? 0)).toBeLessThan(2 ** 20);
    const head = readFileSync(made.path).subarray(0, 24);
    expect(head.toString('latin1', 0, 4)).toBe('GGUF');
    // Nine tensors a layer, embedding, norm, and an output of its own since that is packed and the embedding is not.
    expect(Number(head.readBigUInt64LE(8))).toBe(9 * 2 + 3);
    expect(ensureModel(source, graph, folder, { onGenerate: () => expect.unreachable() })).toEqual(made);
  });

  it('keeps a tied embedding once where both are of one type', () => {
    const count = (precision: 'fp32' | 'int4'): number => {
      const { source } = llamaGguf(model, precision, undefined);
      return source.form?.bytes ?? 0;
    };
    expect(count('fp32')).toBe(4 * parameters);
    expect(count('int4')).toBeLessThan(count('fp32'));
    expect(() => llamaGguf(model, 'int8-qdq', undefined)).toThrow('no GGUF in int8-qdq');
  });
});

describe('writeGguf', () => {
  it('lays tensors out at multiples of 32 bytes behind a head that says where', () => {
    const file = path.join(folder, 'two.gguf');
    writeGguf(
      { 'general.name': { type: 'text', value: 'x' } },
      [
        { name: 'a', type: 'f32', dims: [3], data: () => new Uint8Array(Float32Array.of(1, 2, 3).buffer) },
        { name: 'b', type: 'f16', dims: [2, 1], data: () => new Uint8Array(4) },
      ],
      file,
    );
    const bytes = readFileSync(file);
    expect(bytes.readUInt32LE(4)).toBe(3);
    expect(bytes.length % 32).toBe(0);
    const begin = bytes.length - 64;
    expect([0, 4, 8].map(at => bytes.readFloatLE(begin + at))).toEqual([1, 2, 3]);
    // The second tensor's offset is the last value of the head.
    expect(bytes.includes(Buffer.from([GGML_TYPES.f16.id, 0, 0, 0, 32, 0, 0, 0, 0, 0, 0, 0]))).toBe(true);
    expect(() =>
      writeGguf({}, [{ name: 'c', type: 'f32', dims: [2], data: () => new Uint8Array(4) }], path.join(folder, 'bad')),
    ).toThrow('c has 4 bytes');
  });
});
