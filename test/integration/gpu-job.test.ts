/** Collectives with one GPU per process, in jobs that meet at a file: real processes, a stand-in for NCCL (native/test/fake_gpu_collectives.inc). */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { COLLECTIVES } from '../../src/native/types.ts';
import { root } from '../support/cli.ts';
import { buildFakeGpu, noCompiler, noCompilerReason } from '../support/fake-gpu.ts';

const fake = buildFakeGpu();
const folder = mkdtempSync(path.join(tmpdir(), 'aibench-gpu-job-'));
afterAll(() => {
  fake.remove();
  rmSync(folder, { recursive: true, force: true });
});
const ADDON = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');

/** What each rank runs: rank 0 does `body`, the others follow. It prints one line of JSON. */
function script(name: string, body: string): string {
  const file = path.join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `import { createRequire } from 'node:module';
const native = createRequire(import.meta.url)(process.env.AIBENCH_ADDON);
const library = process.env.TEST_LIBRARY ?? ${JSON.stringify(fake.library)};
const libraries = { vendor: 'cuda', driver: [library], matmul: [], collective: [library], compiler: [] };
const TIMING = { maxWarmupSeconds: 0.01, minSampleSeconds: 0.0002, targetSeconds: 0.001, minSamples: 2, maxSamples: 4 };
const options = { engine: 'nccl', libraries, dtype: 'f32', op: 'sum', bytes: 4800, seed: 5 };
const say = value => console.log(JSON.stringify(value));
const plain = ({ code, message, remedy }) => ({ code, message, remedy });
let mpi;
try {
  mpi = native.joinMpi('test');
} catch (error) {
  say(plain(error));
  process.exit(3);
}
if (mpi.info().rank > 0) {
  const code = await mpi.follow([libraries]);
  mpi.finalize();
  process.exit(code);
}
${body}
mpi.endFollowers(0);
mpi.finalize();
`,
  );
  return file;
}

interface Ended {
  status: number | null;
  said: unknown[];
  errors: string;
}
type Environment = Record<string, string>;

let jobs = 0;
function start(file: string, job: string, rank: number, size: number, more: Environment = {}): ChildProcess {
  return spawn(process.execPath, [file], {
    env: {
      ...process.env,
      AIBENCH_ADDON: ADDON,
      AIBENCH_JOB_FILE: job,
      AIBENCH_JOB_RANK: String(rank),
      AIBENCH_JOB_SIZE: String(size),
      AIBENCH_JOB_PATIENCE: '30',
      FAKE_GPU: `devices=${size}`,
      ...more,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

function ended(child: ChildProcess): Promise<Ended> {
  let [output, errors] = ['', ''];
  child.stdout?.on('data', chunk => (output += String(chunk)));
  child.stderr?.on('data', chunk => (errors += String(chunk)));
  return new Promise(resolve =>
    child.on('close', status =>
      resolve({
        status,
        said: output
          .split('\n')
          .filter(line => line.startsWith('{') || line.startsWith('['))
          .map(line => JSON.parse(line) as unknown),
        errors,
      }),
    ),
  );
}

function jobFile(): string {
  return path.join(folder, `job-${++jobs}`);
}

/** All ranks of a job; `of` adds to the environment of one. */
function run(
  file: string,
  size: number,
  of: (rank: number) => Environment = () => ({}),
  job = jobFile(),
): Promise<Ended[]> {
  return Promise.all(Array.from({ length: size }, (_, rank) => ended(start(file, job, rank, size, of(rank)))));
}

const refusedBy = (ended: Ended | undefined) => ended?.said[0] as { code: string; message: string; remedy: string };

const REFUSED = script(
  'refused',
  `const problem = mpi.createCollective({ ...options, collective: 'allreduce' });
await problem.prepare().then(() => problem.runAndVerify()).then(say, error => say(plain(error)));
problem.dispose();`,
);

describe.skipIf(noCompiler)(`one GPU per process${noCompilerReason}`, { timeout: 60_000 }, () => {
  test('every collective over three processes: right before and after timing, each defect found', async () => {
    const file = script(
      'all',
      `for (const collective of ${JSON.stringify(COLLECTIVES)}) {
  const problem = mpi.createCollective({ ...options, collective });
  await problem.prepare();
  const first = await problem.runAndVerify();
  const measured = await problem.measure(TIMING);
  const timed = await problem.verify();
  const unwritten = await problem.verify();
  const faults = {};
  for (const kind of problem.faultKinds()) {
    await problem.runAndVerify();
    await problem.measure(TIMING);
    problem.injectFault(kind);
    faults[kind] = (await problem.verify()).passed;
  }
  say({ collective, first, timed, unwritten, faults, ranks: measured.rankSamplesSeconds.length, facts: problem.facts() });
  problem.dispose();
}
const inPlace = [];
for (const collective of ['allreduce', 'reduce-scatter', 'all-gather', 'broadcast']) {
  const problem = mpi.createCollective({ ...options, collective, inPlace: true, perCall: true, dtype: 'bf16', op: 'max' });
  await problem.prepare();
  await problem.measure(TIMING);
  inPlace.push((await problem.verify()).passed);
  problem.dispose();
}
say(inPlace);
try {
  mpi.createCollective({ collective: 'allreduce', dtype: 'f32', op: 'sum', bytes: 8, seed: 1 });
} catch (error) {
  say(plain(error));
}`,
    );
    const job = jobFile();
    const meeting = mkdtempSync(path.join(folder, 'meeting-'));
    const all = await run(file, 3, () => ({ AIBENCH_FAKE_NCCL_FOLDER: meeting }), job);
    expect(all.map(({ status, errors }) => [status, errors])).toEqual([
      [0, ''],
      [0, ''],
      [0, ''],
    ]);
    const said = all[0]?.said as Record<string, unknown>[];
    expect(said).toHaveLength(COLLECTIVES.length + 2);
    for (const [index, one] of COLLECTIVES.entries()) {
      expect(said[index], one).toMatchObject({
        collective: one,
        first: { passed: true, error: 0 },
        timed: { passed: true },
        unwritten: { passed: false },
        faults: { flip: false, 'skipped-rank': false, 'stale-chunk': false },
        ranks: 3,
        facts: { rankKind: 'one GPU per process', ranks: '3', libraryVersion: '2.21.5', mpiLauncher: 'job file' },
      });
    }
    expect((said[0] as { facts: unknown }).facts).toMatchObject({
      busFactor: '1.33333',
      // By which energy knows whether the work was on more hosts than the meters.
      hostCount: '1',
      rankHosts: expect.stringMatching(/^([^,]+),\1,\1$/),
      devicePciBusIds: '0000:10:00.0 0000:11:00.0 0000:12:00.0',
    });
    expect(said[COLLECTIVES.length]).toEqual([true, true, true, true]);
    expect(said[COLLECTIVES.length + 1]).toMatchObject({ code: 'MPI_ABSENT' });
    expect(existsSync(job)).toBe(false);
    expect(readdirSync(meeting)).toEqual([]);
  });

  test('a file of an earlier job does no harm, and the new one is for its owner only', async () => {
    const job = jobFile();
    writeFileSync(job, `aibench-job 1\ntoken ${'0'.repeat(32)}\nhost elsewhere\nport 9\naddress 127.0.0.1\n`);
    const follower = start(REFUSED, job, 1, 2);
    await new Promise(resolve => setTimeout(resolve, 300));
    const first = start(REFUSED, job, 0, 2);
    const [a, b] = await Promise.all([ended(first), ended(follower)]);
    expect([a.status, b.status]).toEqual([0, 0]);
    expect(a.said[0]).toMatchObject({ passed: true });
    const alone = start(REFUSED, job, 0, 2, { AIBENCH_JOB_PATIENCE: '1' });
    const end = ended(alone);
    while (!existsSync(job)) await new Promise(resolve => setTimeout(resolve, 10));
    expect(statSync(job).mode & 0o777).toBe(0o600);
    // A second rank 0 at the file of a job that is waiting.
    const [second] = await Promise.all([ended(start(REFUSED, job, 0, 2)), end]);
    expect(refusedBy(second)).toMatchObject({ code: 'JOB_RUNNING' });
  });

  // Most of their time is waiting.
  test.concurrent.each<[string, number, number[], (rank: number) => Environment, number, string, RegExp]>([
    [
      'a rank that does not come',
      3,
      [0, 1],
      () => ({ AIBENCH_JOB_PATIENCE: '1' }),
      0,
      'JOB_TIMEOUT',
      /these did not come: 2$/,
    ],
    [
      'no rank 0',
      2,
      [1],
      () => ({ AIBENCH_JOB_PATIENCE: '1' }),
      1,
      'JOB_TIMEOUT',
      /has not found rank 0: .* is not there/,
    ],
    [
      'ranks that are told of different sizes',
      2,
      [0, 1],
      rank => ({ AIBENCH_JOB_PATIENCE: '2', ...(rank === 1 ? { AIBENCH_JOB_SIZE: '5' } : {}) }),
      1,
      'JOB_RANKS_DIFFER',
      /told of 5 ranks/,
    ],
    ['no size', 2, [0], () => ({ AIBENCH_JOB_SIZE: '' }), 0, 'JOB_FILE_BAD', /which rank this is of how many/],
    [
      'a folder that is not there',
      2,
      [0],
      () => ({ AIBENCH_JOB_FILE: '/nowhere/job' }),
      0,
      'JOB_FILE_BAD',
      /cannot write \/nowhere\/job/,
    ],
  ])('%s', async (_, size, ranks, of, who, code, message) => {
    const job = jobFile();
    const all = await Promise.all(ranks.map(rank => ended(start(REFUSED, job, rank, size, of(rank)))));
    const refused = refusedBy(all[ranks.indexOf(who)]);
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
    expect(refused.remedy).toMatch(/\w/);
  });

  test.each<[string, (rank: number) => Environment, string, RegExp]>([
    ['two ranks with one GPU', () => ({ FAKE_GPU: 'devices=1' }), 'GPU_SHARED', /the ranks 0 and 1 have the same GPU/],
    [
      'more ranks than GPUs',
      () => ({ FAKE_GPU: 'devices=2', TEST_SIZE: '3' }),
      'GPU_NO_SUCH_DEVICE',
      /^rank 2 on .*3 ranks on this host share 2 GPUs/,
    ],
    [
      'a rank without NCCL',
      rank => (rank === 1 ? { TEST_LIBRARY: '/nowhere/libnccl.so.2' } : {}),
      'GPU_ABSENT',
      /^rank 1 on .*\/nowhere\/libnccl.so.2/,
    ],
  ])('%s: rank 0 says which rank and why, and the others end', async (_, of, code, message) => {
    const size = Number(of(0).TEST_SIZE ?? 2);
    const all = await run(REFUSED, size, of);
    const refused = refusedBy(all[0]);
    expect(refused.code).toBe(code);
    expect(refused.message).toMatch(message);
    expect(all.map(({ status }) => status)).toEqual(Array(size).fill(0));
  });

  test('what fails at one rank ends the case, not the job', async () => {
    const file = script(
      'fails',
      `for (const orders of ['fail=ncclGetUniqueId:2', 'fail=ncclCommInitRank:5', 'fail=cuEventSynchronize:719', '']) {
  process.env.FAKE_GPU = 'devices=2 ' + orders;
  const problem = mpi.createCollective({ ...options, collective: 'allreduce' });
  await problem.prepare().then(() => problem.runAndVerify()).then(say, error => say(plain(error)));
  problem.dispose();
}`,
    );
    const all = await run(file, 2);
    expect(all.map(({ status }) => status)).toEqual([0, 0]);
    expect(all[0]?.said).toMatchObject([
      { code: 'GPU_LIBRARY_FAILED', message: expect.stringMatching(/^rank 0 .*ncclGetUniqueId/) },
      { code: 'GPU_LIBRARY_FAILED', message: expect.stringMatching(/^rank 0 .*ncclCommInitRank failed/) },
      { code: 'GPU_FAULT', message: expect.stringMatching(/^rank 0 on .*cuEventSynchronize/) },
      { passed: true },
    ]);
  });

  test('a rank that dies is named, and those that are left end', async () => {
    const file = script(
      'dies',
      `const problem = mpi.createCollective({ ...options, collective: 'allreduce' });
await problem.prepare();
problem.runAndVerify().catch(() => {});
const watch = setInterval(() => {
  const silent = mpi.silentRanks();
  if (silent === '' || mpi.busySeconds() === 0) return;
  clearInterval(watch);
  say({ silent });
  mpi.abort(1);
}, 20);
await new Promise(() => {});`,
    );
    const [first, second] = await run(file, 2, rank =>
      rank === 1 ? { FAKE_GPU: 'devices=2 crash=ncclGroupStart' } : {},
    );
    expect(first?.said[0]).toMatchObject({ silent: expect.stringMatching(/rank 1/) });
    expect(first?.status).toBe(1);
    expect(second?.status).not.toBe(0);
  });
});
