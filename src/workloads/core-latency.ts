/** How long a cache line takes between every two CPUs: the matrix that collectives and schedulers live with. */
import * as z from 'zod';
import { prepareNativeProblem } from './native-problem.ts';
import { resolveThreads, threadsLabel, threadsParam } from './parameters.ts';
import type { Workload } from './workload.ts';

const params = z.strictObject({ cpus: threadsParam.default('all') });
type CoreLatencyParams = z.infer<typeof params>;

export const coreLatency: Workload<CoreLatencyParams> = {
  name: 'core-latency',
  summary: 'one-way time of a cache line between every two CPUs; each pair keeps its samples',
  params,
  backends: ['native'],
  metrics: () => ['latency_seconds_p50', 'latency_seconds_p99', 'latency_seconds_max'],
  limit: () => null,
  label: p => `core-to-core latency${threadsLabel('t', p.cpus)}`,
  overheadSeconds: () => 0.3,
  supports: async (p, _backend, machine) =>
    resolveThreads(p.cpus, machine) >= 2 && resolveThreads(p.cpus, machine) <= machine.usableCores
      ? { supported: true }
      : {
          supported: false,
          reason: `Latency between ${resolveThreads(p.cpus, machine)} CPUs cannot be measured with ${machine.usableCores} usable.`,
          remedy: 'Allow this process two CPUs or more.',
        },
  prepare: async (p, _backend, context) => {
    const cpus = context.native.affinity().slice(0, resolveThreads(p.cpus, context.machine));
    const pairs = cpus.flatMap((from, index) => cpus.slice(index + 1).map(to => `cpu ${from} to cpu ${to}`));
    return prepareNativeProblem({
      open: () => context.native.createCoreLatency({ cpus: cpus.length }),
      context,
      work: ({ items }) => ({ items }),
      rank: index => ({ host: pairs[index] ?? '' }),
    });
  },
};
