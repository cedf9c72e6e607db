/** Parameters that several workloads share, and the checks that come with them. */
import * as z from 'zod';
import { parseBytes } from '../units.ts';
import type { Machine, Support } from './workload.ts';

/** A count of threads or ranks, or `all`: as many as this process may use. */
export const threadsParam = z.union([z.int().min(1).max(4096), z.literal('all')]);
export type ThreadsParam = z.infer<typeof threadsParam>;

/** The number behind a threads parameter on this machine. */
export function resolveThreads(threads: ThreadsParam, machine: Machine): number {
  return threads === 'all' ? machine.usableCores : threads;
}

/** For a case's short name: ` t=1`, or nothing for the default, all. */
export function threadsLabel(letter: 't' | 'r', threads: ThreadsParam): string {
  return threads === 'all' ? '' : ` ${letter}=${threads}`;
}

/** A size in bytes: a number, or text such as `64MiB`. Kept as the number. */
export const bytesParam = z.union([z.number(), z.string()]).transform((value, context) => {
  const bytes = parseBytes(value);
  if (bytes === null) {
    context.addIssue({
      code: 'custom',
      message: `${JSON.stringify(value)} is not a size in bytes: write 65536, 64KiB or 1GiB`,
    });
    return z.NEVER;
  }
  return bytes;
});

/** A matrix dimension. */
export const dimensionParam = z
  .int()
  .min(1)
  .max(1 << 24);

/** For a case's short name: the shape of a product, `2048³` or `1x4096x4096`. */
export function shapeLabel({ m, n, k }: { m: number; n: number; k: number }): string {
  return m === n && n === k ? `${m}³` : `${m}x${n}x${k}`;
}

/** Whether `bytes` fit in the memory that this process may take, with room for everything else. */
export function fitsInMemory(bytes: number, machine: Machine, what: string): Support {
  const allowed = 0.9 * machine.memoryBytes;
  if (bytes <= allowed) return { supported: true };
  const gib = (amount: number): string => `${(amount / 2 ** 30).toFixed(1)} GiB`;
  return {
    supported: false,
    reason: `${what} needs ${gib(bytes)} of memory; ${gib(machine.memoryBytes)} are free to this process.`,
    remedy: 'Choose a smaller size, or free memory (a cgroup limit counts too: see `aibench doctor`).',
  };
}
