import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
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

  it('entries that cannot be read or taken away, and a folder that is gone, cost nothing', () => {
    const place = folder();
    const mine = announceRun(place);
    // As a file that has just been taken away, or one that cannot be: reading it fails.
    symlinkSync('nowhere', path.join(place, '4194302'));
    mkdirSync(path.join(place, '4194301'));
    writeFileSync(path.join(place, '0'), '');
    writeFileSync(path.join(place, '-1'), '');
    expect(mine.others()).toEqual([]);
    rmSync(place, { recursive: true });
    expect(mine.others()).toEqual([]);
    mine.leave();
  });

  it('a folder that cannot be made costs nothing but the warning', () => {
    const file = path.join(folder(), 'file');
    writeFileSync(file, '');
    expect(announceRun(path.join(file, 'runs')).others()).toEqual([]);
  });
});
