// Builds everything: the addon (unless it is newer than its sources, or --no-native is given) and the TypeScript.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const addon = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (entry.isFile())
      latest = Math.max(latest, statSync(path.join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return latest;
}

function step(args) {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

const isStale = !existsSync(addon) || statSync(addon).mtimeMs < newest(path.join(root, 'native'));
if (isStale && !process.argv.includes('--no-native')) step(['scripts/build-native.mjs']);
// The declarations alone: the code comes from the bundler, and `npm run lint` and `npm test` check the types.
rmSync(path.join(root, 'dist'), { recursive: true, force: true });
step(['node_modules/typescript/bin/tsc', '-p', 'tsconfig.build.json', '--noCheck']);
step(['scripts/bundle-code.mjs']);
step(['scripts/write-json-schema.mjs']);

let commit = null;
try {
  commit = execFileSync('git', ['rev-parse', 'HEAD'], {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }).trim();
} catch {
  // Not a clone: the build goes without a commit.
}
writeFileSync(path.join(root, 'dist', 'build-info.json'), `${JSON.stringify({ commit })}\n`);
