/** What every case on the backend `mpi` has in common: the job it needs, its ranks' names, what a reader must know. */
import process from 'node:process';
import type { NativeMpi } from '../native/types.ts';
import type { Warning } from '../results/schema.ts';
import { detectMpiJob, isJobFile } from '../runtime/mpi.ts';
import type { ThreadsParam } from './parameters.ts';
import type { Support } from './workload.ts';

/** Whether this process is in a job of at least so many ranks. */
export function mpiSupport(ranks: ThreadsParam): Support {
  const job = detectMpiJob(process.env);
  if (isJobFile(process.env)) {
    return {
      supported: false,
      reason: 'This job was started with AIBENCH_JOB_FILE, without MPI.',
      remedy: 'Run `mpirun -n 4 npx aibench run SUITE`, or choose nccl or rccl.',
    };
  }
  if (job === null) {
    return {
      supported: false,
      reason: 'The mpi backend needs a job that an MPI launcher started.',
      remedy: 'Run `mpirun -n 4 npx aibench run SUITE`.',
    };
  }
  if (ranks === 'all' || ranks <= job.size) return { supported: true };
  return {
    supported: false,
    reason: `The job has ${job.size} ranks, the case asks for ${ranks}.`,
    remedy: `Start more: mpirun -n ${ranks}.`,
  };
}

/** Host and process of each rank, for the record. */
export function mpiRank(mpi: NativeMpi): (index: number) => { host: string; pid: number } {
  const { ranks } = mpi.info();
  return index => ({ host: ranks[index]?.host ?? '', pid: ranks[index]?.pid ?? 0 });
}

/** `facts` are those of the case: how many ranks took part, and whether they had a CPU each. */
export function mpiWarnings(
  mpi: NativeMpi,
  facts: Readonly<Record<string, string | number | boolean | null>>,
): Warning[] {
  const shared: Warning = {
    code: 'LAUNCHES_SHARE_PROCESS',
    message: 'all launches of this case ran in the one process per rank that the MPI launcher started.',
    remedy: 'Start mpirun several times and compare the documents: only then are launches independent.',
  };
  if (facts.oversubscribed !== 'true') return [shared];
  const waiting = mpi.info().abi === 'MPICH' ? '; MPICH waits without yielding, which costs whole time slices' : '';
  return [
    shared,
    {
      code: 'MPI_OVERSUBSCRIBED',
      message: `${facts.ranks} ranks share fewer CPUs${waiting}.`,
      remedy: 'Start at most one rank per CPU.',
    },
  ];
}
