// Builds the addon with cmake-js, offline: headers come from node-api-headers and node-addon-api in node_modules.
// Output: build-native-<platform>-<arch>/Release/aibench.node. AIBENCH_NATIVE_BUILD_DIR names another folder.
// --copy-to=<folder> copies the addon there as well (binding.gyp); --tests builds the native tests too (`npm test` runs them);
// other arguments go to cmake-js.
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(
  root,
  process.env.AIBENCH_NATIVE_BUILD_DIR ?? `build-native-${process.platform}-${process.arch}`,
);

const copyOption = '--copy-to=';
const copyTo = process.argv.find(argument => argument.startsWith(copyOption))?.slice(copyOption.length);
const wantsTests = process.argv.includes('--tests');
const passedOn = process.argv.slice(2).filter(argument => !argument.startsWith(copyOption) && argument !== '--tests');

function need(command, packages) {
  if (spawnSync(command, ['--version'], { stdio: 'ignore' }).error) {
    console.error(`aibench: the native addon needs ${command}, which is not on PATH. Install it: ${packages}.`);
    process.exit(1);
  }
}
need('cmake', 'Debian and Ubuntu `apt-get install cmake`, Fedora `dnf install cmake`, macOS `brew install cmake`');
need(
  process.env.CXX ?? 'c++',
  'Debian and Ubuntu `apt-get install g++ make`, Fedora `dnf install gcc-c++ make`, macOS `xcode-select --install`',
);
need('make', 'Debian and Ubuntu `apt-get install make`, Fedora `dnf install make`, macOS `xcode-select --install`');

const cmakeJs = createRequire(import.meta.url).resolve('cmake-js/bin/cmake-js');
const environment = { ...process.env };
// A parent make's job server (node-gyp's) is not ours.
delete environment.MAKEFLAGS;
const args = [
  'compile',
  '--directory',
  path.join(root, 'native'),
  '--out',
  out,
  '--config',
  'Release',
  `--CDAIBENCH_BUILD_TESTS=${wantsTests ? 'ON' : 'OFF'}`,
  '--parallel',
  '2',
];
// cmake-js leaves the cache of a folder that was built before as it is: tests that were off then would stay off.
const cache = path.join(out, 'CMakeCache.txt');
if (wantsTests && existsSync(cache) && readFileSync(cache, 'utf8').includes('AIBENCH_BUILD_TESTS:BOOL=OFF')) {
  spawnSync('cmake', ['-DAIBENCH_BUILD_TESTS=ON', out], { env: environment, stdio: 'ignore' });
}
const result = spawnSync(process.execPath, [cmakeJs, ...args, ...passedOn], {
  cwd: root,
  env: environment,
  stdio: ['ignore', process.env.AIBENCH_BUILD_VERBOSE ? 'inherit' : 'pipe', 'pipe'],
  encoding: 'utf8',
});
if (result.status !== 0) {
  console.error(result.stdout ?? '', result.stderr ?? '');
  console.error('aibench: building the native addon failed; the compiler says why above.');
  process.exit(1);
}
const addon = path.join(out, 'Release', 'aibench.node');
if (copyTo !== undefined) {
  mkdirSync(copyTo, { recursive: true });
  copyFileSync(addon, path.join(copyTo, 'aibench.node'));
}
console.error(`built ${path.relative(root, addon)}`);
