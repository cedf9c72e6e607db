// Packs a release: the main package, and the package of this platform with the prebuilt addon. Users compile and download
// nothing. `node scripts/pack-release.mjs <folder>` prints the two tarballs, one a line.

import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { stageMain, stagePlatform } from './release/stage.mjs';

const out = path.resolve(process.argv[2] ?? '.');
const stage = mkdtempSync(path.join(os.tmpdir(), 'aibench-release-'));

function pack(name, fill) {
  const folder = path.join(stage, name);
  fill(folder);
  const printed = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', out], {
    cwd: folder,
    encoding: 'utf8',
  });
  console.log(path.join(out, printed.trim().split('\n').at(-1)));
}

try {
  mkdirSync(out, { recursive: true });
  pack('main', stageMain);
  pack('platform', stagePlatform);
} finally {
  rmSync(stage, { recursive: true, force: true });
}
