/** The FMA ceiling: independent chains of fused multiply-adds in registers, the most that the cores can do. */
import * as z from 'zod';
import { GEMM_DTYPES } from '../native/types.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { resolveThreads, threadsLabel, threadsParam } from './parameters.ts';
import type { Workload } from './workload.ts';

const params = z.strictObject({ dtype: z.enum(GEMM_DTYPES).default('f32'), threads: threadsParam.default('all') });
type PeakParams = z.infer<typeof params>;

export const peak: Workload<PeakParams> = {
  name: 'peak',
  summary: 'FMA ceiling of the cores, in registers: what GEMM is held against',
  params,
  backends: ['native'],
  metrics: () => ['flops_per_second'],
  limit: () => null,
  label: ({ dtype, threads }) => `FMA peak ${dtype}${threadsLabel('t', threads)}`,
  overheadSeconds: () => 0.2,
  supports: async () => ({ supported: true }),
  prepare: (p, _backend, context) =>
    prepareNativeProblem({
      open: () => context.native.createPeak({ dtype: p.dtype, threads: resolveThreads(p.threads, context.machine) }),
      context,
      work: ({ flops }) => ({ flops }),
    }),
};
