// `npm run test:sanitizers`: native tests under sanitizers, in builds of their own (build-native-sanitizers/,
// build-native-tsan/): the products and the collectives under AddressSanitizer and UndefinedBehaviorSanitizer, the collectives and
// user-level threads under ThreadSanitizer. Takes many minutes, most of them to compile, so CI does not do it.
// Some tests, or one of the two: `npm run test:sanitizers -- address core_test`, `... -- thread`.
import { spawnSync } from 'node:child_process';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const KINDS = {
  address: {
    folder: 'build-native-sanitizers',
    tests: [
      'gemm_test',
      'compressed_test',
      'verification_test',
      'core_test',
      'collective_test',
      'collective_process_test',
    ],
    environment: {},
  },
  thread: {
    folder: 'build-native-tsan',
    tests: ['core_test', 'collective_test', 'collective_process_test', 'mpi_test'],
    environment: { TSAN_OPTIONS: 'die_after_fork=0 halt_on_error=1' },
  },
};
const words = process.argv.slice(2);
const kinds = Object.keys(KINDS).filter(kind => words.includes(kind));
const named = words.filter(word => !(word in KINDS));

function run(command, args, environment = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', env: { ...process.env, ...environment } });
  if (error !== undefined) console.error(`aibench: ${command} does not start: ${error.message}`);
  if (status !== 0) process.exit(1);
}

const parallel = String(os.availableParallelism());
for (const kind of kinds.length > 0 ? kinds : Object.keys(KINDS)) {
  const { folder, tests, environment } = KINDS[kind];
  const built = path.join(root, folder);
  const wanted = named.length > 0 ? named : tests;
  run('cmake', [
    ...['-S', path.join(root, 'native'), '-B', built],
    ...[`-DAIBENCH_SANITIZE=${kind}`, '-DCMAKE_CXX_FLAGS_RELEASE=-O1', '-DCMAKE_DISABLE_PRECOMPILE_HEADERS=ON'],
  ]);
  run('cmake', ['--build', built, '--parallel', parallel, '--target', ...wanted]);
  for (const test of wanted) {
    console.log(`${kind}: ${test}`);
    run(path.join(built, 'test', test), [], environment);
  }
}
