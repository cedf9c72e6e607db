/** Whether an MPI launcher started this process, by what it put into the environment. */

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

/** The job, or null outside of one. Slurm sets its variables in batch scripts too: one task alone is no job. */
export function detectMpiJob(environment: NodeJS.ProcessEnv): MpiJob | null {
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
