// `npm test`: builds, checks style and types, runs all tests, and ends with a line `N passed, N failed`.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const report = path.join(os.tmpdir(), `aibench-test-${process.pid}.json`);
const only = process.argv.slice(2);

function run(args) {
  return spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' }).status ?? 1;
}

/** Side by side: none of them keeps two cores busy. The first that fails ends the run. */
async function required(steps) {
  await Promise.all(
    steps.map(async ([name, ...args]) => {
      const [status] = await once(spawn(process.execPath, args, { cwd: root, stdio: 'inherit' }), 'close');
      if (status === 0) return;
      console.error(`aibench: ${name} failed; no test was run.`);
      process.exit(status ?? 1);
    }),
  );
}

const checks = [
  ['the style check', 'node_modules/@biomejs/biome/bin/biome', 'check', '.'],
  ['the type check', 'node_modules/typescript/bin/tsc', '-p', 'tsconfig.json', '--noEmit'],
];
await required([['the native build', 'scripts/build-native.mjs', '--tests']]);
await required([['the build', 'scripts/build.mjs', '--no-native'], ...(only.length === 0 ? checks : [])]);
const status = run([
  'node_modules/vitest/vitest.mjs',
  'run',
  '--reporter=default',
  '--reporter=json',
  `--outputFile.json=${report}`,
  ...only,
]);
try {
  const { numPassedTests, numFailedTests, numPendingTests, numFailedTestSuites } = JSON.parse(
    readFileSync(report, 'utf8'),
  );
  // A file that does not even load has no failed test of its own.
  const failed = numFailedTests > 0 || status === 0 ? numFailedTests : Math.max(1, numFailedTestSuites);
  console.log(`${numPassedTests} passed, ${failed} failed${numPendingTests > 0 ? `, ${numPendingTests} skipped` : ''}`);
} finally {
  rmSync(report, { force: true });
}
process.exit(status);
