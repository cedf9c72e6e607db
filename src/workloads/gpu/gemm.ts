/** Matrix product on a GPU by the vendor's library: the number that accelerators are bought by. */
import { z } from 'zod';
import { GPU_DTYPES, type GpuDevice, type GpuDtype } from '../../native/types.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { bytesParam, dimensionParam, shapeLabel } from '../parameters.ts';
import type { Support, Workload } from '../workload.ts';
import { findDevices, probeGpu } from './devices.ts';
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

const BLOCK_SCALED = new Set<GpuDtype>(['mxfp8', 'mxfp4', 'nvfp4']);

/**
 * Pure: whether blocks of scales are there: NVIDIA's since compute capability 10.0, cuBLASLt's since 12.8.
 * @param library version of cuBLASLt, `12.8.1`
 */
export function blockScaling(
  dtype: GpuDtype,
  backend: string,
  devices: readonly Pick<GpuDevice, 'name' | 'computeCapability'>[],
  library: string,
): Support {
  if (!BLOCK_SCALED.has(dtype)) return { supported: true };
  const no = (reason: string, remedy: string): Support => ({ supported: false, reason, remedy });
  if (backend !== 'cublaslt')
    return no(
      `${dtype} products are there for NVIDIA only: how hipBLASLt lays scales out is not confirmed.`,
      'Choose f8e4m3.',
    );
  const old = devices.find(device => Number(device.computeCapability) < 10);
  if (old !== undefined)
    return no(
      `${old.name} (compute capability ${old.computeCapability}) has no ${dtype}: blocks of scales came with 10.0.`,
      'Choose f8e4m3, or run it on a newer GPU.',
    );
  const [major = 0, minor = 0] = library.split('.').map(Number);
  if (major < 12 || (major === 12 && minor < 8))
    return no(
      `cuBLASLt ${library} has no ${dtype}: blocks of scales came with 12.8.`,
      'Install cuBLAS 12.8 or newer, or choose f8e4m3.',
    );
  return { supported: true };
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
  const blocks = blockScaling(p.dtype, backend, found.devices, probe.matmul.version);
  return blocks.supported ? support : blocks;
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
