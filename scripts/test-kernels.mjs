// `npm run test:kernels [-- PROBLEMS]`: every GEMM kernel of every ISA that can be run or emulated here on PROBLEMS random problems
// (2000) each: natively, AVX-512 and AMX on emulated intrinsics, NEON and SVE under qemu-user. Tens of minutes, nearly all of them
// emulation, so CI runs the emulated ones on fewer. What is not there (SIMDe, a cross compiler, qemu) is named and left out.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const problems = process.argv[2] ?? '2000';
if (!/^[1-9]\d*$/.test(problems)) {
  console.error(`aibench: ${problems} is not a number of problems. Write, for instance, npm run test:kernels -- 2000.`);
  process.exit(2);
}

function run(name, command, args, environment) {
  const begin = process.hrtime.bigint();
  console.log(`${name}: ${problems} problems per kernel`);
  const { status, error } = spawnSync(command, args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, ...environment },
  });
  if (error !== undefined) console.error(`aibench: ${command} does not start: ${error.message}`);
  if (status !== 0) process.exit(1);
  console.log(`${name}: passed, ${Number((process.hrtime.bigint() - begin) / 1_000_000_000n)} s`);
}

const build = spawnSync(process.execPath, ['scripts/build-native.mjs', '--tests'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) process.exit(1);
const tests = path.join(root, `build-native-${process.platform}-${process.arch}`, 'test');
run('native', path.join(tests, 'gemm_test'), [], { AIBENCH_TEST_PROBLEMS: problems });
const emulated = path.join(tests, 'gemm_simde_test');
if (existsSync(emulated)) run('emulated intrinsics', emulated, [], { AIBENCH_TEST_PROBLEMS: problems });
else console.log('left out: AVX-512 and AMX, since SIMDe is not installed (Debian and Ubuntu: libsimde-dev)');
// Says by itself what is missing.
run('aarch64', process.execPath, ['node_modules/vitest/vitest.mjs', 'run', 'test/integration/native-aarch64.test.ts'], {
  AIBENCH_AARCH64_PROBLEMS: problems,
});
