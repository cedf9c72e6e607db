import { spawnSync } from 'node:child_process';
import path from 'node:path';
import { describe, expect, test } from 'vitest';

const scripts = path.resolve('scripts');

function run(name: string, flag: string) {
  return spawnSync(process.execPath, [path.join(scripts, name), flag], { encoding: 'utf8' });
}

describe('flags of scripts', () => {
  test('a flag that there is not ends a script with one sentence and exit code 2', () => {
    const { status, stderr, stdout } = run('bench-gemm.mjs', '--nope');
    expect({ status, stdout, stderr }).toEqual({
      status: 2,
      stdout: '',
      stderr: "aibench: Unknown option '--nope'. --help shows what there is.\n",
    });
  });

  test.each(['bench-gemm.mjs', 'bench-gate.mjs', 'find-peak.mjs'])(
    '%s --help says what it is for and how to call it',
    name => {
      const { status, stdout, stderr } = run(name, '--help');
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
      expect(stdout).toMatch(/node scripts\/|npm run bench:/);
    },
  );
});
