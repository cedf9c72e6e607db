/** The table of collective algorithms that `aibench tune` measured on this machine, in place of the built-in one. */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { COLLECTIVES } from '../../native/types.ts';

const rowSchema = z.object({
  collective: z.enum(COLLECTIVES),
  backend: z.enum(['threads', 'processes']),
  buffers: z.enum(['shared', 'private']),
  ranks: z.int().min(2),
  /** Up to this message size; null: any. */
  upToBytes: z.number().min(0).nullable(),
  algorithm: z.string(),
});
export type TuningRow = z.infer<typeof rowSchema>;

const tableSchema = z.object({
  schema: z.literal('aibench.tuning/1'),
  /** What the table was measured on: it is not used elsewhere. */
  machine: z.string(),
  measuredAt: z.string(),
  rows: z.array(rowSchema),
});
export type TuningTable = z.infer<typeof tableSchema>;

/** The fastest algorithm at one size. */
export interface TuningPoint {
  bytes: number;
  algorithm: string;
}

/** Pure: points in ascending size to ranges, each ending half-way (geometrically) to the next winner. */
export function rangesOf(points: readonly TuningPoint[]): Pick<TuningRow, 'upToBytes' | 'algorithm'>[] {
  const ranges: Pick<TuningRow, 'upToBytes' | 'algorithm'>[] = [];
  for (const [index, { bytes, algorithm }] of points.entries()) {
    const next = points[index + 1];
    if (next?.algorithm === algorithm) continue;
    ranges.push({ upToBytes: next === undefined ? null : Math.floor(Math.sqrt(bytes * next.bytes)), algorithm });
  }
  return ranges;
}

/** Pure: the algorithm that the table gives, or null where it says nothing. */
export function tunedAlgorithm(
  rows: readonly TuningRow[],
  wanted: Omit<TuningRow, 'upToBytes' | 'algorithm'> & { bytes: number },
): string | null {
  const row = rows.find(
    candidate =>
      candidate.collective === wanted.collective &&
      candidate.backend === wanted.backend &&
      candidate.buffers === wanted.buffers &&
      candidate.ranks === wanted.ranks &&
      (candidate.upToBytes === null || wanted.bytes <= candidate.upToBytes),
  );
  return row?.algorithm ?? null;
}

export function tuningFile(cacheDir: string): string {
  return path.join(cacheDir, 'collectives-tuning.json');
}

/** The table for `machine`, or null where there is none, it is of another machine, or it cannot be read. */
export function readTuning(cacheDir: string, machine: string): TuningTable | null {
  try {
    const table = tableSchema.parse(JSON.parse(readFileSync(tuningFile(cacheDir), 'utf8')));
    return table.machine === machine ? table : null;
  } catch {
    return null; // the built-in table is always there
  }
}

export function writeTuning(cacheDir: string, table: TuningTable): void {
  writeFileSync(tuningFile(cacheDir), `${JSON.stringify(table, null, 1)}\n`);
}

/** What makes two machines alike for this table: CPU model, ISA path, usable CPUs. */
export function machineKey(brand: string, isas: readonly string[], cpus: number): string {
  return `${brand} ${isas.at(-1) ?? ''} x${cpus}`;
}
