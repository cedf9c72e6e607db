import { expect, it, vi } from 'vitest';
import type { NativeMpi } from '../../../src/native/types.ts';
import { patienceSeconds, troubleOf } from '../../../src/runner/mpi-job.ts';
import { detectMpiJob } from '../../../src/runtime/mpi.ts';
import { placementWarning, watched } from '../../../src/workloads/collectives/placement.ts';
import { findWorkload } from '../../../src/workloads/registry.ts';
import type { Measurement, Prepared } from '../../../src/workloads/workload.ts';

it.each([
  [
    { OMPI_COMM_WORLD_RANK: '1', OMPI_COMM_WORLD_SIZE: '4' },
    { launcher: 'Open MPI', rank: 1, size: 4 },
  ],
  [
    { PMI_RANK: '0', PMI_SIZE: '2' },
    { launcher: 'Hydra', rank: 0, size: 2 },
  ],
  [
    { SLURM_PROCID: '3', SLURM_STEP_NUM_TASKS: '8' },
    { launcher: 'Slurm', rank: 3, size: 8 },
  ],
  [{ SLURM_PROCID: '0', SLURM_STEP_NUM_TASKS: '1' }, null],
  [{ PMI_RANK: 'x', PMI_SIZE: '2' }, null],
  [
    { AIBENCH_JOB_FILE: '/shared/job', AIBENCH_JOB_RANK: '2', AIBENCH_JOB_SIZE: '4', PMI_RANK: '0', PMI_SIZE: '9' },
    { launcher: 'job file', rank: 2, size: 4 },
  ],
  [
    { AIBENCH_JOB_FILE: '/shared/job', SLURM_PROCID: '1', SLURM_STEP_NUM_TASKS: '2' },
    { launcher: 'job file', rank: 1, size: 2 },
  ],
  [{}, null],
])('the launcher speaks through the environment: %j', (environment, job) => {
  expect(detectMpiJob(environment)).toEqual(job);
});

it('a placement that changed is said, one that held or is unknown is not', () => {
  const facts = (before: number, after: number, copy = 1e10) => ({
    oneWayNanosecondsBefore: String(before),
    oneWayNanosecondsAfter: String(after),
    copyBytesPerSecondBefore: '1e10',
    copyBytesPerSecondAfter: String(copy),
  });
  expect(placementWarning(facts(40, 50))).toBeNull();
  expect(placementWarning({})).toBeNull();
  expect(placementWarning(facts(40, 200))).toMatchObject({ code: 'PLACEMENT_CHANGED' });
  expect(placementWarning(facts(40, 41, 2.1e10))?.message).toMatch(
    /copy ran at 10\.0 GB\/s before and 21\.0 GB\/s after/,
  );
  const ofMpi = { messageNanosecondsBefore: '250', messageNanosecondsAfter: '600' };
  expect(placementWarning(ofMpi)?.message).toMatch(/a message of 4 bytes took 250 ns before and 600 ns after/);
});

it.each([
  ['holds', [[40, 45]], 1, null, 0],
  [
    'changes once',
    [
      [40, 190],
      [185, 190],
    ],
    2,
    'a cache line took 40 ns before and 190 ns after',
    0,
  ],
  [
    'changes there and back',
    [
      [40, 190],
      [190, 40],
    ],
    2,
    'a cache line took 40 ns before and 190 ns after',
    1,
  ],
] as const)(
  'where the placement %s, a case is measured again once and says so',
  async (_, looks, times, again, warnings) => {
    let runs = 0;
    const base = {
      get facts() {
        const [before, after] = looks[runs - 1] ?? [0, 0];
        return { oneWayNanosecondsBefore: String(before), oneWayNanosecondsAfter: String(after) };
      },
      warnings: [],
      measure: async () => ({ complete: true, iterationsPerSample: ++runs }) as unknown as Measurement,
    } as unknown as Prepared;
    const prepared = watched(base);
    expect((await prepared.measure()).iterationsPerSample).toBe(times);
    expect(prepared.facts.measuredAgainSince ?? null).toBe(again);
    expect(prepared.warnings.map(({ code }) => code)).toEqual(
      Array.from({ length: warnings }, () => 'PLACEMENT_CHANGED'),
    );
  },
);

it('a rank that has stopped or a call without an end is trouble; a busy one is not', () => {
  const mpi = (busy: number, silent: string) =>
    ({ busySeconds: () => busy, silentRanks: () => silent }) as unknown as NativeMpi;
  expect(troubleOf(mpi(0, 'rank 2 (process 7) has died'), 60)).toBeNull();
  expect(troubleOf(mpi(5, ''), 60)).toBeNull();
  expect(troubleOf(mpi(5, 'rank 2 (process 7) is stopped'), 60)).toMatch(/rank 2/);
  expect(troubleOf(mpi(61, ''), 60)).toMatch(/another host or the network/);
  expect(patienceSeconds({ AIBENCH_MPI_PATIENCE: '5' })).toBe(5);
  expect(patienceSeconds({ AIBENCH_MPI_PATIENCE: 'soon' })).toBe(60);
});

it('an algorithm is not asked of an MPI library, which chooses by itself', async () => {
  vi.stubEnv('OMPI_COMM_WORLD_RANK', '0');
  vi.stubEnv('OMPI_COMM_WORLD_SIZE', '2');
  const allreduce = findWorkload('allreduce');
  const machine = { usableCores: 2, memoryBytes: 16e9, caches: [] };
  const support = (algorithm: string) =>
    allreduce?.supports(allreduce.params.parse({ bytes: 4096, algorithm }), 'mpi', machine);
  expect(await support('auto')).toEqual({ supported: true });
  expect(await support('ring')).toMatchObject({ supported: false, reason: expect.stringContaining('ring') });
  vi.unstubAllEnvs();
});
