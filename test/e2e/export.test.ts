import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { REPORT_FORMATS } from '../../src/report/registry.ts';
import { aibench, root, temporaryFolder } from '../support/cli.ts';
import { placeDocument } from '../support/documents.ts';

const bin = path.join(root, 'bin', 'aibench.js');
const cwd = temporaryFolder();
placeDocument(cwd, 'result.json', { seed: 1, cases: 2, watts: 90 });

describe('aibench export and report', () => {
  it('lists its formats', () => {
    const { status, stdout } = aibench(['export'], { cwd });
    expect(status).toBe(0);
    for (const { name } of REPORT_FORMATS) expect(stdout).toContain(name);
  });
  it.each(REPORT_FORMATS.map(({ name }) => [name]))('%s to standard output and to a file, alike', name => {
    const { status, stdout, stderr } = aibench(['export', '--format', name, 'result.json'], { cwd });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(aibench(['export', '--format', name, 'result.json', '-o', 'out'], { cwd }).status).toBe(0);
    expect(readFileSync(path.join(cwd, 'out'), 'utf8')).toBe(stdout);
  });
  it('writes a page', () => {
    expect(aibench(['report', 'result.json', '-o', 'page.html'], { cwd }).status).toBe(0);
    expect(readFileSync(path.join(cwd, 'page.html'), 'utf8')).toMatch(/^<!doctype html>/);
  });
  it.runIf(existsSync('/dev/full'))(
    'a full disk behind standard output is one sentence; a device is never replaced',
    () => {
      const started = (rest: string): ReturnType<typeof spawnSync> =>
        spawnSync('sh', ['-c', `"$0" "$1" export --format csv result.json ${rest}`, process.execPath, bin], { cwd });
      const full = started('> /dev/full');
      expect(full.status).toBe(2);
      expect(String(full.stderr)).toMatch(/^aibench: The output cannot be written: the disk is full\.\n.*\n$/);
      expect(String(started('-o /dev/stdout | cat').stdout)).toMatch(/,/);
      expect(started('-o /dev/null').status).toBe(0);
      expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
    },
  );
  it.each([
    ['an unknown format', ['export', '--format', 'cvs', 'result.json'], /did you mean `csv`/],
    ['no format', ['export', 'result.json'], /No format/],
    ['no document', ['export', '--format', 'csv'], /no document/],
    ['a folder that is not there', ['export', '--format', 'csv', 'result.json', '-o', 'no/where'], /cannot be written/],
    ['a report without a place', ['report', 'result.json'], /--output/],
  ])('%s exits 2', (_name, args, message) => {
    const { status, stderr } = aibench(args as string[], { cwd });
    expect(status).toBe(2);
    expect(stderr).toMatch(message as RegExp);
  });
});
