/** All-reduce over all devices of a PJRT plugin, in one process. */
import { z } from 'zod';
import type { NativeProblem } from '../../native/types.ts';
import { formatBytes } from '../../units.ts';
import { refusal } from '../gpu/devices.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { bytesParam } from '../parameters.ts';
import type { Workload } from '../workload.ts';
import { pjrtPlugin, probePjrt } from './pjrt.ts';

const params = z.strictObject({
  dtype: z.enum(['f64', 'f32', 'f16', 'bf16']).default('f32'),
  /** Of each device's vector. */
  bytes: bytesParam.default(64 * 2 ** 20),
});
type DeviceAllReduceParams = z.infer<typeof params>;

export const deviceAllReduce: Workload<DeviceAllReduceParams> = {
  name: 'device-allreduce',
  summary: 'sum over all devices that a PJRT plugin drives (TPUs and other ASICs)',
  params,
  backends: ['pjrt'],
  metrics: () => [
    'algorithm_bandwidth_bytes_per_second',
    'bus_bandwidth_bytes_per_second',
    'latency_seconds_p50',
    'latency_seconds_p99',
  ],
  limit: () => null,
  device: () => 'pjrt:all',
  label: p => `device allreduce ${p.dtype} ${formatBytes(p.bytes)}`,
  overheadSeconds: p => 15 + (8 * p.bytes) / 5e8,
  supports: async () => {
    const probe = await probePjrt();
    if (probe.status !== 'ok') return refusal(probe);
    if (probe.devices.length >= 2) return { supported: true };
    return {
      supported: false,
      reason: `an all-reduce needs two devices; ${probe.platform} lists one here`,
      remedy: 'Run it on a machine with several, and let the process see them all.',
    };
  },
  prepare: (p, _backend, context) => {
    let problem: NativeProblem | undefined;
    return prepareNativeProblem({
      open: () => {
        problem = context.native.createPjrtAllReduce({
          plugin: pjrtPlugin() ?? '',
          dtype: p.dtype,
          bytes: p.bytes,
          seed: context.seed,
        });
        return problem;
      },
      context,
      work: ({ bytes }) => ({ bytes, busBytes: bytes * Number(problem?.facts().busFactor ?? 0) }),
    });
  },
};
