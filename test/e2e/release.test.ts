/** The released form: tarballs in an empty folder, nothing compiled or downloaded, no compiler on PATH. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { resultSchema } from '../../src/results/schema.ts';
import { root, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
const tarballs = path.join(folder, 'tarballs');
const home = path.join(folder, 'user');

/** PATH with Node and npm and a shell, without any compiler or CMake. */
const tools = path.join(folder, 'tools');

function pathWithoutCompilers(): string {
  mkdirSync(tools);
  for (const name of ['node', 'npm', 'npx', 'sh', 'env']) {
    const found = spawnSync('sh', ['-c', `command -v ${name}`], { encoding: 'utf8' }).stdout.trim();
    symlinkSync(found, path.join(tools, name));
  }
  return tools;
}

const environment = {
  HOME: home,
  npm_config_cache: path.join(folder, 'cache'),
  npm_config_offline: 'true',
  npm_config_update_notifier: 'false',
};

function inUserFolder(command: string, args: string[], PATH: string) {
  return spawnSync(command, args, { cwd: home, env: { ...environment, PATH }, encoding: 'utf8', timeout: 120_000 });
}

/** What the main package needs at run time, packed from node_modules: the test must not use the network. */
function packDependencies(): string[] {
  const packed: string[] = [];
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    const source = path.join(root, 'node_modules', name);
    const { dependencies = {} } = JSON.parse(readFileSync(path.join(source, 'package.json'), 'utf8')) as {
      dependencies?: Record<string, string>;
    };
    const { stdout } = spawnSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', tarballs], {
      cwd: source,
      encoding: 'utf8',
    });
    packed.push(path.join(tarballs, stdout.trim().split('\n').at(-1) ?? ''));
    Object.keys(dependencies).forEach(visit);
  };
  const { dependencies } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  Object.keys(dependencies).forEach(visit);
  return packed;
}

describe('the released packages', () => {
  let PATH: string;
  let main: string;

  beforeAll(() => {
    mkdirSync(tarballs);
    mkdirSync(home);
    PATH = pathWithoutCompilers();
    const { stdout, status, stderr } = spawnSync(
      process.execPath,
      [path.join(root, 'scripts', 'pack-release.mjs'), tarballs],
      { encoding: 'utf8' },
    );
    expect(status, stderr).toBe(0);
    const [first, platform] = stdout.trim().split('\n');
    main = first ?? '';
    inUserFolder('npm', ['init', '-y'], PATH);
    const installed = inUserFolder(
      'npm',
      ['install', '--no-audit', '--no-fund', '--omit=optional', main, platform ?? '', ...packDependencies()],
      PATH,
    );
    expect(installed.status, installed.stderr).toBe(0);
  }, 180_000);

  it('are small: the main package is under 2 MB', () => {
    expect(statSync(main).size).toBeLessThan(2_000_000);
  });

  it('hold no sources, tests or build scripts', () => {
    const files = readdirSync(path.join(home, 'node_modules', 'aibench'));
    expect(files.sort()).toEqual(['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'package.json', 'suites']);
  });

  it('give other programs the reading side', () => {
    const code = "import('aibench').then(m => console.log(m.SCHEMA_ID, m.resultSchema.safeParse({}).success))";
    const { stdout, stderr } = inUserFolder(process.execPath, ['-e', code], PATH);
    expect(stdout, stderr).toBe('aibench.result/1 false\n');
  });

  it('run without a compiler and without ONNX Runtime, which is said', () => {
    const ran = inUserFolder('npx', ['aibench', 'run', 'smoke', '-o', 'r.json'], PATH);
    expect(ran.status, ran.stderr).toBe(0);
    const document = resultSchema.parse(JSON.parse(readFileSync(path.join(home, 'r.json'), 'utf8')));
    const inference = document.cases.find(({ workload }) => workload === 'inference');
    expect(inference?.status).toBe('skipped');
    expect(inference?.remedy).toMatch(/npm install .*onnxruntime-node@\d/);
    expect(document.cases.filter(({ workload }) => workload !== 'inference').map(({ status }) => status)).not.toContain(
      'failed',
    );
    expect(document.tool.onnxruntime).toBeNull();
  }, 120_000);

  it('use ONNX Runtime where it is installed beside them', () => {
    const ort = path.join(root, 'node_modules', 'onnxruntime-node');
    if (!existsSync(ort)) return;
    for (const name of ['onnxruntime-node', 'onnxruntime-common']) {
      symlinkSync(path.join(root, 'node_modules', name), path.join(home, 'node_modules', name));
    }
    const ran = inUserFolder('npx', ['aibench', 'run', 'smoke', '--filter', 'inference', '-o', 'i.json'], PATH);
    expect(ran.status, ran.stderr).toBe(0);
    expect(resultSchema.parse(JSON.parse(readFileSync(path.join(home, 'i.json'), 'utf8'))).cases[0]?.status).toBe(
      'measured',
    );
  }, 120_000);
});
