/** Bandwidth of a device's own memory: STREAM's kernels in OpenCL C. */
import { z } from 'zod';
import { openclLibraries } from '../../runtime/opencl-libraries.ts';
import { formatBytes } from '../../units.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { bytesParam } from '../parameters.ts';
import type { Workload } from '../workload.ts';
import { fitsOnOpencl, openclDevice, openclWarnings, probeOpencl } from './opencl.ts';
import { deviceLabel, deviceName, deviceOption, deviceParam } from './params.ts';

const params = z.strictObject({
  kernel: z.enum(['copy', 'scale', 'add', 'triad']).default('triad'),
  /** Of each array. Caches of devices reach 256 MiB: the default is four times that. */
  bytes: bytesParam.default(2 ** 30),
  device: deviceParam,
});
type DeviceMemoryParams = z.infer<typeof params>;

function arrays({ kernel }: DeviceMemoryParams): number {
  return kernel === 'copy' || kernel === 'scale' ? 2 : 3;
}

export const deviceMemory: Workload<DeviceMemoryParams> = {
  name: 'device-memory',
  summary: "STREAM copy, scale, add and triad in a device's own memory, through OpenCL",
  params,
  backends: ['opencl'],
  metrics: () => ['bytes_per_second'],
  limit: () => null,
  device: p => deviceName('opencl', p.device),
  label: p => `device memory ${p.kernel} ${formatBytes(p.bytes)}${deviceLabel(p.device)}`,
  // Inputs are made and outputs checked on the host, a chunk at a time.
  overheadSeconds: p => 2 + (arrays(p) * p.bytes * 4) / 5e8,
  supports: async p => {
    const found = openclDevice(await probeOpencl(), p.device);
    if (!('device' in found)) return found;
    const fits = fitsOnOpencl(
      found.device,
      arrays(p) * p.bytes,
      p.bytes,
      `device-memory ${p.kernel} with ${arrays(p)} arrays`,
    );
    return fits.supported ? { supported: true, warnings: openclWarnings(found.device) } : fits;
  },
  prepare: (p, _backend, context) =>
    prepareNativeProblem({
      open: () =>
        context.native.createOpenclStream({
          opencl: openclLibraries().opencl,
          ...deviceOption(p.device),
          kernel: p.kernel,
          bytesPerArray: p.bytes,
          seed: context.seed,
        }),
      context,
      work: ({ bytes }) => ({ bytes }),
    }),
};
