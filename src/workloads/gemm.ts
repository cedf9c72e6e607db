/** Matrix product C = α·op(A)·op(B) + β·C, one or a batch, with the project's own microkernels or a vendor's library: the first number that a buyer asks for. */
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
  // What follows is left out by default: the case's id is then as it always was.
  /** A is stored k x m. */
  transposeA: z.exactOptional(z.literal(true)),
  /** B is stored n x k, as the weights of most networks are. */
  transposeB: z.exactOptional(z.literal(true)),
  /** 1 if left out. */
  alpha: z.exactOptional(
    z
      .number()
      .min(-1000)
      .max(1000)
      .refine(value => value !== 0, '0 multiplies nothing'),
  ),
  /** 0 if left out. With 1 the sign of alpha changes from one product to the next, so that C stays bounded. */
  beta: z.exactOptional(z.number().min(-1).max(1)),
  /** So many products of that shape, one after the other in memory; a library is called for each of them. */
  batch: z.exactOptional(z.int().min(2).max(1_000_000)),
  /** `pointers`: the batch is a list of matrices that lie in a shuffled order; `strided` if left out. */
  batchLayout: z.exactOptional(z.literal('pointers')),
  /** `packed`: B is packed once for the kernel, before anything is timed, as an inference engine does with its weights. */
  weights: z.exactOptional(z.literal('packed')),
  /** int8: B lies in [-64, 63], as quantisers make weights for CPUs without VNNI (`reduce_range`). AVX2 has faster instructions for those. */
  narrowWeights: z.exactOptional(z.literal(true)),
});
type GemmParams = z.infer<typeof params>;

/** Bytes of an element of A or B. */
const ELEMENT_BYTES: Record<GemmDtype, number> = { f32: 4, f64: 8, bf16: 2, f16: 2, s8: 1, u8: 1 };

/** A, B and C; what C held before; packed B, in words of up to C's size. */
function operandBytes({ dtype, m, n, k, batch = 1, beta = 0, weights }: GemmParams): number {
  const word = dtype === 'f64' ? 8 : 4;
  const packed = weights === undefined ? 0 : word * k * n;
  return batch * (ELEMENT_BYTES[dtype] * (m * k + k * n) + word * m * n * (beta === 0 ? 1 : 2)) + packed;
}

/** What the options add to a case's short name. */
function optionsLabel(options: GemmParams): string {
  const { transposeA, transposeB, alpha, beta, batch, batchLayout, weights, narrowWeights } = options;
  const parts = [
    transposeA || transposeB ? `${transposeA ? 'T' : 'N'}${transposeB ? 'T' : 'N'}` : '',
    alpha === undefined ? '' : `α=${alpha}`,
    beta === undefined ? '' : `β=${beta}`,
    batch === undefined ? '' : `batch=${batch}${batchLayout === undefined ? '' : ` ${batchLayout}`}`,
    weights ?? '',
    narrowWeights ? 'narrow' : '',
  ];
  return parts.map(part => (part === '' ? '' : ` ${part}`)).join('');
}

/** Options that do not go together. */
function optionsSupport(p: GemmParams, backend: string): Support {
  const refuse = (reason: string, remedy: string): Support => ({ supported: false, reason, remedy });
  const integer = p.dtype === 's8' || p.dtype === 'u8';
  if (p.narrowWeights && !integer)
    return refuse(
      `the dtype ${p.dtype} has no narrowWeights, which are a matter of int8`,
      'Leave it out, or choose s8 or u8.',
    );
  if (p.weights !== undefined && backend !== 'native' && backend !== 'onednn')
    return refuse(
      'packed weights are multiplied by our own kernels and oneDNN only',
      'Choose the backend native or onednn.',
    );
  if (p.weights !== undefined && p.batch !== undefined)
    return refuse('packed weights are those of one product, not of a batch', 'Leave out batch or weights.');
  if (p.batchLayout !== undefined && p.batch === undefined)
    return refuse('batchLayout is about a batch, and there is none', 'Add batch.');
  if (integer && !(Number.isInteger(p.alpha ?? 1) && Number.isInteger(p.beta ?? 0)))
    return refuse(`alpha and beta of ${p.dtype} are whole numbers`, 'Choose whole numbers.');
  return { supported: true };
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
  label: p => `gemm ${p.dtype} ${shapeLabel(p)}${optionsLabel(p)}${threadsLabel('t', p.threads)}`,
  // Filling and verifying touch every operand a few times, at about 1 GB/s with the f64 reference.
  overheadSeconds: p => 0.4 + (3 * operandBytes(p)) / 1e9,
  supports: async (p, backend, machine) => {
    const options = optionsSupport(p, backend);
    if (!options.supported) return options;
    const peer = peerSupport(backend, p.dtype);
    return peer.supported
      ? fitsInMemory(operandBytes(p), machine, `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`)
      : peer;
  },
  prepare: async (p, backend, context) => {
    const threads = resolveThreads(p.threads, context.machine);
    const { dtype, batchLayout, ...shape } = p;
    const options = { ...shape, dtype, threads, seed: context.seed, backend, scattered: batchLayout === 'pointers' };
    const prepared = await prepareNativeProblem({
      open: () => context.native.createGemm(options),
      context,
      work: ({ flops }) => ({ flops }),
      ceilings: async () => ({
        fma_flops_per_second: await measureFmaPeak(context.native, dtype, threads, p.narrowWeights),
      }),
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
