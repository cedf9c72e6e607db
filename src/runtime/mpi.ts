/** Whether this process is a rank of a job, by what an MPI launcher or the user put into the environment. */

export interface MpiJob {
  launcher: string;
  rank: number;
  size: number;
}

const LAUNCHERS = [
  { launcher: 'Open MPI', rank: 'OMPI_COMM_WORLD_RANK', size: 'OMPI_COMM_WORLD_SIZE' },
  { launcher: 'Hydra', rank: 'PMI_RANK', size: 'PMI_SIZE' },
  { launcher: 'Slurm', rank: 'SLURM_PROCID', size: 'SLURM_STEP_NUM_TASKS' },
] as const;

/**
 * A job without MPI: the ranks meet at the file that AIBENCH_JOB_FILE names (native/mpi/job_file.h). Which rank this is of how many
 * AIBENCH_JOB_RANK and AIBENCH_JOB_SIZE say, or a launcher.
 */
export function isJobFile(environment: NodeJS.ProcessEnv): boolean {
  return (environment.AIBENCH_JOB_FILE ?? '') !== '';
}

/** The job, or null outside of one. Slurm sets its variables in batch scripts too: one task alone is no job. */
export function detectMpiJob(environment: NodeJS.ProcessEnv): MpiJob | null {
  if (isJobFile(environment)) {
    const first = (names: readonly string[]): number =>
      names.map(name => wholeNumber(environment[name])).find(value => value >= 0) ?? -1;
    return {
      launcher: 'job file',
      rank: first(['AIBENCH_JOB_RANK', ...LAUNCHERS.map(({ rank }) => rank)]),
      size: first(['AIBENCH_JOB_SIZE', ...LAUNCHERS.map(({ size }) => size)]),
    };
  }
  for (const { launcher, rank, size } of LAUNCHERS) {
    const job = { launcher, rank: wholeNumber(environment[rank]), size: wholeNumber(environment[size]) };
    if (job.rank < 0 || job.size < 1 || (launcher === 'Slurm' && job.size < 2)) continue;
    return job;
  }
  return null;
}

function wholeNumber(text: string | undefined): number {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : -1;
}
