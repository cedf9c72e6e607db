import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { aibench, temporaryFolder } from '../support/cli.ts';
import { placeDocument } from '../support/documents.ts';

const cwd = temporaryFolder();
placeDocument(cwd, 'before.json', { seed: 1, cases: 3, launches: 8, watts: 100 });
placeDocument(cwd, 'after.json', {
  seed: 2,
  cases: 3,
  launches: 8,
  watts: 100,
  speed: index => (index === 1 ? 0.8 : 1),
});

describe('aibench compare', () => {
  it('shows a table within 80 columns and exits 0', () => {
    const { status, stdout, stderr } = aibench(['compare', 'before.json', 'after.json'], { cwd });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(stdout).toMatch(/worse/);
    expect(stdout).toMatch(/^case +baseline +n +sd +candidate +n +sd$/m);
    expect(stdout).toMatch(/^gemm m=\S+ .* 8 +\d+(\.\d)?% .* 8 +\d+(\.\d)?%$/m);
    for (const args of [[], ['--all-metrics'], ['--all-metrics', '--by', 'metric']]) {
      const text = aibench(['compare', 'before.json', 'after.json', ...args], { cwd }).stdout;
      for (const line of text.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
    }
  });
  it('lets no document steer the terminal', () => {
    const file = path.join(cwd, 'after.json');
    const odd = JSON.parse(readFileSync(file, 'utf8')) as { id: string; cases: { id: string }[] };
    odd.id = odd.id.replace(/^./, digit => (digit === '0' ? '1' : '0'));
    Object.assign(odd.cases[0] ?? {}, { id: 'gemm/\u001b[2J\n::error::x' });
    writeFileSync(path.join(cwd, 'odd.json'), JSON.stringify(odd));
    const { status, stdout } = aibench(['compare', 'before.json', 'odd.json'], { cwd });
    expect(status).toBe(0);
    expect(stdout).not.toContain('\u001b');
    expect(stdout).not.toMatch(/^::/m);
    expect(stdout).toContain('\ufffd[2J');
  });
  it('prints JSON alone, the same every time', () => {
    const run = (): string =>
      aibench(['compare', 'before.json', 'after.json', '--json', '--all-metrics'], { cwd }).stdout;
    const parsed = JSON.parse(run()) as { comparisons: { rows: { verdict: string }[] }[] };
    expect(parsed.comparisons[0]?.rows).toHaveLength(9);
    expect(run()).toBe(run());
  });
  it('shows only what changed, in the order asked for', () => {
    const { stdout } = aibench(
      ['compare', 'before.json', 'after.json', '--only', 'changed', '--sort', 'ratio', '--by', 'metric'],
      { cwd },
    );
    expect(stdout.match(/worse/g)).toHaveLength(1);
  });
  it('finds the slow node of a fleet', () => {
    const files = Array.from({ length: 8 }, (_, node) =>
      placeDocument(cwd, `node-${node}.json`, {
        seed: 50 + node,
        host: `host-${node}`,
        label: `rack-${node}`,
        speed: node === 6 ? 0.7 : 1,
      }),
    );
    const { status, stdout } = aibench(['compare', '--fleet', ...files], { cwd });
    expect(status).toBe(0);
    expect(stdout).toMatch(/1 stands out/);
    expect(stdout).toMatch(/rack-6 +3 of 3/);
    expect(JSON.parse(aibench(['compare', '--fleet', '--json', ...files], { cwd }).stdout)).toMatchObject({ nodes: 8 });
  });
  it.each([
    ['one document', ['before.json']],
    ['a file that is not there', ['before.json', 'nowhere.json']],
    ['the same document twice', ['before.json', 'before.json']],
    ['a broken one', ['before.json', 'broken.json']],
    ['an unknown order', ['before.json', 'after.json', '--sort', 'speed']],
    ['an unknown metric', ['before.json', 'after.json', '--metric', 'flops']],
    ['two outputs', ['before.json', 'after.json', '--json', '--markdown']],
    ['a bare margin', ['--fleet', 'before.json', '--margin', '5']],
  ])('%s is one sentence and exit 2', (_name, args) => {
    writeFileSync(path.join(cwd, 'broken.json'), '{"schema":"aibench.result/1"');
    const { status, stdout, stderr } = aibench(['compare', ...args], { cwd });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^aibench: .+[.?]\n {2}.+\[[A-Z_]+\]\n$/);
  });
});
