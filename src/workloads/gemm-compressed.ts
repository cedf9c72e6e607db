/** Matrix products with pruned or quantised weights: what compression brings on this machine, beside `gemm`. */
import * as z from 'zod';
import { measureFmaPeak, roofline } from './ceilings.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { dimensionParam, fitsInMemory, resolveThreads, shapeLabel, threadsLabel, threadsParam } from './parameters.ts';
import type { Workload } from './workload.ts';

const params = z.strictObject({
  /** Of the activations A: `bf16` gives f32, `s8` gives s32. */
  dtype: z.enum(['f32', 'bf16', 's8']).default('f32'),
  /** `2:4`: two of every four along k; `block`: half of the blocks of 64 of k by a panel of columns; `int4`: 4-bit codes. */
  weights: z.enum(['2:4', 'block', 'int4']),
  m: dimensionParam,
  n: dimensionParam,
  k: dimensionParam,
  threads: threadsParam.default('all'),
});
type CompressedParams = z.infer<typeof params>;

/** A, C, the dense weights that it is verified against, and the compressed ones, which are smaller. */
function operandBytes({ dtype, m, n, k }: CompressedParams): number {
  const bytes = { f32: 4, bf16: 2, s8: 1 }[dtype];
  return bytes * (m * k + 2 * k * n) + 4 * m * n;
}

export const gemmCompressed: Workload<CompressedParams> = {
  name: 'gemm-compressed',
  summary: 'matrix product in f32, bf16 or s8 with 2:4-pruned, block-pruned or int4 weights, beside gemm',
  params,
  backends: ['native'],
  metrics: () => ['dense_flops_per_second', 'flops_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  limit: () => ({ ceiling: 'roofline_flops_per_second', metric: 'flops_per_second' }),
  label: p => `gemm ${p.dtype} ${p.weights} ${shapeLabel(p)}${threadsLabel('t', p.threads)}`,
  overheadSeconds: p => 0.6 + (4 * operandBytes(p)) / 1e9,
  supports: async (p, _backend, machine) =>
    fitsInMemory(operandBytes(p), machine, `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`),
  prepare: async (p, _backend, context) => {
    const threads = resolveThreads(p.threads, context.machine);
    const { dtype, weights, m, n, k } = p;
    return prepareNativeProblem({
      open: () => context.native.createGemm({ dtype, m, n, k, threads, seed: context.seed, weights }),
      context,
      work: ({ flops, items }) => ({ flops, denseFlops: items }),
      ceilings: async () => ({ fma_flops_per_second: await measureFmaPeak(context.native, dtype, threads) }),
      derived: roofline,
    });
  },
};
