/** Memory: STREAM's four kernels, reading at any size (the bandwidth ladder), and the latency of a dependent load. */
import * as z from 'zod';
import { formatBytes } from '../units.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { bytesParam, fitsInMemory, resolveThreads, threadsLabel, threadsParam } from './parameters.ts';
import type { Machine, Workload } from './workload.ts';

const params = z.strictObject({
  kernel: z.enum(['copy', 'scale', 'add', 'triad', 'read', 'latency']),
  /** Of each array (`read`: of all threads together); `auto` is well beyond the caches, as STREAM demands. */
  bytes: z.union([z.literal('auto'), bytesParam]).default('auto'),
  /** `latency` is one thread by nature. */
  threads: threadsParam.default('all'),
});
type MemoryParams = z.infer<typeof params>;

/** STREAM asks for at least four times the last-level caches; a floor for machines that report none. Bytes. */
export function autoBytes(machine: Machine): number {
  const lastLevel = Math.max(
    0,
    ...machine.caches.filter(cache => cache.type !== 'instruction').map(cache => cache.sizeBytes),
  );
  const sharedBy = machine.caches.find(cache => cache.sizeBytes === lastLevel)?.sharedBy ?? 1;
  const instances = Math.max(1, Math.ceil(machine.usableCores / Math.max(1, sharedBy)));
  const wanted = Math.max(64 * 2 ** 20, 4 * lastLevel * instances);
  return Math.min(wanted, 2 ** Math.floor(Math.log2(Math.max(2 ** 20, machine.memoryBytes / 8))));
}

function bytesOf(p: MemoryParams, machine: Machine): number {
  return p.bytes === 'auto' ? autoBytes(machine) : p.bytes;
}

function arrays(p: MemoryParams): number {
  return p.kernel === 'latency' || p.kernel === 'read' ? 1 : 3;
}

export const memory: Workload<MemoryParams> = {
  name: 'memory',
  summary: 'STREAM copy, scale, add and triad; reading at any size; latency by pointer chase',
  params,
  backends: ['native'],
  metrics: p => (p.kernel === 'latency' ? ['load_latency_seconds'] : ['bytes_per_second']),
  limit: () => null,
  label: p =>
    `memory ${p.kernel}${p.bytes === 'auto' ? '' : ` ${formatBytes(p.bytes)}`}${threadsLabel('t', p.threads)}`,
  overheadSeconds: (p, machine) => 0.3 + (arrays(p) * bytesOf(p, machine) * 3) / 2e9,
  supports: async (p, _backend, machine) =>
    fitsInMemory(arrays(p) * bytesOf(p, machine), machine, `memory ${p.kernel} with ${arrays(p)} arrays`),
  prepare: (p, _backend, context) => {
    const bytes = bytesOf(p, context.machine);
    const { kernel } = p;
    if (kernel === 'latency') {
      return prepareNativeProblem({
        open: () => context.native.createPointerChase({ bytes, seed: context.seed }),
        context,
        work: ({ items }) => ({ items }),
      });
    }
    const threads = resolveThreads(p.threads, context.machine);
    return prepareNativeProblem({
      open: () =>
        kernel === 'read'
          ? context.native.createRead({ bytes, threads, seed: context.seed })
          : context.native.createStream({ kernel, bytesPerArray: bytes, threads, seed: context.seed }),
      context,
      work: work => ({ bytes: work.bytes }),
    });
  },
};
