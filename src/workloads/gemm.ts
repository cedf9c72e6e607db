/** Matrix product C = A·B with the project's own microkernels or a vendor's library: the first number that a buyer asks for. */
import process from 'node:process';
import * as z from 'zod';
import { tryLoadAddon } from '../native/addon.ts';
import { GEMM_DTYPES, type GemmDtype } from '../native/types.ts';
import { blasEnvironment, blasWarnings, genericKernelWarnings } from './blas-environment.ts';
import { measureFmaPeak, roofline } from './ceilings.ts';
import { prepareNativeProblem } from './native-problem.ts';
import { dimensionParam, fitsInMemory, resolveThreads, shapeLabel, threadsLabel, threadsParam } from './parameters.ts';
import type { Support, Workload } from './workload.ts';

const params = z.strictObject({
  /** bf16 and f16 give f32; s8, and u8 times s8, give s32. */
  dtype: z.enum(GEMM_DTYPES).default('f32'),
  /** Rows of A and C. */
  m: dimensionParam,
  /** Columns of B and C. */
  n: dimensionParam,
  /** Columns of A, rows of B. */
  k: dimensionParam,
  threads: threadsParam.default('all'),
});
type GemmParams = z.infer<typeof params>;

/** Bytes of an element of A or B. */
const ELEMENT_BYTES: Record<GemmDtype, number> = { f32: 4, f64: 8, bf16: 2, f16: 2, s8: 1, u8: 1 };

/** A, B and C. */
function operandBytes({ dtype, m, n, k }: GemmParams): number {
  return ELEMENT_BYTES[dtype] * (m * k + k * n) + (dtype === 'f64' ? 8 : 4) * m * n;
}

/** Our own kernels, and the libraries of native/gemm/peers. */
const BACKENDS = ['native', 'openblas', 'blis', 'mkl', 'armpl', 'accelerate', 'onednn', 'libxsmm'] as const;

/** Whether the library behind `backend` is here and has the dtype. Opens it, once per process. */
function peerSupport(backend: string, dtype: string): Support {
  if (backend === 'native') return { supported: true };
  const native = tryLoadAddon();
  if (native.addon === null) return { supported: false, reason: native.error.message, remedy: native.error.remedy };
  const peer = native.addon.gemmPeers().find(({ name }) => name === backend);
  if (peer === undefined)
    return {
      supported: false,
      reason: `gemm has no backend ${backend}`,
      remedy: `Choose one of: ${BACKENDS.join(', ')}.`,
    };
  if (!peer.found) return { supported: false, reason: peer.reason, remedy: peer.remedy };
  if (peer.dtypes.includes(dtype)) return { supported: true };
  return {
    supported: false,
    reason: `aibench drives ${backend} for ${peer.dtypes.join(', ')} only, not for ${dtype}`,
    remedy: 'Choose another backend for this dtype.',
  };
}

export const gemm: Workload<GemmParams> = {
  name: 'gemm',
  summary: 'matrix product C = A·B, own microkernels or a BLAS library, as a share of the measured roofline',
  params,
  backends: BACKENDS,
  metrics: () => ['flops_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  limit: () => ({ ceiling: 'roofline_flops_per_second', metric: 'flops_per_second' }),
  label: p => `gemm ${p.dtype} ${shapeLabel(p)}${threadsLabel('t', p.threads)}`,
  // Filling and verifying touch every operand a few times, at about 1 GB/s with the f64 reference.
  overheadSeconds: p => 0.4 + (3 * operandBytes(p)) / 1e9,
  supports: async (p, backend, machine) => {
    const peer = peerSupport(backend, p.dtype);
    return peer.supported
      ? fitsInMemory(operandBytes(p), machine, `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`)
      : peer;
  },
  prepare: async (p, backend, context) => {
    const threads = resolveThreads(p.threads, context.machine);
    const { dtype, m, n, k } = p;
    const prepared = await prepareNativeProblem({
      open: () => context.native.createGemm({ dtype, m, n, k, threads, seed: context.seed, backend }),
      context,
      work: ({ flops }) => ({ flops }),
      ceilings: async () => ({ fma_flops_per_second: await measureFmaPeak(context.native, dtype, threads) }),
      derived: roofline,
      warnings: blasWarnings(backend, process.env),
    });
    if (backend === 'native') return prepared;
    prepared.warnings.push(...genericKernelWarnings(backend, prepared.facts.kernel));
    for (const [name, value] of Object.entries(blasEnvironment(process.env)))
      prepared.facts[`environment.${name}`] = value;
    return prepared;
  },
};
