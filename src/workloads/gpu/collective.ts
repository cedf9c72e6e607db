/** The collectives on the backends nccl and rccl: among the GPUs of this machine, in one process. */
import type { CollectiveName, NativeProblem } from '../../native/types.ts';
import type { CollectiveParams } from '../collectives/params.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import type { LaunchContext, Prepared, Support } from '../workload.ts';
import { deviceWord, gpuPlace, onGpu, supportsGpu } from './run-on-gpu.ts';

export const GPU_COLLECTIVE_BACKENDS = ['nccl', 'rccl'] as const;

export function isGpuCollective(backend: string): boolean {
  return (GPU_COLLECTIVE_BACKENDS as readonly string[]).includes(backend);
}

export async function gpuCollectiveSupport(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
): Promise<Support> {
  if (p.algorithm !== 'auto' || p.buffers !== 'shared')
    return {
      supported: false,
      reason: `${backend} chooses its algorithm itself and knows one kind of buffers.`,
      remedy: 'Leave algorithm and buffers out; NCCL_ALGO and NCCL_PROTO in the environment force one.',
    };
  return supportsGpu({
    backend,
    device: 'all',
    library: 'collective',
    bytes: 2 * p.bytes,
    what: `${name} over ${p.ranks} GPUs`,
    devices: p.ranks === 'all' ? (name === 'ping-pong' ? 2 : 1) : p.ranks,
  });
}

export async function prepareGpuCollective(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
  context: LaunchContext,
): Promise<Prepared> {
  const place = gpuPlace(context.native, backend, 'all');
  const devices = p.ranks === 'all' ? place.devices : place.devices.slice(0, p.ranks);
  let problem: NativeProblem | undefined;
  const prepared = await prepareNativeProblem({
    open: () => {
      problem = context.native.createGpuCollective({
        libraries: place.libraries,
        devices,
        collective: name,
        dtype: p.dtype,
        op: p.op ?? 'sum',
        bytes: p.bytes,
        seed: context.seed,
        inPlace: p.inPlace,
        perCall: p.method === 'osu',
      });
      return problem;
    },
    context,
    work: work => ({ bytes: work.bytes, busBytes: work.bytes * Number(problem?.facts().busFactor ?? 0) }),
    rank: index => ({ host: deviceWord(devices[index] ?? index, backend) }),
  });
  const withEnvironment = Object.create(prepared, {
    facts: { get: () => ({ ...prepared.facts, ...ncclEnvironment(process.env) }) },
  }) as Prepared;
  return onGpu(withEnvironment, context.native, backend, 'all');
}

/** What in the environment changes what NCCL does. */
function ncclEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([name, value]) => /^(NCCL|RCCL)_/.test(name) && value !== undefined)
      .map(([name, value]) => [`environment.${name}`, value ?? '']),
  );
}
