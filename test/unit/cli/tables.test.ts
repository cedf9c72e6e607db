import { describe, expect, it } from 'vitest';
import { caseLabels } from '../../../src/cli/render/case-label.ts';
import { caseNames } from '../../../src/cli/render/case-names.ts';
import { printable } from '../../../src/cli/render/printable.ts';
import { resultTable } from '../../../src/cli/render/result-table.ts';
import { displayWidth, renderTable, shorten } from '../../../src/cli/render/table.ts';
import { inferenceParams } from '../../../src/workloads/inference/params.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

describe('renderTable', () => {
  it('aligns columns and leaves no trailing blanks', () => {
    const table = renderTable({
      columns: [{ header: 'a' }, { header: 'n', align: 'right' }],
      rows: [
        ['long', '1'],
        ['x', '20'],
      ],
    });
    expect(table).toBe('a      n\n----  --\nlong   1\nx     20\n');
  });
  it('fits its width by shrinking the column that offers to', () => {
    const rows = [['a'.repeat(60), 'b'.repeat(30)]];
    const table = renderTable({ columns: [{ header: 'a', shrink: true }, { header: 'b' }], rows, maxWidth: 60 });
    for (const line of table.split('\n')) expect(displayWidth(line)).toBeLessThanOrEqual(60);
    expect(table).toContain('b'.repeat(30));
  });
  it('counts what a terminal shows: colours none, wide characters two, accents none', () => {
    expect(displayWidth('\u001b[31mred\u001b[0m')).toBe(3);
    expect(displayWidth('漢字')).toBe(4);
    expect(displayWidth('e\u0301')).toBe(1);
    const [header, , row] = renderTable({
      columns: [{ header: 'name' }, { header: 'x' }],
      rows: [['漢字漢', '1']],
    }).split('\n');
    expect(displayWidth(header ?? '')).toBe(displayWidth(row ?? ''));
  });
  it('keeps both ends of what it shortens', () => {
    expect(shorten('abcdefghij', 5)).toBe('ab…ij');
    expect(displayWidth(shorten('漢字漢字漢字', 7))).toBeLessThanOrEqual(7);
  });
  it('is its header where there are no rows', () => {
    expect(renderTable({ columns: [{ header: 'a' }], rows: [] })).toBe('a\n-\n');
  });
});

describe('resultTable', () => {
  const document = syntheticDocument({ seed: 1, cases: 5, launches: 2 });
  const skip = (index: number, reason: string): void => {
    const item = document.cases[index];
    if (item !== undefined) Object.assign(item, { status: 'skipped', headline: null, reason, remedy: 'Do this.' });
  };
  it('says once what holds for several cases, and apart what does not', () => {
    for (const index of [0, 1, 2]) skip(index, 'There is no GPU.');
    skip(3, 'There is no memory.');
    const notes = resultTable(document, { width: 400 })
      .split('\n')
      .filter(line => line.startsWith('skipped'));
    expect(notes).toHaveLength(2);
    expect(notes[0]).toMatch(/^skipped {2}3 cases, first .+: There is no GPU\. Do this\.$/);
    expect(notes[1]).not.toContain('cases');
  });
  it('shows no watts of what did not do the work, and says whose they were', () => {
    const watched = syntheticDocument({ seed: 1, cases: 2, launches: 2, watts: 90 });
    expect(resultTable(watched, { width: 400 })).toMatch(/ 90\.00 /);
    for (const entry of watched.cases.flatMap(({ energy }) => energy))
      Object.assign(entry, {
        throughputPerWatt: null,
        reason: 'other-device: the reading does not hold what did the work (cpu)',
      });
    const table = resultTable(watched, { width: 400 });
    expect(table).not.toMatch(/ 90\.00 /);
    expect(table).toMatch(
      /^no watts {2}No sensor of what did the work was read; \S+: other-device: the reading does not hold/m,
    );
    for (const entry of watched.cases.flatMap(({ energy }) => energy))
      Object.assign(entry, { status: 'invalid', reason: 'launch 0: lost-readings: 12 % of the window is lost' });
    expect(resultTable(watched, { width: 400 })).toMatch(
      /^no watts {2}The sensor \S+ gives no energy: launch 0: lost-readings/m,
    );
  });
  it('tells cases apart that differ in the backend alone, and leaves the others as they are', () => {
    const item = (backend: string, threads: number) => ({
      id: `${backend}${threads}`,
      workload: 'inference',
      params: inferenceParams.parse({ model: 'llama-15m', threads }),
      backend,
    });
    expect(caseLabels([item('ort-node', 1), item('node-llama-cpp', 1), item('ort-node', 2)])).toEqual([
      'llama-15m prefill s=128 t=1 ort-node',
      'llama-15m prefill s=128 t=1 node-llama-cpp',
      'llama-15m prefill s=128 t=2',
    ]);
  });
});

describe('printable', () => {
  it('shows what could steer a terminal or a CI log, and leaves the rest', () => {
    expect(printable('a\u001b[2Jb\r\n::error::c\u202ed')).toBe('a\ufffd[2Jb\ufffd\ufffd::error::c\ufffdd');
    expect(printable('µs é 漢 → …')).toBe('µs é 漢 → …');
  });
});

describe('caseNames', () => {
  it('takes each workload for itself, and names the only case of one by the workload', () => {
    const names = caseNames([
      'gemm/dtype=f32,m=1/backend=native',
      'gemm/dtype=f64,m=1/backend=native',
      'allreduce/bytes=64/backend=threads',
    ]);
    expect([...names.values()]).toEqual(['gemm dtype=f32', 'gemm dtype=f64', 'allreduce']);
  });
  it('leaves out what all have in common', () => {
    const names = caseNames(['gemm/dtype=f32,m=1,n=1/backend=native', 'gemm/dtype=f32,m=2,n=1/backend=native']);
    expect([...names.values()]).toEqual(['gemm m=1', 'gemm m=2']);
  });
  it('shows whole ids where short ones would be alike', () => {
    const ids = ['a/x,y', 'a/y,x', 'a/z'];
    expect(new Set(caseNames(ids).values()).size).toBe(3);
  });
});
