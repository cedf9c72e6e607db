/** Bandwidth of a GPU's memory, of the way from and to the host, and between two GPUs. */
import { z } from 'zod';
import { GPU_MEMORY_KERNELS } from '../../native/types.ts';
import { formatBytes } from '../../units.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { bytesParam } from '../parameters.ts';
import type { Support, Workload } from '../workload.ts';
import { deviceLabel, deviceWord, gpuPlace, gpuTimeoutSeconds, onGpu, supportsGpu } from './run-on-gpu.ts';

const deviceNumber = z.int().min(0).max(255);
const params = z
  .strictObject({
    kernel: z.enum(GPU_MEMORY_KERNELS),
    /** Of each array: well beyond the L2 of any GPU. */
    bytes: bytesParam.default(2 ** 30),
    device: deviceNumber.default(0),
    /** Of `peer`: the device that the data goes to. */
    peer: deviceNumber.default(1),
  })
  .superRefine((p, context) => {
    if (p.bytes < 16 || p.bytes % 16 !== 0)
      context.addIssue({ code: 'custom', path: ['bytes'], message: `bytes is a multiple of 16; it is ${p.bytes}` });
    if (p.kernel === 'peer' && p.peer === p.device)
      context.addIssue({ code: 'custom', path: ['peer'], message: 'peer names the device itself' });
  });
type GpuMemoryParams = z.infer<typeof params>;

const ARRAYS: Partial<Record<GpuMemoryParams['kernel'], number>> = { copy: 2, triad: 3, memcpy: 2 };
const INSIDE = new Set<string>(['copy', 'triad', 'memcpy']);

async function supports(p: GpuMemoryParams, backend: string): Promise<Support> {
  const what = `gpu-memory ${p.kernel}`;
  const bytes = (ARRAYS[p.kernel] ?? 1) * p.bytes;
  // Our own kernels.
  const library = p.kernel === 'copy' || p.kernel === 'triad' ? ({ library: 'compiler' } as const) : {};
  const one = await supportsGpu({ backend, device: p.device, bytes, what, ...library });
  if (!one.supported || p.kernel !== 'peer') return one;
  return supportsGpu({ backend, device: p.peer, bytes: p.bytes, what });
}

export const gpuMemory: Workload<GpuMemoryParams> = {
  name: 'gpu-memory',
  summary: 'bandwidth of GPU memory (copy, triad), host to device and back (pinned, pageable), device to device',
  params: params as unknown as z.ZodType<GpuMemoryParams>,
  backends: ['cuda', 'rocm'],
  metrics: () => ['bytes_per_second'],
  limit: p =>
    INSIDE.has(p.kernel) ? { ceiling: 'device_memory_bytes_per_second_bound', metric: 'bytes_per_second' } : null,
  label: p =>
    `gpu-memory ${p.kernel}${p.bytes === 2 ** 30 ? '' : ` ${formatBytes(p.bytes)}`}${deviceLabel(p.device)}${p.kernel === 'peer' ? ` to ${p.peer}` : ''}`,
  device: (p, backend) => deviceWord(p.device, backend),
  overheadSeconds: p => 3 + p.bytes / 1e8,
  timeoutSeconds: gpuTimeoutSeconds,
  supports,
  prepare: async (p, backend, context) => {
    const { libraries } = gpuPlace(context.native, backend, p.device);
    const prepared = await prepareNativeProblem({
      open: () =>
        context.native.createGpuMemory({
          libraries,
          devices: p.kernel === 'peer' ? [p.device, p.peer] : [p.device],
          kernel: p.kernel,
          bytes: p.bytes,
          seed: context.seed,
        }),
      context,
      work: ({ bytes }) => ({ bytes }),
    });
    return onGpu(prepared, context.native, backend, p.device);
  },
};
