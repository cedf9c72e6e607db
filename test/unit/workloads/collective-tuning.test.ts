import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import {
  machineKey,
  rangesOf,
  readTuning,
  type TuningTable,
  tunedAlgorithm,
  tuningFile,
  writeTuning,
} from '../../../src/workloads/collectives/tuning.ts';

const kind = { collective: 'allreduce', backend: 'threads', buffers: 'shared', ranks: 2 } as const;

it('winners become ranges that end half-way to the next one', () => {
  const ranges = rangesOf([
    { bytes: 64, algorithm: 'mailbox' },
    { bytes: 256, algorithm: 'mailbox' },
    { bytes: 4096, algorithm: 'direct' },
    { bytes: 65536, algorithm: 'direct' },
  ]);
  expect(ranges).toEqual([
    { upToBytes: 1024, algorithm: 'mailbox' },
    { upToBytes: null, algorithm: 'direct' },
  ]);
  const rows = ranges.map(range => ({ ...kind, ...range }));
  expect(tunedAlgorithm(rows, { ...kind, bytes: 1024 })).toBe('mailbox');
  expect(tunedAlgorithm(rows, { ...kind, bytes: 1025 })).toBe('direct');
  expect(tunedAlgorithm(rows, { ...kind, ranks: 4, bytes: 8 })).toBeNull();
  expect(rangesOf([])).toEqual([]);
});

it('a table is used on its own machine only, and a broken one not at all', () => {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-tuning-'));
  const machine = machineKey('EPYC', ['scalar', 'avx2'], 2);
  expect(readTuning(folder, machine)).toBeNull();
  const table: TuningTable = { schema: 'aibench.tuning/1', machine, measuredAt: '2026-01-01T00:00:00Z', rows: [] };
  writeTuning(folder, table);
  expect(readTuning(folder, machine)).toEqual(table);
  expect(readTuning(folder, machineKey('EPYC', ['scalar', 'avx2'], 4))).toBeNull();
  writeFileSync(tuningFile(folder), '{');
  expect(readTuning(folder, machine)).toBeNull();
});
