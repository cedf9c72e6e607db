/** Collectives among threads, processes over POSIX shared memory, or the ranks of an MPI job; verified bit for bit. */
import type { z } from 'zod';
import type { CollectiveName, NativeProblem } from '../../native/types.ts';
import { COLLECTIVES } from '../../native/types.ts';
import { detectMpiJob } from '../../runtime/mpi.ts';
import { formatBytes } from '../../units.ts';
import {
  GPU_COLLECTIVE_BACKENDS,
  gpuCollectiveSupport,
  isGpuCollective,
  prepareGpuCollective,
} from '../gpu/collective.ts';
import { deviceWord, gpuTimeoutSeconds } from '../gpu/run-on-gpu.ts';
import { mpiRank, mpiSupport, mpiWarnings } from '../mpi-ranks.ts';
import { prepareNativeProblem } from '../native-problem.ts';
import { fitsInMemory, resolveThreads, threadsLabel } from '../parameters.ts';
import type { LaunchContext, Machine, Prepared, Support, Workload } from '../workload.ts';
import { type CollectiveParams, movingParams, reducingParams } from './params.ts';
import { watched } from './placement.ts';
import { machineKey, readTuning, tunedAlgorithm } from './tuning.ts';

const SUMMARIES: Record<CollectiveName, string> = {
  allreduce: 'every rank gets the reduction of all vectors',
  'reduce-scatter': 'each rank gets its block of the reduction',
  'all-gather': 'every rank gets the blocks of all',
  broadcast: 'every rank gets the vector of rank 0',
  'all-to-all': 'each rank gets its block from every other',
  shift: 'each rank sends to its right neighbour; for alpha-beta models',
  'ping-pong': 'rank 0 to rank 1 and back; for alpha-beta models',
};

/** One workload per collective. */
export const collectives: readonly Workload<CollectiveParams>[] = COLLECTIVES.map(collective);

function collective(name: CollectiveName): Workload<CollectiveParams> {
  const reduces = name === 'allreduce' || name === 'reduce-scatter';
  return {
    name,
    summary: `${SUMMARIES[name]}; bit-exact, algorithm named`,
    params: (reduces ? reducingParams : movingParams) as unknown as z.ZodType<CollectiveParams>,
    backends: ['threads', 'processes', 'mpi', ...GPU_COLLECTIVE_BACKENDS],
    metrics: () => [
      'algorithm_bandwidth_bytes_per_second',
      'bus_bandwidth_bytes_per_second',
      'latency_seconds_p50',
      'latency_seconds_p99',
      'latency_seconds_max',
      ...(name === 'ping-pong' ? [] : ['rank_skew_seconds_p50']), // of a ping-pong one rank alone is timed
    ],
    limit: () => ({ ceiling: 'algorithm_bandwidth_bound', metric: 'algorithm_bandwidth_bytes_per_second' }),
    label: p =>
      [
        name,
        p.dtype,
        p.op ?? '',
        formatBytes(p.bytes),
        p.buffers === 'private' ? 'private' : '',
        p.inPlace ? 'in place' : '',
        p.method === 'osu' ? 'osu' : '',
      ]
        .filter(part => part !== '')
        .join(' ') + threadsLabel('r', p.ranks),
    overheadSeconds: (p, machine) => 0.3 + (3 * memoryBytes(p, machine)) / 2e9,
    device: (_p, backend) => (isGpuCollective(backend) ? deviceWord('all', backend) : 'cpu'),
    timeoutSeconds: (expected, backend) => (isGpuCollective(backend) ? gpuTimeoutSeconds(expected + 10) : undefined),
    supports: (p, backend, machine) =>
      isGpuCollective(backend) ? gpuCollectiveSupport(name, p, backend) : supports(p, backend, machine),
    prepare: (p, backend, context) =>
      isGpuCollective(backend) ? prepareGpuCollective(name, p, backend, context) : prepare(name, p, backend, context),
  };
}

/** Input, output and what the copy ceiling writes, of every rank. */
function memoryBytes(p: CollectiveParams, machine: Machine): number {
  return 3 * p.bytes * resolveThreads(p.ranks, machine);
}

async function supports(p: CollectiveParams, backend: string, machine: Machine): Promise<Support> {
  const job = detectMpiJob(process.env);
  const ranks = backend === 'mpi' ? mpiSupport(p.ranks) : null;
  if (ranks?.supported === false) return ranks;
  if (backend === 'mpi' && p.algorithm !== 'auto') {
    return {
      supported: false,
      reason: `An MPI library chooses its algorithm itself: ${p.algorithm} cannot be asked of it.`,
      remedy:
        'Leave algorithm out; settings of the library force one (OMPI_MCA_coll_tuned_*, MPIR_CVAR_ALLREDUCE_*), and are recorded.',
    };
  }
  if (backend !== 'mpi' && job !== null && job.size > 1) {
    return {
      supported: false,
      reason: `This run is an MPI job of ${job.size} ranks, which would disturb ranks on ${backend}.`,
      remedy: 'Run without the launcher for threads and processes.',
    };
  }
  return fitsInMemory(memoryBytes(p, machine), machine, `A collective of ${p.bytes} B over ${p.ranks} ranks`);
}

async function prepare(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
  context: LaunchContext,
): Promise<Prepared> {
  const shared = {
    collective: name,
    dtype: p.dtype,
    op: p.op ?? ('sum' as const),
    bytes: p.bytes,
    seed: context.seed,
    inPlace: p.inPlace,
    perCall: p.method === 'osu',
  };
  if (backend === 'mpi') return prepareMpi({ ...shared, ranks: p.ranks === 'all' ? 0 : p.ranks }, context);
  const ranks = resolveThreads(p.ranks, context.machine);
  const tuned = p.algorithm === 'auto' ? tunedChoice(name, p, backend, ranks, context) : null;
  const algorithm = p.algorithm === 'auto' ? tuned?.algorithm : p.algorithm;
  let problem: NativeProblem | undefined;
  const prepared = await prepareNativeProblem({
    open: () => {
      problem = context.native.createCollective({
        ...shared,
        ranks,
        processes: backend === 'processes',
        privateBuffers: p.buffers === 'private',
        ...(algorithm === undefined ? {} : { algorithm }),
      });
      return problem;
    },
    context,
    work: work => ({ bytes: work.bytes, busBytes: work.bytes * busFactor(problem) }),
    ceilings: opened => opened.measureCeilings(),
  });
  return watched(
    tuned === null ? prepared : withFact(prepared, 'algorithmChosenBy', `aibench tune, ${tuned.measuredAt}`),
  );
}

/** What `aibench tune` found for this machine, or null. */
function tunedChoice(
  name: CollectiveName,
  p: CollectiveParams,
  backend: string,
  ranks: number,
  context: LaunchContext,
): { algorithm: string; measuredAt: string } | null {
  const features = context.native.cpuFeatures();
  const table = readTuning(
    context.cacheDir,
    machineKey(features.brand, features.isas, context.native.affinity().length),
  );
  if (table === null || ranks < 2) return null;
  const wanted = { collective: name, backend: backend as 'threads', buffers: p.buffers, ranks, bytes: p.bytes };
  const algorithm = tunedAlgorithm(table.rows, wanted);
  // A table of an older version may name what is no more.
  const isThere = context.native.collectiveAlgorithms().some(row => row.collective === name && row.name === algorithm);
  return algorithm === null || !isThere ? null : { algorithm, measuredAt: table.measuredAt };
}

function withFact(prepared: Prepared, name: string, value: string): Prepared {
  return Object.create(prepared, { facts: { get: () => ({ ...prepared.facts, [name]: value }) } }) as Prepared;
}

function busFactor(problem: NativeProblem | undefined): number {
  return Number(problem?.facts().busFactor ?? 0);
}

async function prepareMpi(
  options: Parameters<ReturnType<LaunchContext['native']['joinMpi']>['createCollective']>[0],
  context: LaunchContext,
): Promise<Prepared> {
  const mpi = context.native.joinMpi('');
  let problem: NativeProblem | undefined;
  const prepared = await prepareNativeProblem({
    open: () => {
      problem = mpi.createCollective(options);
      return problem;
    },
    context,
    work: work => ({ bytes: work.bytes, busBytes: work.bytes * busFactor(problem) }),
    ceilings: opened => opened.measureCeilings(), // none under MPI: for the look at the placement that comes with it
    rank: mpiRank(mpi),
  });
  prepared.warnings.push(...mpiWarnings(mpi, prepared.facts));
  return watched(prepared);
}
