import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { aibench, temporaryFolder } from '../support/cli.ts';

const cwd = temporaryFolder();
const run = (factor: number): string =>
  JSON.stringify({ results: [{ command: 'train', times: [1, 1.01, 0.99, 1.02, 1.005].map(time => time * factor) }] });
writeFileSync(path.join(cwd, 'old.json'), run(1));
writeFileSync(path.join(cwd, 'new.json'), run(1.3));

describe('aibench import', () => {
  it('makes documents that verify, compare and gate', () => {
    for (const name of ['old', 'new']) {
      const { status, stderr } = aibench(
        ['import', '--format', 'hyperfine', `${name}.json`, '--label', 'box', '-o', `${name}.result.json`],
        { cwd },
      );
      expect(stderr).toBe('');
      expect(status).toBe(0);
    }
    expect(aibench(['verify', 'old.result.json', 'new.result.json'], { cwd }).status).toBe(0);
    expect(aibench(['compare', 'old.result.json', 'new.result.json'], { cwd }).stdout).toMatch(/worse/);
    expect(aibench(['gate', 'init', 'old.result.json', '--margin', '10%', '-o', 'p.yaml'], { cwd }).status).toBe(0);
    const { status, stdout } = aibench(
      ['gate', '--policy', 'p.yaml', '--baseline', 'old.result.json', 'new.result.json'],
      { cwd },
    );
    expect(stdout).toMatch(/^FAIL/);
    expect(status).toBe(1);
  });
  it('lists its formats, and refuses others and what is none of them', () => {
    expect(aibench(['import'], { cwd }).stdout).toMatch(/nccl-tests[\s\S]*pyperf/);
    expect(aibench(['import', '--format', 'fio', 'old.json'], { cwd }).stderr).toMatch(
      /not what fio .* writes.*\[IMPORT_INVALID\]/s,
    );
    expect(aibench(['import', '--format', 'nccl', 'old.json'], { cwd }).status).toBe(2);
  });
});
