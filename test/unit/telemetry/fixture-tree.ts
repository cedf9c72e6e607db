/**
 * Fixture trees: one text file per machine, made into real files under a temporary folder.
 *
 *     path = text (\n for a new line)     path -> target of a link     path/ (an empty folder)
 *     path !ERRNO      a read that fails; the file exists and `failingReads` tells the mocked reader, since tests run as root,
 *                      whom no mode keeps out
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const FIXTURES = fileURLToPath(new URL('../../fixtures/', import.meta.url));

/** Path to errno, for all trees that exist. */
export const failingReads = new Map<string, string>();

export interface FixtureTree {
  root: string;
  sys: string;
  proc: string;
  remove(): void;
}

/** `name`: path below test/fixtures without `.tree`. */
export function fixtureTree(name: string): FixtureTree {
  return treeOf(readFileSync(path.join(FIXTURES, `${name}.tree`), 'utf8'));
}

export function treeOf(text: string): FixtureTree {
  const root = mkdtempSync(path.join(os.tmpdir(), 'aibench-tree-'));
  for (const line of text.split('\n')) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const match = /^(\S+?)(?: = (.*)| -> (\S+)| !([A-Z]+)|\/)$/.exec(line);
    if (!match?.[1]) throw new Error(`fixture line not understood: ${line}`);
    const [, relative, content, target, errno] = match;
    const file = path.join(root, relative);
    if (content === undefined && target === undefined && errno === undefined) {
      mkdirSync(file, { recursive: true });
      continue;
    }
    mkdirSync(path.dirname(file), { recursive: true });
    if (target !== undefined) symlinkSync(target, file);
    else writeFileSync(file, `${(content ?? '').replaceAll('\\n', '\n')}\n`);
    if (errno !== undefined) failingReads.set(file, errno);
  }
  return {
    root,
    sys: path.join(root, 'sys'),
    proc: path.join(root, 'proc'),
    remove: () => rmSync(root, { recursive: true, force: true }),
  };
}
