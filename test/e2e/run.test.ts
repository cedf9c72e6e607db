import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { beforeAll, describe, expect, it } from 'vitest';
import { shareOfLimit, summarizeMetrics } from '../../src/analysis/summarize.ts';
import { type ResultDocument, resultSchema } from '../../src/results/schema.ts';
import { aibench, type Ran, root, startAibench, temporaryFolder, untilShown } from '../support/cli.ts';

const require = createRequire(import.meta.url);
const hasOrt = existsSync(path.join(root, 'node_modules', 'onnxruntime-node', 'package.json'));

function readDocument(file: string): ResultDocument {
  return resultSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
}

describe('aibench run smoke', () => {
  const folder = temporaryFolder();
  let ran: Ran;
  let document: ResultDocument;
  beforeAll(() => {
    ran = aibench(['run', 'smoke', '-o', 'r.json', '--seed', '42', '--launches', '2'], {
      cwd: folder,
      timeoutSeconds: 90,
    });
    document = readDocument(path.join(folder, 'r.json'));
  }, 100_000);

  it('ends with exit code 0, a table on stdout and progress on stderr', () => {
    expect(ran.status, ran.stderr).toBe(0);
    expect(ran.stdout).toMatch(/gemm f32 /);
    expect(ran.stderr).toMatch(/\[\d+\/\d+\]/);
    for (const line of ran.stdout.split('\n')) expect(line.length, line).toBeLessThanOrEqual(80);
  });

  it('leaves nothing but the document', () => {
    expect(readdirSync(folder)).toEqual(['r.json']);
  });

  it('writes a document that validates against the published JSON Schema', () => {
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(require(path.join(root, 'dist', 'result.schema.json')));
    validate(JSON.parse(readFileSync(path.join(folder, 'r.json'), 'utf8')));
    expect(validate.errors ?? []).toEqual([]);
  });

  it('measures and verifies every case', () => {
    const expected = hasOrt ? document.cases : document.cases.filter(item => item.workload !== 'inference');
    for (const { id, status, reason } of expected) {
      // On a busy machine the ceiling of a few milliseconds can come out too low: the rule then marks the case, as it must.
      if (status === 'invalid') expect(reason, id).toMatch(/ceiling/);
      else expect({ status, reason }, id).toEqual({ status: 'measured', reason: undefined });
    }
    for (const item of expected) {
      expect(item.verification?.passed, item.id).toBe(true);
      expect(item.launches, item.id).toHaveLength(2);
      expect(item.headline, item.id).not.toBeNull();
    }
  });

  it('keeps to physics: windows in order, samples inside them, rates below the ceiling', () => {
    for (const item of document.cases.filter(({ status }) => status === 'measured')) {
      for (const launch of item.launches) {
        const [start, end] = launch.windowSeconds ?? [0, 0];
        const total = launch.samplesSeconds.reduce((sum, sample) => sum + sample, 0);
        expect(end).toBeGreaterThan(start);
        expect(total, item.id).toBeLessThanOrEqual((end - start) * 1.001);
        expect(start).toBeGreaterThanOrEqual(document.run.startedSeconds);
      }
      if (item.limit !== null) expect(item.limit.fraction, item.id).toBeLessThanOrEqual(1);
    }
  });

  it('can be recomputed from what it holds', () => {
    for (const item of document.cases) {
      expect(summarizeMetrics(item.launches, Object.keys(item.metrics))).toEqual(item.metrics);
      if (item.limit !== null) {
        const metric =
          item.limit.name === 'algorithm_bandwidth_bound' ? 'algorithm_bandwidth_bytes_per_second' : 'flops_per_second';
        expect(shareOfLimit(item.launches, { ceiling: item.limit.name, metric })).toEqual(item.limit);
      }
    }
  });

  it('runs launches as separate processes in a seeded order', () => {
    const launches = document.cases.flatMap(item => item.launches);
    const pids = launches.map(({ pid }) => pid);
    expect(new Set(pids).size).toBe(pids.length);
    expect(document.run.seed).toBe(42);
  });

  it('says of every telemetry source what it is, or why it is not there', () => {
    expect(document.telemetry.sources.length).toBeGreaterThan(0);
    for (const source of document.telemetry.sources) {
      if (source.status !== 'ok') expect(source.reason, source.id).toBeTruthy();
    }
    const anyPower = document.telemetry.sources.some(
      ({ status, unit }) => status === 'ok' && (unit === 'J' || unit === 'W'),
    );
    if (!anyPower) expect(ran.stdout).toMatch(/no watts/);
  });
});

describe('--json', () => {
  it('prints the document alone on stdout', () => {
    const { status, stdout } = aibench(['run', 'smoke', '--filter', 'peak', '--json', '-o', 'r.json']);
    expect(status).toBe(0);
    expect(resultSchema.parse(JSON.parse(stdout)).cases).toHaveLength(2);
  });

  it('--dry-run --json lists cases and expected time, and writes nothing', () => {
    const folder = temporaryFolder();
    const { status, stdout } = aibench(['run', 'node', '--dry-run', '--json'], { cwd: folder });
    expect(status).toBe(0);
    const plan = JSON.parse(stdout) as { expectedSeconds: number; cases: { id: string }[] };
    expect(plan.expectedSeconds).toBeGreaterThan(60);
    expect(plan.cases.length).toBeGreaterThan(10);
    expect(readdirSync(folder)).toEqual([]);
  });
});

describe('what goes wrong is one clear sentence and the right exit code', () => {
  const suite = (cases: string): string => {
    const file = path.join(temporaryFolder(), 'my.yaml');
    writeFileSync(
      file,
      `schema: aibench.suite/1\nname: my\nsummary: mine\nlaunches: 1\nidleSeconds: 0\nobserverPairs: 0\ntiming: { targetSeconds: 0.02, maxWarmupSeconds: 0.02 }\ncases:\n${cases}`,
    );
    return file;
  };
  const gemm = '  - { workload: gemm, params: { m: 64, n: 64, k: 64, threads: 1 } }\n';

  it.each([
    ['an unknown suite', () => ['run', 'quik'], 2, /did you mean `quick`/],
    ['an unknown flag', () => ['run', '--lanches', '3'], 2, /launches/],
    [
      'a misspelt key',
      () => ['run', suite('  - { workload: gemm, parms: { m: 1, n: 1, k: 1 } }\n')],
      2,
      /my\.yaml:9:.*`parms`.*did you mean `params`/,
    ],
    [
      'a negative size',
      () => ['run', suite('  - { workload: gemm, params: { m: -1, n: 1, k: 1 } }\n')],
      2,
      /my\.yaml:9/,
    ],
    [
      'an output folder that is not there',
      () => ['run', 'smoke', '-o', 'no/such/r.json'],
      2,
      /its folder does not exist/,
    ],
    ['launches that are no number', () => ['run', '--launches', 'many'], 2, /whole number/],
    ['a filter that matches nothing', () => ['run', 'smoke', '--filter', 'tpu'], 2, /No case matches/],
    ['a model that is not there', () => ['run', 'smoke', '--model', 'no.onnx', '--filter', 'no.onnx'], 2, /no\.onnx/],
    [
      'a size beyond memory',
      () => ['run', suite('  - { workload: gemm, params: { m: 1000000, n: 1000000, k: 8, threads: 1 } }\n')],
      3,
      /GiB of memory/,
    ],
  ])('%s', (_name, args, status, message) => {
    const ran = aibench(args());
    expect(ran.status, ran.stderr).toBe(status);
    expect(`${ran.stderr}${ran.stdout}`.replace(/\s+/g, ' ')).toMatch(message);
    expect(ran.stderr).not.toMatch(/\n\s+at /);
  });

  it('an ISA that the CPU lacks fails the case, names those that it has, and exits 1', () => {
    const lacking = process.arch === 'arm64' ? 'avx512f' : 'neon';
    const ran = aibench(['run', suite(gemm)], { env: { AIBENCH_ISA: lacking } });
    expect(ran.status, ran.stderr).toBe(1);
    expect(ran.stdout).toContain(lacking);
    expect(ran.stdout).toMatch(/scalar/);
  });

  it('a misspelt ISA is not silently ignored', () => {
    expect(aibench(['run', suite(gemm)], { env: { AIBENCH_ISA: 'avx3' } }).status).toBe(1);
  });

  it('a device that is not there is skipped with a reason, and the rest is measured', () => {
    const ran = aibench([
      'run',
      suite(`${gemm}  - { workload: inference, params: { model: mlp-tiny, device: cuda } }\n`),
      '-o',
      'r.json',
      '--json',
    ]);
    expect(ran.status, ran.stderr).toBe(0);
    const { cases } = JSON.parse(ran.stdout) as ResultDocument;
    expect(cases.map(({ status }) => status)).toEqual(['measured', 'skipped']);
    expect(cases[1]?.reason).toMatch(/cuda/i);
  });

  it('a model that is not ONNX, empty or truncated fails its case and not the run', () => {
    if (!hasOrt) return;
    const folder = temporaryFolder();
    const models = {
      'text.onnx': Buffer.from('this is not a model at all, only text that somebody named .onnx'),
      'empty.onnx': Buffer.alloc(0),
      'truncated.onnx': Buffer.from([0x08, 0x0a, 0x3a, 0xff, 0xff, 0x03, 0x0a, 0x10]),
    };
    for (const [name, bytes] of Object.entries(models)) writeFileSync(path.join(folder, name), bytes);
    const named = Object.keys(models).flatMap(name => ['--model', name]);
    const ran = aibench(['run', suite(gemm), ...named, '-o', 'r.json', '--json'], { cwd: folder });
    expect(ran.status, ran.stderr).toBe(1);
    const [good, ...bad] = (JSON.parse(ran.stdout) as ResultDocument).cases;
    expect(good?.status).toBe('measured');
    expect(bad.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed']);
    for (const [index, name] of Object.keys(models).entries()) {
      expect(bad[index]?.reason).toContain(name);
      expect(bad[index]?.reason).not.toContain('\n');
    }
  });

  it('no addon: says how to get it, exit 3', () => {
    const ran = aibench(['run', 'smoke'], { env: { AIBENCH_ADDON: '/no/such/addon.node' } });
    expect(ran.status).toBe(3);
    expect(ran.stderr).toMatch(/AIBENCH_ADDON/);
  });

  it('a full disk is said, and the document that was there stays', () => {
    const folder = temporaryFolder();
    const mounted = spawnSync('unshare', ['--mount', 'true']).status === 0;
    if (!mounted) return;
    const script = `mount -t tmpfs -o size=64k tmpfs ${folder} && echo old > ${folder}/r.json && ${process.execPath} ${path.join(root, 'bin', 'aibench.js')} run smoke --filter gemm -o ${folder}/r.json; code=$?; cat ${folder}/r.json; ls ${folder} | wc -l; exit $code`;
    const { status, stdout, stderr } = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
      encoding: 'utf8',
      timeout: 60_000,
    });
    // The first checkpoints may still fit; what matters is that the file is whole and the fact is said.
    if (stderr.includes('the disk is full')) {
      expect(status).toBe(2);
      expect(stdout.trim().endsWith('1')).toBe(true);
    } else expect(status).toBe(0);
  });
});

describe('Ctrl-C', () => {
  it('keeps what is measured, marks the document and exits 130', async () => {
    const folder = temporaryFolder();
    const child = startAibench(['run', 'smoke', '--launches', '50', '-o', 'r.json'], { cwd: folder });
    await untilShown(child, '[5/');
    process.kill(-(child.pid ?? 0), 'SIGINT');
    const { status, stdout } = await child.ended;
    expect(status).toBe(130);
    const document = readDocument(path.join(folder, 'r.json'));
    expect(document.run.state).toBe('interrupted');
    expect(document.cases.some(item => item.status === 'measured')).toBe(true);
    expect(stdout).toMatch(/interrupted/);
    expect(readdirSync(folder)).toEqual(['r.json']);
  }, 60_000);
});

describe('two runs at once', () => {
  it('are noticed and warned about', async () => {
    const first = startAibench(['run', 'smoke', '--launches', '20', '-o', 'a.json']);
    await untilShown(first, '[1/');
    const second = aibench(['run', 'smoke', '--filter', 'peak', '-o', 'b.json', '--json']);
    process.kill(-(first.pid ?? 0), 'SIGINT');
    await first.ended;
    expect(second.status).toBe(0);
    expect((JSON.parse(second.stdout) as ResultDocument).warnings.map(({ code }) => code)).toContain('CONCURRENT_RUN');
    expect(second.stderr).toMatch(/another run of aibench/);
  }, 60_000);
});

describe('a crash in one launch', () => {
  it('costs that launch only', async () => {
    const folder = temporaryFolder();
    mkdirSync(path.join(folder, 'w'));
    const child = startAibench(
      [
        'run',
        'smoke',
        '--filter',
        'gemm/dtype=f32',
        '--launches',
        '4',
        '--set',
        'timing.targetSeconds=0.6',
        '--set',
        'timing.minSamples=400',
        '--set',
        'timing.maxSamples=4000',
        '-o',
        'r.json',
      ],
      {
        cwd: folder,
      },
    );
    await untilShown(child, '[1/');
    const victims = spawnSync('pgrep', ['-P', String(child.pid), '-f', 'launch-process'], { encoding: 'utf8' })
      .stdout.trim()
      .split('\n');
    // Between two launches there may be none for a moment.
    for (let tries = 0; victims[0] === '' && tries < 50; tries++) {
      await new Promise(resolve => setTimeout(resolve, 20));
      victims.splice(
        0,
        victims.length,
        ...spawnSync('pgrep', ['-P', String(child.pid), '-f', 'launch-process'], { encoding: 'utf8' })
          .stdout.trim()
          .split('\n'),
      );
    }
    process.kill(Number(victims[0]), 'SIGSEGV');
    const { status } = await child.ended;
    expect(status).toBe(0);
    const [item] = readDocument(path.join(folder, 'r.json')).cases;
    expect(item?.launches.map(launch => launch.status).sort()).toEqual(['failed', 'ok', 'ok', 'ok']);
    expect(item?.launches.find(launch => launch.status === 'failed')?.reason).toMatch(/SIGSEGV/);
    expect(item?.warnings.map(({ code }) => code)).toContain('LAUNCH_FAILED');
  }, 60_000);
});
