/** Matrix product C = A·B with the project's own microkernels: the first number that a buyer asks for. */
import { z } from 'zod';
import { measureFmaPeak } from './ceilings.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { dimensionParam, fitsInMemory, resolveThreads, threadsLabel, threadsParam } from './parameters.ts';
import type { Workload } from './workload.ts';

const params = z.strictObject({
  dtype: z.enum(['f32', 'f64']).default('f32'),
  /** Rows of A and C. */
  m: dimensionParam,
  /** Columns of B and C. */
  n: dimensionParam,
  /** Columns of A, rows of B. */
  k: dimensionParam,
  threads: threadsParam.default('all'),
});
type GemmParams = z.infer<typeof params>;

function shape({ m, n, k }: GemmParams): string {
  return m === n && n === k ? `${m}³` : `${m}x${n}x${k}`;
}

/** A, B and C. */
function operandBytes({ dtype, m, n, k }: GemmParams): number {
  return (dtype === 'f64' ? 8 : 4) * (m * k + k * n + m * n);
}

export const gemm: Workload<GemmParams> = {
  name: 'gemm',
  summary: 'matrix product C = A·B with own microkernels, as a share of the measured FMA peak',
  params,
  backends: ['native'],
  metrics: () => ['flops_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  limit: () => ({ ceiling: 'fma_flops_per_second', metric: 'flops_per_second' }),
  label: p => `gemm ${p.dtype} ${shape(p)}${threadsLabel('t', p.threads)}`,
  // Filling and verifying touch every operand a few times, at about 1 GB/s with the f64 reference.
  overheadSeconds: p => 0.4 + (3 * operandBytes(p)) / 1e9,
  supports: async (p, _backend, machine) =>
    fitsInMemory(operandBytes(p), machine, `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`),
  prepare: (p, _backend, context) => {
    const threads = resolveThreads(p.threads, context.machine);
    return prepareNativeProblem({
      open: () => context.native.createGemm({ dtype: p.dtype, m: p.m, n: p.n, k: p.k, threads, seed: context.seed }),
      context,
      work: ({ flops }) => ({ flops }),
      ceilings: async () => ({ fma_flops_per_second: await measureFmaPeak(context.native, p.dtype, threads) }),
    });
  },
};
