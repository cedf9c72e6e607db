import { lstatSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import type { ResultDocument } from '../../../src/results/schema.ts';
import { openDocumentWriter } from '../../../src/results/write.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-write-'));
});

const document = { schema: 'aibench.result/1', id: 'x', cases: [] } as unknown as ResultDocument;

describe('writing the document', () => {
  it('leaves an existing file alone until there is something to put in its place', () => {
    const file = path.join(folder, 'r.json');
    writeFileSync(file, 'older');
    const writer = openDocumentWriter(file);
    expect(readFileSync(file, 'utf8')).toBe('older');
    writer.checkpoint(document);
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ id: 'x' });
    expect(readdirSync(folder)).toEqual(['r.json']);
  });

  it('seals at the end', () => {
    const writer = openDocumentWriter(path.join(folder, 'r.json'));
    expect(writer.finish(document).seal?.digest).toMatch(/[0-9a-f]{64}/);
    expect(JSON.parse(readFileSync(writer.file, 'utf8')).seal.digest).toMatch(/[0-9a-f]{64}/);
  });

  it.each([
    ['a folder that is not there', () => path.join(folder, 'no', 'r.json'), /its folder does not exist/],
    [
      'a part that is a file',
      () => {
        writeFileSync(path.join(folder, 'f'), '');
        return path.join(folder, 'f', 'r.json');
      },
      /a part of the path is a file/,
    ],
    ['a folder', () => folder, /it is a folder/],
    ['a device, which a rename would replace', () => '/dev/null', /it is no regular file/],
  ])('refuses %s before anything runs', (_name, file, message) => {
    expect(() => openDocumentWriter(file())).toThrow(message);
  });

  it('writes through a symbolic link and leaves it one', () => {
    writeFileSync(path.join(folder, 'real.json'), 'older');
    symlinkSync('real.json', path.join(folder, 'link.json'));
    openDocumentWriter(path.join(folder, 'link.json')).checkpoint(document);
    expect(lstatSync(path.join(folder, 'link.json')).isSymbolicLink()).toBe(true);
    expect(JSON.parse(readFileSync(path.join(folder, 'real.json'), 'utf8'))).toMatchObject({ id: 'x' });
  });

  it('keeps the last good file when a later write fails', () => {
    const file = path.join(folder, 'r.json');
    const writer = openDocumentWriter(file);
    writer.checkpoint(document);
    const circular = { ...document } as Record<string, unknown>;
    circular.self = circular;
    expect(() => writer.checkpoint(circular as unknown as ResultDocument)).toThrow();
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ id: 'x' });
    expect(readdirSync(folder)).toEqual(['r.json']);
  });
});
