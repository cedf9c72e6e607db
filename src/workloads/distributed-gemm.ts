/**
 * A matrix product over the ranks of an MPI job: each rank multiplies its share of the rows of A by all of B, and a product is done
 * when the last rank is. For scaling: what cores, memory and clocks of many places bring together.
 */
import * as z from 'zod';
import { GEMM_DTYPES } from '../native/types.ts';
import { roofline } from './ceilings.ts';
import { mpiRank, mpiSupport, mpiWarnings } from './mpi-ranks.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { dimensionParam, fitsInMemory, shapeLabel, threadsLabel, threadsParam } from './parameters.ts';
import type { Workload } from './workload.ts';

const params = z.strictObject({
  dtype: z.enum(GEMM_DTYPES).default('f32'),
  /** Rows of A and C, shared by the ranks. */
  m: dimensionParam,
  n: dimensionParam,
  k: dimensionParam,
  /** The first so many ranks of the job; the others wait. */
  ranks: threadsParam.default('all'),
  /** Of each rank; `all`: one per CPU that is the rank's own. */
  threads: threadsParam.default(1),
});
type DistributedGemmParams = z.infer<typeof params>;

/** A, B and C, as if one rank had to hold them. */
function operandBytes({ dtype, m, n, k }: DistributedGemmParams): number {
  const element = dtype === 'f64' ? 8 : 4;
  return element * (m * k + k * n + m * n);
}

export const distributedGemm: Workload<DistributedGemmParams> = {
  name: 'distributed-gemm',
  summary: 'matrix product whose rows the ranks of an MPI job share, for scaling over ranks and nodes',
  params,
  backends: ['mpi'],
  metrics: () => ['flops_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  limit: () => ({ ceiling: 'roofline_flops_per_second', metric: 'flops_per_second' }),
  label: p =>
    `gemm ${p.dtype} ${shapeLabel(p)}${threadsLabel('r', p.ranks)}${p.threads === 1 ? '' : ` t=${p.threads}`}`,
  overheadSeconds: p => 0.4 + (3 * operandBytes(p)) / 1e9,
  supports: async (p, _backend, machine) => {
    const job = mpiSupport(p.ranks);
    if (!job.supported) return job;
    if (p.ranks !== 'all' && p.ranks > p.m)
      return {
        supported: false,
        reason: `${p.m} rows cannot be shared by ${p.ranks} ranks.`,
        remedy: 'Choose at least one row per rank.',
      };
    return fitsInMemory(operandBytes(p), machine, `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`);
  },
  prepare: async (p, _backend, context) => {
    const mpi = context.native.joinMpi('');
    const { dtype, m, n, k } = p;
    const count = (value: DistributedGemmParams['ranks']): number => (value === 'all' ? 0 : value);
    const prepared = await prepareNativeProblem({
      open: () =>
        mpi.createProduct({ dtype, m, n, k, ranks: count(p.ranks), threads: count(p.threads), seed: context.seed }),
      context,
      work: ({ flops }) => ({ flops }),
      derived: roofline,
      rank: mpiRank(mpi),
    });
    prepared.warnings.push(...mpiWarnings(mpi, prepared.facts));
    return prepared;
  },
};
