import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { buildMlp, MLP_TINY } from '../../../src/models/mlp.ts';
import { cachedModel, contentSha256, ensureModel } from '../../../src/models/model-cache.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-cache-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const source = { name: 'mlp', version: 1 };
const graph = buildMlp(MLP_TINY);

/** Ensures the model and tells whether it had to be made. */
function ensure(externalDataBytes?: number, version = 1): { file: string; made: boolean } {
  let made = false;
  const options = externalDataBytes === undefined ? {} : { externalDataBytes };
  const { path: file } = ensureModel({ ...source, version }, graph, folder, {
    ...options,
    onGenerate: () => {
      made = true;
    },
  });
  return { file, made };
}

describe('ensureModel', () => {
  it('makes the model once, in a folder that it creates, and leaves nothing else behind', () => {
    folder = path.join(folder, 'deep', 'er');
    const first = ensure();
    expect(first.made).toBe(true);
    expect(ensure()).toEqual({ file: first.file, made: false });
    expect(readdirSync(folder).toSorted()).toEqual([path.basename(first.file), `${path.basename(first.file)}.json`]);
  });

  it('records size and digest', () => {
    const model = ensureModel(source, graph, folder);
    expect(model).toEqual({
      path: model.path,
      bytes: readFileSync(model.path).length,
      sha256: contentSha256(model.path),
      weightsSha256: null,
    });
  });

  it('names the file after version and structure', () => {
    expect(path.basename(ensure().file)).toMatch(/^mlp-v1-[0-9a-f]{12}\.onnx$/);
    expect(ensure(undefined, 2).file).not.toBe(ensure().file);
  });

  it.each<[string, (file: string) => void]>([
    ['is truncated', file => truncateSync(file, 1000)],
    ['has one flipped bit', file => writeFileSync(file, flipped(readFileSync(file)))],
    ['is missing', file => rmSync(file)],
    ['has no record', file => rmSync(`${file}.json`)],
    ['has a record that is no JSON', file => writeFileSync(`${file}.json`, '{"files": [')],
    ['has a record that points elsewhere', file => writeFileSync(`${file}.json`, record('../../etc/passwd'))],
  ])('makes it again, with the same bytes, when it %s', (_what, harm) => {
    const { file } = ensure();
    const digest = contentSha256(file);
    harm(file);
    expect(ensure().made).toBe(true);
    expect(contentSha256(file)).toBe(digest);
    expect(ensure().made).toBe(false);
  });

  it('keeps and checks the weights of a large model in a second file', () => {
    const model = ensureModel(source, graph, folder, { externalDataBytes: 1 });
    expect(model.weightsSha256).toBe(contentSha256(`${model.path}.data`));
    expect(ensure(1).made).toBe(false);
    writeFileSync(`${model.path}.data`, flipped(readFileSync(`${model.path}.data`)));
    expect(ensure(1).made).toBe(true);
  });

  it('removes what was abandoned an hour ago, and not what is being written', () => {
    const old = path.join(folder, 'mlp-v1-0.onnx.1-aa.tmp');
    const fresh = path.join(folder, 'mlp-v1-0.onnx.2-bb.tmp');
    const foreign = path.join(folder, 'notes.tmp');
    for (const file of [old, fresh, foreign]) writeFileSync(file, 'x');
    for (const file of [old, foreign]) utimesSync(file, 1, 1);
    ensure();
    expect([old, fresh, foreign].map(existsSync)).toEqual([false, true, true]);
  });

  it('says in one sentence that the cache is no folder', () => {
    const file = path.join(folder, 'file');
    writeFileSync(file, '');
    expect(() => ensureModel(source, graph, path.join(file, 'cache'))).toThrow(
      expect.objectContaining({
        code: 'MODEL_CACHE',
        message: expect.stringMatching(/^The model cache .* cannot be written: [^\n]*\.$/),
        remedy: expect.stringContaining('writable'),
      }),
    );
  });
});

describe('a disk that is too small', () => {
  it('is seen before anything is written', () => {
    const full = { freeBytes: () => 1000 };
    expect(() => ensureModel(source, graph, folder, full)).toThrow(
      expect.objectContaining({
        code: 'MODEL_CACHE',
        message: expect.stringMatching(/^The model cache .* has no room for [\d.]+ \w+\.$/),
        remedy: expect.stringContaining('another disk'),
      }),
    );
    expect(readdirSync(folder)).toEqual([]);
    // What is there already needs no room.
    const { file } = ensure();
    expect(ensureModel(source, graph, folder, full).path).toBe(file);
  });
});

describe('cachedModel', () => {
  it('looks at sizes only', () => {
    expect(cachedModel(source, graph, folder)).toBeNull();
    const { file } = ensure();
    expect(cachedModel(source, graph, folder)?.model.path).toBe(file);
    truncateSync(file, 10);
    expect(cachedModel(source, graph, folder)).toBeNull();
  });
});

function flipped(bytes: Buffer): Buffer {
  const middle = bytes.length >> 1;
  bytes[middle] = (bytes[middle] ?? 0) ^ 1;
  return bytes;
}

function record(name: string): string {
  return JSON.stringify({ files: [{ name, bytes: 1, sha256: '0'.repeat(64) }] });
}
