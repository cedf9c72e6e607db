/** The products under AddressSanitizer and UndefinedBehaviorSanitizer: the scalar kernels and those of every ISA that this CPU has. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'aibench-sanitizers-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Whether the compiler links a program with both sanitizers. */
function sanitizers(): boolean {
  const source = path.join(folder, 'empty.cc');
  writeFileSync(source, 'int main() {}\n');
  const flags = ['-fsanitize=address,undefined', source, '-o', path.join(folder, 'empty')];
  return spawnSync(process.env.CXX ?? 'c++', flags).status === 0;
}
const missing = spawnSync('cmake', ['--version']).error !== undefined || !sanitizers();
const reason = missing ? ' (skipped: no cmake, or no sanitizers beside the C++ compiler)' : '';

describe.skipIf(missing)(`sanitizers${reason}`, () => {
  function run(command: string, args: string[], environment: NodeJS.ProcessEnv = {}): string {
    const result = spawnSync(command, args, { encoding: 'utf8', env: { ...process.env, ...environment } });
    expect(result.status, `${command} ${args.join(' ')}\n${result.stdout}${result.stderr}`).toBe(0);
    return result.stdout;
  }

  test('products read and write where they may, and nothing undefined', { timeout: 600_000 }, () => {
    const kernels = loadAddon()
      .buildInfo()
      .kernels.filter(({ supported }) => supported);
    const isas = [...new Set(kernels.map(({ isa }) => isa))].filter(isa => isa !== 'scalar');
    run('cmake', [
      ...['-S', path.join(packageRoot, 'native'), '-B', folder, '-DAIBENCH_SANITIZE=address'],
      `-DAIBENCH_GEMM_ISAS=${isas.join(';')}`,
      // What counts is the time to compile. `npm run test:sanitizers` has all tiles, optimised.
      '-DCMAKE_CXX_FLAGS_RELEASE=-O0 -DAIBENCH_LOW_TILES',
      '-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON',
    ]);
    run('cmake', ['--build', folder, '--parallel', '2', '--target', 'gemm_test']);
    const output = run(path.join(folder, 'test', 'gemm_test'), [], { AIBENCH_TEST_PROBLEMS: '500' });
    for (const { name } of kernels) expect(output).toContain(`${name} ok`);
  });
});
