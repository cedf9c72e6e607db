// `npm run test:sanitizers`: the products' native tests under AddressSanitizer and UndefinedBehaviorSanitizer, in a build of
// their own (build-native-sanitizers/). Takes several minutes, most of them to compile, so CI does not do it.
// Other tests by name: `npm run test:sanitizers -- memory_test collective_test`.
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = path.join(root, 'build-native-sanitizers');
const named = process.argv.slice(2);
const tests = named.length > 0 ? named : ['gemm_test', 'compressed_test', 'verification_test'];

function run(command, args) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit' });
  if (error !== undefined) console.error(`aibench: ${command} does not start: ${error.message}`);
  if (status !== 0) process.exit(1);
}

const parallel = String(os.availableParallelism());
run('cmake', ['-S', path.join(root, 'native'), '-B', folder, '-DAIBENCH_SANITIZE=ON', '-DCMAKE_CXX_FLAGS_RELEASE=-O1']);
run('cmake', ['--build', folder, '--parallel', parallel, '--target', ...tests]);
for (const test of tests) {
  console.log(test);
  run(path.join(folder, 'test', test), []);
}
