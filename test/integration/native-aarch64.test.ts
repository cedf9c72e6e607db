/** The NEON and SVE kernels and the core, cross-compiled and run under emulation: correctness only, no speed. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from 'vitest';
import { packageRoot } from '../../src/native/addon.ts';

const compiler = 'aarch64-linux-gnu-g++';
const emulator = 'qemu-aarch64';
const problemsAsked = process.env.AIBENCH_AARCH64_PROBLEMS;
const missing = [compiler, emulator, 'cmake'].filter(tool => spawnSync(tool, ['--version']).error !== undefined);
const reason = missing.length === 0 ? '' : ` (skipped: ${missing.join(', ')} not on PATH)`;

describe.skipIf(missing.length > 0)(`aarch64 under ${emulator}${reason}`, () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'aibench-aarch64-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}): string {
    const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
    expect(result.status, `${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`).toBe(0);
    return result.stdout;
  }

  // Emulation is some fifty times slower: fewer problems than on the host.
  const gemmTest = (cpu: string, environment: NodeJS.ProcessEnv = {}) =>
    run(emulator, ['-cpu', cpu, path.join(folder, 'test', 'gemm_test')], {
      AIBENCH_TEST_PROBLEMS: problemsAsked ?? '40',
      ...environment,
    });

  test('the core and every NEON, SVE and scalar kernel are right', {
    timeout: problemsAsked === undefined ? 300_000 : 7_200_000,
  }, () => {
    run('cmake', [
      '-S',
      path.join(packageRoot, 'native'),
      '-B',
      folder,
      '-DCMAKE_SYSTEM_NAME=Linux',
      '-DCMAKE_SYSTEM_PROCESSOR=aarch64',
      `-DCMAKE_CXX_COMPILER=${compiler}`,
      '-DCMAKE_EXE_LINKER_FLAGS=-static',
      // Emulated all the same: what counts is the time to compile, and lower tiles suffice unless the full check is asked for.
      `-DCMAKE_CXX_FLAGS_RELEASE=-O1${problemsAsked === undefined ? ' -DAIBENCH_LOW_TILES' : ''}`,
    ]);
    run('cmake', ['--build', folder, '--parallel', '2', '--target', 'core_test', 'gemm_test']);
    expect(run(emulator, [path.join(folder, 'test', 'core_test')])).toContain('core ok');
    // Its vectors of SVE have 512 bits unless it is told otherwise.
    const output = gemmTest('max') + gemmTest('max,sve-default-vector-length=32', { AIBENCH_TEST_ISA: 'sve256' });
    for (const kernel of [
      'f32_8x12_neon',
      'f64_8x6_neon',
      'bf16_8x12_neon',
      'f16_8x12_neon',
      's8_8x12_neondot',
      'u8_8x12_neondot',
      'bf16_8x12_neonbf16',
      's8_8x12_neoni8mm',
      'u8_8x12_neoni8mm',
      'f32_8x24_sve256',
      'f64_8x12_sve256',
      'f16_8x24_sve256',
      'f32_8x48_sve512',
      'f64_8x24_sve512',
      'bf16_8x48_sve512',
      'f16_8x48_sve512',
      's8_8x48_sve512',
      'u8_8x48_sve512',
      'f32_2x4_scalar',
      's8_2x4_scalar',
    ]) {
      expect(output).toContain(`${kernel} ok`);
    }
    // A kernel for one length must not be taken at another, nor any without SVE.
    for (const cpu of ['max,sve-default-vector-length=16', 'cortex-a72']) {
      const skipped = gemmTest(cpu, { AIBENCH_TEST_ISA: 'sve512' });
      expect(skipped).toContain('f32_8x48_sve512 skipped');
      expect(skipped).not.toContain(' ok');
      expect(gemmTest(cpu, { AIBENCH_TEST_ISA: 'sme512' })).not.toContain(' ok');
    }
  });

  const version = Number(
    /version (\d+)/.exec(spawnSync(emulator, ['--version'], { encoding: 'utf8' }).stdout ?? '')?.[1],
  );
  const broken = version < 9 ? ` (skipped: outer products of int8 are wrong in QEMU ${version}, right from 9 on)` : '';
  test.skipIf(broken !== '')(`every SME kernel is right${broken}`, { timeout: 300_000 }, () => {
    const cpu = 'max,sme-default-vector-length=64';
    const output = gemmTest(cpu, { AIBENCH_TEST_ISA: 'sme512' }) + gemmTest(cpu, { AIBENCH_TEST_ISA: 'sme512f64' });
    for (const kernel of ['f32', 'bf16', 'f16', 's8', 'u8']) expect(output).toContain(`${kernel}_32x32_sme512 ok`);
    expect(output).toContain('f64_16x16_sme512f64 ok');
  });
});
