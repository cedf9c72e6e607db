/** Matrix product on a GPU by the vendor's library: the number that accelerators are bought by. */
import { z } from 'zod';
import { GPU_DTYPES, type GpuDtype } from '../../native/types.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { bytesParam, dimensionParam, shapeLabel } from '../parameters.ts';
import type { Support, Workload } from '../workload.ts';
import { findDevices, probeGpu } from './devices.ts';
import { dtypeSupport } from './dtype-support.ts';
import {
  deviceLabel,
  deviceParam,
  deviceWord,
  gpuPlace,
  gpuTimeoutSeconds,
  onGpu,
  supportsGpu,
  vendorOf,
} from './run-on-gpu.ts';

/** Shapes that the libraries' kernels for narrow types take; those need both operands with k as their fastest dimension. */
const MULTIPLES: Partial<Record<GpuDtype, number>> = {
  f8e4m3: 16,
  f8e5m2: 16,
  s8: 4,
  mxfp8: 32,
  mxfp4: 32,
  nvfp4: 32,
};

const params = z
  .strictObject({
    dtype: z.enum(GPU_DTYPES).default('bf16'),
    /** Rows of A and D. */
    m: dimensionParam,
    /** Columns of B and D. */
    n: dimensionParam,
    /** Columns of A, rows of B. */
    k: dimensionParam,
    /** `tn`: both operands have k as their fastest dimension, as a linear layer has; `nn`: A·B of column-major matrices. */
    layout: z.enum(['tn', 'nn']).default('tn'),
    device: deviceParam.default(0),
    /** That the library may use beside the operands. */
    workspace: bytesParam.default(32 * 2 ** 20),
    /** How many algorithms the library is asked for. All are tried; the fastest is measured. */
    algorithms: z.int().min(1).max(256).default(16),
  })
  .superRefine((p, context) => {
    const multiple = MULTIPLES[p.dtype] ?? 1;
    for (const dimension of ['m', 'n', 'k'] as const) {
      if (p[dimension] % multiple !== 0)
        context.addIssue({
          code: 'custom',
          path: [dimension],
          message: `${p.dtype} products need m, n and k that are multiples of ${multiple}; ${dimension} is ${p[dimension]}`,
        });
    }
    if (p.layout === 'nn' && p.dtype in MULTIPLES)
      context.addIssue({ code: 'custom', path: ['layout'], message: `${p.dtype} products need the layout tn` });
  });
type GpuGemmParams = z.infer<typeof params>;

const OPERAND_BYTES: Record<GpuDtype, number> = {
  f64: 8,
  f32: 4,
  tf32: 4,
  f16: 2,
  bf16: 2,
  f8e4m3: 1,
  f8e5m2: 1,
  s8: 1,
  // With a byte of scale for each 32 or 16 elements.
  mxfp8: 1 + 1 / 32,
  mxfp4: 1 / 2 + 1 / 32,
  nvfp4: 1 / 2 + 1 / 16,
};
const OUTPUT_BYTES: Record<GpuDtype, number> = {
  f64: 8,
  f32: 4,
  tf32: 4,
  f16: 2,
  bf16: 2,
  f8e4m3: 2,
  f8e5m2: 2,
  s8: 4,
  mxfp8: 2,
  mxfp4: 2,
  nvfp4: 2,
};

/** There the launch itself would be what takes the time. */
const GRAPH_BELOW_SECONDS = 50e-6;

function deviceBytes({ dtype, m, n, k, workspace }: GpuGemmParams): number {
  return OPERAND_BYTES[dtype] * (m * k + k * n) + OUTPUT_BYTES[dtype] * m * n + workspace;
}

async function supports(p: GpuGemmParams, backend: string): Promise<Support> {
  const support = await supportsGpu({
    backend,
    device: p.device,
    library: 'matmul',
    bytes: deviceBytes(p),
    what: `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`,
  });
  if (!support.supported) return support;
  const probe = await probeGpu(vendorOf(backend));
  const found = findDevices(probe, p.device);
  if (!('devices' in found)) return found;
  const dtype = dtypeSupport(p.dtype, backend, found.devices, probe.matmul.version);
  return dtype.supported ? support : dtype;
}

/** Start of the driver, loading of the library, filling on the host, trying of algorithms, checking twice. */
function overheadSeconds(p: GpuGemmParams): number {
  return 5 + (p.m * p.k + p.k * p.n + p.m * p.n) / 5e7;
}

export const gpuGemm: Workload<GpuGemmParams> = {
  name: 'gpu-gemm',
  summary: 'matrix product on a GPU by cuBLASLt or hipBLASLt: every algorithm tried, random data, verified',
  params: params as unknown as z.ZodType<GpuGemmParams>,
  backends: ['cublaslt', 'hipblaslt'],
  metrics: () => ['flops_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  limit: () => ({ ceiling: 'device_flops_per_second_bound', metric: 'flops_per_second' }),
  label: p => `gpu-gemm ${p.dtype} ${shapeLabel(p)}${p.layout === 'nn' ? ' nn' : ''}${deviceLabel(p.device)}`,
  device: (p, backend) => deviceWord(p.device, backend),
  overheadSeconds,
  timeoutSeconds: expected => gpuTimeoutSeconds(expected),
  supports,
  prepare: async (p, backend, context) => {
    const { dtype, m, n, k, layout, algorithms } = p;
    const place = gpuPlace(context.native, backend, p.device);
    const prepared = await prepareNativeProblem({
      open: () =>
        context.native.createGpuGemm({
          ...place,
          dtype,
          m,
          n,
          k,
          layout,
          algorithms,
          workspaceBytes: p.workspace,
          graphBelowSeconds: GRAPH_BELOW_SECONDS,
          seed: context.seed,
        }),
      context,
      work: ({ flops }) => ({ flops }),
      ...(place.devices.length > 1 ? { rank: index => ({ host: `${deviceWord(index, backend)}` }) } : {}),
    });
    return onGpu(prepared, context.native, backend, p.device);
  },
};
