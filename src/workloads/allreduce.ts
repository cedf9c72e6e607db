/** Allreduce among the threads of one process over shared memory, verified bit for bit at every rank. */
import { z } from 'zod';
import { formatBytes } from '../units.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { bytesParam, fitsInMemory, resolveThreads, threadsLabel, threadsParam } from './parameters.ts';
import type { Workload } from './workload.ts';

const params = z.strictObject({
  dtype: z.literal('f32').default('f32'),
  op: z.literal('sum').default('sum'),
  /** Message size: bytes of each rank's vector. */
  bytes: bytesParam,
  ranks: threadsParam.default('all'),
  /** One row of the native table (`aibench list kernels`), or `auto`: by size and rank count. */
  algorithm: z.string().default('auto'),
});
type AllreduceParams = z.infer<typeof params>;

export const allreduce: Workload<AllreduceParams> = {
  name: 'allreduce',
  summary: 'sum over in-process ranks through shared memory, bit-exact, algorithm named',
  params,
  backends: ['threads'],
  metrics: () => ['algorithm_bandwidth_bytes_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  limit: () => null,
  label: p => `allreduce ${p.dtype} ${p.op} ${formatBytes(p.bytes)}${threadsLabel('r', p.ranks)}`,
  overheadSeconds: (p, machine) => 0.3 + (2 * p.bytes * resolveThreads(p.ranks, machine) * 3) / 2e9,
  supports: async (p, _backend, machine) =>
    fitsInMemory(
      2 * p.bytes * resolveThreads(p.ranks, machine),
      machine,
      `An allreduce of ${p.bytes} B over ${p.ranks} ranks`,
    ),
  prepare: (p, _backend, context) =>
    prepareNativeProblem({
      open: () =>
        context.native.createAllreduce({
          dtype: p.dtype,
          op: p.op,
          bytes: p.bytes,
          ranks: resolveThreads(p.ranks, context.machine),
          seed: context.seed,
          ...(p.algorithm === 'auto' ? {} : { algorithm: p.algorithm }),
        }),
      context,
      work: work => ({ bytes: work.bytes }),
    }),
};
