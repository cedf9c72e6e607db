/** The collectives on the backends nccl and rccl: among the GPUs of this machine in one process, or in a job with one GPU per process. */
import type { CollectiveName, NativeProblem } from '../../native/types.ts';
import { gpuLibraries } from '../../runtime/gpu-libraries.ts';
import { detectMpiJob, type MpiJob } from '../../runtime/mpi.ts';
import type { CollectiveParams } from '../collectives/params.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import type { LaunchContext, Prepared, Support } from '../workload.ts';
import { deviceWord, gpuPlace, onGpu, supportsGpu, vendorOf } from './run-on-gpu.ts';

export const GPU_COLLECTIVE_BACKENDS = ['nccl', 'rccl'] as const;

export function isGpuCollective(backend: string): boolean {
  return (GPU_COLLECTIVE_BACKENDS as readonly string[]).includes(backend);
}

export async function gpuCollectiveSupport(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
): Promise<Support> {
  if (p.buffers !== 'shared')
    return { supported: false, reason: `${backend} knows one kind of buffers.`, remedy: 'Leave buffers out.' };
  const job = severalProcesses();
  const refused = refusedAlgorithm(name, p.algorithm, backend, job !== null);
  if (refused !== null) return refused;
  if (job !== null && p.ranks !== 'all' && p.ranks !== job.size)
    return {
      supported: false,
      reason: `This job has ${job.size} ranks with a GPU each; the case wants ${p.ranks}.`,
      remedy: 'Leave ranks out: in a job the launcher decides.',
    };
  return supportsGpu({
    backend,
    device: 'all',
    library: 'collective',
    bytes: 2 * p.bytes,
    what: `${name} over ${p.ranks} GPUs`,
    devices: job !== null ? 1 : p.ranks === 'all' ? (name === 'ping-pong' ? 2 : 1) : p.ranks,
  });
}

/** What NCCL_ALGO takes. Which of them NCCL has for other collectives depends on its version and the links. */
const ALGORITHMS: Record<string, string> = { ring: 'Ring', tree: 'Tree' };

function refusedAlgorithm(
  name: CollectiveName,
  algorithm: string,
  backend: string,
  isJob: boolean,
): Extract<Support, { supported: false }> | null {
  if (algorithm === 'auto') return null;
  if (ALGORITHMS[algorithm] === undefined || (algorithm === 'tree' && name !== 'allreduce'))
    return {
      supported: false,
      reason: `${backend} has no ${algorithm} algorithm for ${name} that can be asked for.`,
      remedy: 'Choose auto, ring or, of allreduce, tree.',
    };
  if (!isJob) return null;
  return {
    supported: false,
    reason: `In a job ${backend} reads its algorithm from the environment of every rank.`,
    remedy: `Leave algorithm out and start all ranks with NCCL_ALGO=${ALGORITHMS[algorithm]}.`,
  };
}

export async function prepareGpuCollective(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
  context: LaunchContext,
): Promise<Prepared> {
  if (severalProcesses() !== null) return prepareInJob(name, p, backend, context);
  // Of this launch's process alone; NCCL reads it when the communicators are made.
  const forced = ALGORITHMS[p.algorithm];
  if (forced !== undefined) process.env.NCCL_ALGO = forced;
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
  return onGpu(withEnvironment(prepared), context.native, backend, 'all');
}

/** The job that this process is a rank of, where it has more than one. */
function severalProcesses(): MpiJob | null {
  const job = detectMpiJob(process.env);
  return job !== null && job.size > 1 ? job : null;
}

/** One GPU per process, over as many hosts as the job has. */
async function prepareInJob(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
  context: LaunchContext,
): Promise<Prepared> {
  const mpi = context.native.joinMpi('');
  const { ranks } = mpi.info();
  const hosts = new Set(ranks.map(({ host }) => host)).size;
  let problem: NativeProblem | undefined;
  const prepared = await prepareNativeProblem({
    open: () => {
      problem = mpi.createCollective({
        engine: backend as (typeof GPU_COLLECTIVE_BACKENDS)[number],
        libraries: gpuLibraries(vendorOf(backend)),
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
    rank: index => ({ host: ranks[index]?.host ?? '', pid: ranks[index]?.pid ?? 0 }),
    warnings: [
      {
        code: 'LAUNCHES_SHARE_PROCESS',
        message: 'all launches of this case ran in the one process per rank of the job.',
        remedy: 'Start the job several times and compare the documents: only then are launches independent.',
      },
      ...(hosts > 1
        ? [
            {
              code: 'ENERGY_OF_ONE_HOST',
              message: `the ranks ran on ${hosts} hosts; energy and power are those of the host of rank 0.`,
              remedy: "Read them as one host's share.",
            },
          ]
        : []),
    ],
  });
  return onGpu(withEnvironment(prepared), context.native, backend, 'all');
}

function withEnvironment(prepared: Prepared): Prepared {
  return Object.create(prepared, {
    facts: { get: () => ({ ...prepared.facts, ...ncclEnvironment(process.env) }) },
  }) as Prepared;
}

/** What in the environment changes what NCCL does. */
function ncclEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment)
      .filter(([name, value]) => /^(NCCL|RCCL)_/.test(name) && value !== undefined)
      .map(([name, value]) => [`environment.${name}`, value ?? '']),
  );
}
