/** Matrix product C = A·B on a device through an interface that many vendors serve, for what gpu-gemm does not know. */
import { z } from 'zod';
import { openclLibraries } from '../../runtime/opencl-libraries.ts';
import { formatBytes } from '../../units.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { dimensionParam, fitsInMemory, shapeLabel } from '../parameters.ts';
import type { LaunchContext, Machine, Prepared, Support, Workload } from '../workload.ts';
import { fitsOnOpencl, openclDevice, openclWarnings, probeOpencl } from './opencl.ts';
import { deviceLabel, deviceName, deviceOption, deviceParam } from './params.ts';
import { pjrtDevice, pjrtPlugin, probePjrt } from './pjrt.ts';

const params = z.strictObject({
  dtype: z.enum(['f64', 'f32', 'f16', 'bf16']).default('f32'),
  /** Rows of A and C. */
  m: dimensionParam,
  /** Columns of B and C. */
  n: dimensionParam,
  /** Columns of A, rows of B. */
  k: dimensionParam,
  device: deviceParam,
});
export type DeviceGemmParams = z.infer<typeof params>;

const BYTES = { f64: 8, f32: 4, f16: 2, bf16: 2 } as const;

function operandBytes({ dtype, m, n, k }: DeviceGemmParams): number {
  return BYTES[dtype] * (m * k + k * n + m * n);
}

interface Backend {
  /** The word before the number of a device. */
  kind: string;
  supports(p: DeviceGemmParams): Promise<Support>;
  prepare(p: DeviceGemmParams, context: LaunchContext): Promise<Prepared>;
}

const clblast: Backend = {
  kind: 'opencl',
  supports: async p => {
    const probe = await probeOpencl();
    const found = openclDevice(probe, p.device);
    if (!('device' in found)) return found;
    if (probe.clblast.status !== 'ok')
      return {
        supported: false,
        reason: probe.clblast.reason,
        remedy: probe.clblast.remedy,
        ...(probe.clblast.status === 'broken' ? { broken: true } : {}),
      };
    const { device } = found;
    if (!device.compiler || !device.dtypes.includes(p.dtype))
      return {
        supported: false,
        reason: device.compiler
          ? `CLBlast does not multiply in ${p.dtype} on ${device.name}`
          : `${device.name} does not compile OpenCL C, which CLBlast needs`,
        remedy: device.compiler ? `Choose one of: ${device.dtypes.join(', ')}.` : 'Choose another device.',
      };
    const largest = BYTES[p.dtype] * Math.max(p.m * p.k, p.k * p.n, p.m * p.n);
    const fits = fitsOnOpencl(device, operandBytes(p), largest, `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`);
    return fits.supported ? { supported: true, warnings: openclWarnings(device) } : fits;
  },
  prepare: ({ dtype, m, n, k, device }, context) =>
    prepareNativeProblem({
      open: () =>
        context.native.createOpenclGemm({
          ...openclLibraries(),
          ...deviceOption(device),
          dtype: dtype as 'f32',
          m,
          n,
          k,
          seed: context.seed,
        }),
      context,
      work: ({ flops }) => ({ flops }),
      ceilings: problem => problem.measureCeilings(),
    }),
};

const pjrt: Backend = {
  kind: 'pjrt',
  supports: async p => {
    const found = pjrtDevice(await probePjrt(), p.device);
    if (!('device' in found)) return found;
    const { memoryBytes, name } = found.device;
    if (memoryBytes === null || operandBytes(p) <= 0.9 * memoryBytes) return { supported: true };
    return {
      supported: false,
      reason: `A product of ${p.m}x${p.n}x${p.k} in ${p.dtype} needs ${formatBytes(operandBytes(p))}; ${name} has ${formatBytes(memoryBytes)}`,
      remedy: 'Choose a smaller size.',
    };
  },
  prepare: ({ dtype, m, n, k, device }, context) =>
    prepareNativeProblem({
      open: () =>
        context.native.createPjrtGemm({
          plugin: pjrtPlugin() ?? '',
          ...deviceOption(device),
          dtype,
          m,
          n,
          k,
          seed: context.seed,
        }),
      context,
      work: ({ flops }) => ({ flops }),
    }),
};

const BACKENDS: Record<string, Backend> = { clblast, pjrt };

function backendOf(name: string): Backend {
  const backend = BACKENDS[name];
  if (backend === undefined) throw new Error(`device-gemm has no backend ${name}`);
  return backend;
}

export const deviceGemm: Workload<DeviceGemmParams> = {
  name: 'device-gemm',
  summary: 'matrix product C = A·B on any device with an OpenCL driver (CLBlast) or a PJRT plugin (TPUs, other ASICs)',
  params,
  backends: Object.keys(BACKENDS),
  metrics: () => ['flops_per_second', 'latency_seconds_p50', 'latency_seconds_p99'],
  // Of PJRT none is known: its fact `noLimit` says why.
  limit: () => ({ ceiling: 'device_fma_flops_per_second', metric: 'flops_per_second' }),
  device: (p, backend) => deviceName(backendOf(backend).kind, p.device),
  label: p => `device gemm ${p.dtype} ${shapeLabel(p)}${deviceLabel(p.device)}`,
  // The first product of a dtype is compiled by the driver, which takes seconds; then as gemm.
  overheadSeconds: p => 5 + (3 * operandBytes(p)) / 1e9,
  supports: async (p, backend, machine: Machine) => {
    const support = await backendOf(backend).supports(p);
    if (!support.supported) return support;
    // A, B and C have a copy on the host, to be verified.
    const fits = fitsInMemory(
      operandBytes(p),
      machine,
      `The host's copy of a product of ${p.m}x${p.n}x${p.k} in ${p.dtype}`,
    );
    return fits.supported ? support : fits;
  },
  prepare: (p, backend, context) => backendOf(backend).prepare(p, context),
};
