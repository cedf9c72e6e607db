// Packs a release: the main package, and the package of this platform with the prebuilt addon. Users compile and download
// nothing. `node scripts/pack-release.mjs <folder>` prints the two tarballs, one a line.

import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Platforms that a release is built for; each runs this script on its own machine and publishes its own package. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[2] ?? '.');
const platform = `${process.platform}-${process.arch}`;
const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const stage = mkdtempSync(path.join(os.tmpdir(), 'aibench-release-'));

function pack(folder) {
  const printed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], {
    cwd: folder,
    encoding: 'utf8',
  });
  console.log(path.join(out, printed.trim().split('\n').at(-1)));
}

function stageMain() {
  const folder = path.join(stage, 'main');
  mkdirSync(folder);
  for (const entry of manifest.files) cpSync(path.join(root, entry), path.join(folder, entry), { recursive: true });
  const { devDependencies, scripts, binary, allowScripts, ...published } = manifest;
  published.optionalDependencies = {
    ...manifest.optionalDependencies,
    ...Object.fromEntries(PLATFORMS.map(name => [`@aibench/native-${name}`, manifest.version])),
  };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  return folder;
}

function stagePlatform() {
  const folder = path.join(stage, 'platform');
  mkdirSync(folder);
  cpSync(path.join(root, `build-native-${platform}`, 'Release', 'aibench.node'), path.join(folder, 'aibench.node'));
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  const published = {
    name: `@aibench/native-${platform}`,
    version: manifest.version,
    description: `The native addon of aibench for ${platform}.`,
    license: manifest.license,
    os: [process.platform],
    cpu: [process.arch],
    ...(process.platform === 'linux' ? { libc: ['glibc'] } : {}),
    files: ['aibench.node', 'LICENSE'],
  };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
  return folder;
}

try {
  mkdirSync(out, { recursive: true });
  pack(stageMain());
  pack(stagePlatform());
} finally {
  rmSync(stage, { recursive: true, force: true });
}
