import { mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { announceRun } from '../../../src/runner/neighbours.ts';

const folder = (): string => mkdtempSync(path.join(os.tmpdir(), 'aibench-neighbours-'));

describe('runs at the same time', () => {
  it('see each other, and no longer when one has left', () => {
    const place = folder();
    const mine = announceRun(place);
    const parent = announceRun(place, process.ppid);
    expect(mine.others()).toEqual([process.ppid]);
    expect(parent.others()).toEqual([process.pid]);
    parent.leave();
    expect(mine.others()).toEqual([]);
    mine.leave();
    expect(readdirSync(place)).toEqual([]);
  });

  it('what a dead run left behind is taken away', () => {
    const place = folder();
    writeFileSync(path.join(place, '4194303'), '1');
    // The process is alive but is not the one that wrote this.
    writeFileSync(path.join(place, String(process.ppid)), 'another start time');
    const mine = announceRun(place);
    expect(mine.others()).toEqual([]);
    expect(readdirSync(place)).toEqual([String(process.pid)]);
    mine.leave();
  });

  it('a folder that cannot be made costs nothing but the warning', () => {
    const file = path.join(folder(), 'file');
    writeFileSync(file, '');
    expect(announceRun(path.join(file, 'runs')).others()).toEqual([]);
  });
});
