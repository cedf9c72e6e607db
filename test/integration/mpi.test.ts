/** aibench as the ranks of a real MPI job, under each MPI that is here; skipped, with the reason, where there is none. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { scalingGroups } from '../../src/analysis/scaling.ts';
import type { ResultDocument } from '../../src/results/schema.ts';
import { root } from '../support/cli.ts';
import { buildFakeGpu, noCompiler } from '../support/fake-gpu.ts';

const fake = buildFakeGpu();
afterAll(() => fake.remove());

const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-mpi-'));
const addon = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');
const has = (command: string): boolean => spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
/** Root may start Open MPI only when it says so twice. */
const environment = {
  ...process.env,
  AIBENCH_ADDON: addon,
  OMPI_ALLOW_RUN_AS_ROOT: '1',
  OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: '1',
};
const launchers = [
  { launcher: 'mpirun.openmpi', abi: 'Open MPI', flags: ['--oversubscribe'], foreign: 'libmpich.so.12' },
  { launcher: 'mpirun.mpich', abi: 'MPICH', flags: [], foreign: 'libmpi.so.40' },
];

const suite = path.join(folder, 'mpi.yaml');
writeFileSync(
  suite,
  `schema: aibench.suite/1
name: mpi
summary: small
launches: 1
idleSeconds: 0
observerPairs: 0
timing: { targetSeconds: 0.02, maxWarmupSeconds: 0.02, minSamples: 3, maxSamples: 20 }
cases:
  - { workload: allreduce, backend: [threads, mpi], params: { bytes: 4KiB } }
  - { workload: shift, backend: mpi, params: { bytes: 64 } }
  - { workload: allreduce, backend: nccl, params: { bytes: 4KiB } }
  - { workload: distributed-gemm, backend: mpi, params: { m: 61, n: 40, k: 50 }, matrix: { ranks: [1, 2, 3] } }
  - { workload: allreduce, backend: mpi, params: { bytes: 4KiB, ranks: 1 } }
`,
);

/** A script that every rank runs: `mpi` is the job, `rank` its number. */
function script(name: string, body: string): string {
  const file = path.join(folder, `${name}.mjs`);
  writeFileSync(
    file,
    `import { createRequire } from 'node:module';
const native = createRequire(import.meta.url)(process.env.AIBENCH_ADDON);
const mpi = native.joinMpi('test');
const { rank, size } = mpi.info();
${body}`,
  );
  return file;
}

describe.each(launchers)('$launcher', ({ launcher, abi, flags, foreign }) => {
  const here = has(launcher);
  const test = here ? it : (name: string, ..._: unknown[]) => it.skip(`${name} (no ${launcher} here)`, () => {});
  const start = (ranks: number, args: string[], more: Record<string, string> = {}): ChildProcess =>
    spawn(launcher, [...flags, '-n', String(ranks), process.execPath, ...args], {
      env: { ...environment, ...more },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  const run = (ranks: number, args: string[], more: Record<string, string> = {}) => {
    const { status, stdout, stderr } = spawnSync(launcher, [...flags, '-n', String(ranks), process.execPath, ...args], {
      env: { ...environment, ...more },
      encoding: 'utf8',
      timeout: 60_000,
    });
    return { status, output: `${stdout}\n${stderr}` };
  };

  test('rank 0 writes one document with the samples of all ranks', { timeout: 60_000 }, () => {
    const file = path.join(folder, `${launcher}.json`);
    const { status, output } = run(2, [path.join(root, 'bin', 'aibench.js'), 'run', suite, '-q', '-o', file], {
      AIBENCH_CUDA: fake.library,
      AIBENCH_CUBLASLT: fake.library,
      AIBENCH_NCCL: fake.library,
      FAKE_GPU: 'devices=2',
    });
    expect(status, output).toBe(0);
    expect(output.match(/The document is/g), output).toHaveLength(1);
    const document = JSON.parse(readFileSync(file, 'utf8')) as ResultDocument;
    const [threads, mpi, shift, gpus, alone, product, tooMany, part] = document.cases;
    expect(threads).toMatchObject({ status: 'skipped', backend: 'threads' });
    expect(mpi).toMatchObject({
      status: 'measured',
      verification: { passed: true },
      facts: { mpiAbi: abi, ranks: '2' },
    });
    expect(shift?.status).toBe('measured');
    const [launch] = mpi?.launches ?? [];
    expect(launch?.ranks?.map(({ rank, host }) => [rank, host])).toEqual([
      [0, os.hostname()],
      [1, os.hostname()],
    ]);
    expect(launch?.ranks?.[1]?.samplesSeconds).toHaveLength(launch?.samplesSeconds.length ?? 0);
    expect(mpi?.warnings.map(({ code }) => code)).toContain('LAUNCHES_SHARE_PROCESS');
    expect(mpi?.metrics.rank_skew_seconds_p50?.value).toBeGreaterThan(0);
    if (mpi?.facts.oversubscribed === 'false') {
      for (const moment of ['Before', 'After']) {
        expect(Number(mpi.facts[`messageNanoseconds${moment}`])).toBeGreaterThan(10);
        expect(launch?.state[`copyBytesPerSecond${moment}`]).toBeGreaterThan(1e6);
      }
    }
    expect(alone).toMatchObject({ status: 'measured', facts: { ranks: '1', cores: '1' } });
    expect(product).toMatchObject({ status: 'measured', facts: { ranks: '2', cores: '2', rowsPerRank: '30' } });
    expect(product?.limit?.fraction).toBeLessThanOrEqual(1);
    expect(tooMany).toMatchObject({ status: 'skipped' });
    expect(part).toMatchObject({ status: 'measured', facts: { ranks: '1' } });
    expect(part?.launches[0]?.ranks).toHaveLength(1);
    expect(scalingGroups(document).map(({ points }) => points.map(({ cores }) => cores))).toContainEqual([1, 2]);
    if (noCompiler) return;
    // One GPU per rank, the id of their communicator over MPI.
    expect(gpus, gpus?.reason).toMatchObject({
      status: 'measured',
      device: 'cuda:all',
      verification: { passed: true },
      facts: { rankKind: 'one GPU per process', ranks: '2', deviceName: 'Fake H200' },
    });
    expect(JSON.stringify(gpus)).not.toMatch(/GPU-0001|0000:10:00/);
    expect(gpus?.launches[0]?.ranks).toHaveLength(2);
  });

  test('trap 3: a library of another MPI is refused instead of running alone', { timeout: 60_000 }, () => {
    const { status, output } = run(2, [script('mismatch', '')], { AIBENCH_MPI_LIB: foreign });
    expect(status).not.toBe(0);
    expect(output).toMatch(/started 2 ranks, but .* sees 1|an MPI library is there but does not load|no MPI library/);
  });

  test('traps 2 and 5: UCX hooks are off, and leaving without MPI_Finalize is an error', { timeout: 60_000 }, () => {
    const body = `if (process.env.UCX_MEM_EVENTS !== 'n') throw new Error('hooks');
console.log('hooks are off'); process.exit(0);`;
    const { status, output } = run(2, [script('exit', body)]);
    expect(output).toMatch(/hooks are off/);
    expect(output).toMatch(/leaves the MPI job without finishing it/);
    expect(status).not.toBe(0);
  });

  test('trap 8: the job works with symbols made global, for plugins of Open MPI 3 and older', {
    timeout: 60_000,
  }, () => {
    const body = `if (rank > 0) await mpi.follow();
else {
  const problem = mpi.createCollective({ collective: 'allreduce', dtype: 'f32', op: 'sum', bytes: 4096, seed: 1 });
  await problem.prepare();
  console.log('verified ' + (await problem.runAndVerify()).passed + ' ' + size);
  mpi.endFollowers(0);
}
mpi.finalize();`;
    const { status, output } = run(2, [script('global', body)], { AIBENCH_MPI_SCOPE: 'global' });
    expect(output).toMatch(/verified true 2/);
    expect(status, output).toBe(0);
  });

  test('trap 6: a way to open the library that breaks Node is refused', { timeout: 60_000 }, () => {
    const { status, output } = run(1, [script('deepbind', '')], { AIBENCH_MPI_SCOPE: 'deepbind' });
    expect(status).not.toBe(0);
    expect(output).toMatch(/AIBENCH_MPI_SCOPE is "deepbind"/);
  });

  const isOpenMpi = launcher === 'mpirun.openmpi';
  if (isOpenMpi) {
    test('trap 4: root is refused unless it says so twice, in words of the launcher', { timeout: 60_000 }, () => {
      const { OMPI_ALLOW_RUN_AS_ROOT: _once, OMPI_ALLOW_RUN_AS_ROOT_CONFIRM: _twice, ...without } = environment;
      const started = spawnSync(launcher, [...flags, '-n', '1', process.execPath, '-e', ''], {
        env: without,
        encoding: 'utf8',
      });
      const isRoot = process.getuid?.() === 0;
      expect(started.status === 0, started.stderr).toBe(!isRoot);
      if (isRoot) expect(started.stderr).toMatch(/OMPI_ALLOW_RUN_AS_ROOT/);
    });

    test('trap 7: a transport that the library lacks is an error of the job, not a run of another kind', {
      timeout: 60_000,
    }, () => {
      const { status, output } = run(2, [script('pml', "console.log('joined', size); mpi.finalize();")], {
        OMPI_MCA_pml: 'no-such-layer',
      });
      expect(status).not.toBe(0);
      expect(output).not.toMatch(/joined/);
    });
  }

  test('a rank that makes another call is named, and nobody hangs', { timeout: 60_000 }, () => {
    const body = `if (rank > 0) { await mpi.follow(); mpi.finalize(); }
else {
  const problem = mpi.createCollective({ collective: 'allreduce', dtype: 'bf16', op: 'max', bytes: 4096, seed: 1 });
  await problem.prepare();
  const verified = await problem.runAndVerify();
  let unseen = '';
  for (const kind of problem.faultKinds()) {
    problem.injectFault(kind);
    if ((await problem.verify()).passed || !(await problem.runAndVerify()).passed) unseen += kind;
  }
  let mismatch = '';
  try { for (let i = 0; i < 9; i++) problem.injectFault('mismatch'); } catch (error) { mismatch = error.message; }
  console.log(JSON.stringify([verified.passed, unseen, mismatch]));
  mpi.endFollowers(0); mpi.finalize();
}`;
    const { status, output } = run(3, [script('fault', body)]);
    expect(status, output).toBe(0);
    expect(output).toMatch(/\[true,"","rank [0-2] on .* calls the collective with another count/);
  });

  for (const signal of ['SIGKILL', 'SIGSTOP'] as const) {
    test(`a rank that gets ${signal} ends the job soon; the document keeps what was measured, /dev/shm nothing`, {
      timeout: 90_000,
    }, async () => {
      const shared = (): string[] => readdirSync('/dev/shm').filter(name => !name.includes('aib')); // not the hosts of another test
      const before = shared();
      const file = path.join(folder, `${launcher}-${signal}.json`);
      const child = start(2, [path.join(root, 'bin', 'aibench.js'), 'run', suite, '--launches', '400', '-o', file]);
      let output = '';
      child.stdout?.on('data', chunk => (output += String(chunk)));
      child.stderr?.on('data', chunk => (output += String(chunk)));
      const ended = new Promise<number | null>(resolve => child.on('close', code => resolve(code)));
      const read = (): ResultDocument | null => {
        try {
          return JSON.parse(readFileSync(file, 'utf8')) as ResultDocument;
        } catch {
          return null;
        }
      };
      const measured = (): number | undefined =>
        read()?.cases[1]?.launches.filter(launch => launch.status === 'ok')[1]?.ranks?.[1]?.pid;
      while (measured() === undefined && child.exitCode === null) await sleep(50);
      const victim = measured() ?? 0;
      const begin = performance.now();
      process.kill(victim, signal);
      expect(await ended, output).not.toBe(0);
      expect((performance.now() - begin) / 1000).toBeLessThan(30);
      expect(read()?.cases[1]?.launches.filter(launch => launch.status === 'ok').length).toBeGreaterThanOrEqual(2);
      expect(output).toMatch(/rank 1|PID|exited on signal 9|BAD TERMINATION|KILLED/i);
      // A launcher sees a rank that dies; that one is stopped only aibench sees, and says in the document.
      if (signal === 'SIGSTOP') expect(JSON.stringify(read()?.cases)).toMatch(/rank 1 \(process \d+\) is stopped/);
      // The launcher may leave a moment before the last of its ranks.
      const left = (): string[] => [
        ...shared().filter(name => !before.includes(name)),
        ...(existsSync(`/proc/${victim}`) ? [`process ${victim}`] : []),
      ];
      for (let i = 0; i < 50 && left().length > 0; i++) await sleep(100);
      expect(left()).toEqual([]);
    });
  }
});

it('traps 1 and 6: the addon needs no MPI symbol at load, and looks symbols up in the library alone', () => {
  const { status, stdout } = spawnSync('nm', ['-D', '--undefined-only', addon], { encoding: 'utf8' });
  if (status !== 0) return; // no binutils: the loader has already proved it by loading the addon
  expect(stdout).not.toMatch(/MPI/);
});
