// `npm run bundle`: one archive for a host that has neither Node nor a network. It holds this Node, the addon, ONNX Runtime for the CPU,
// the suites and what they need; unpacked, `aibench` in it runs from any folder.
//
//   node scripts/bundle.mjs [--out <folder>] [--compression 0..9] [--gzip] [--node-license <file>]
//
// Prints the archive's path, size and SHA-256. --compression is xz's (default 9 with -e); --gzip is for hosts without xz.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { readFlags } from './flags.mjs';
import { newestGlibc } from './release/glibc.mjs';
import { copyDependencies, copyOnnxRuntime } from './release/node-modules.mjs';
import { manifest, platform, refuse, root, stageMain, stagePlatform } from './release/stage.mjs';

const MOST_BYTES = 64 * 2 ** 20;
const { values: options } = readFlags(import.meta.url, {
  options: {
    out: { type: 'string', default: '.' },
    compression: { type: 'string', default: '9' },
    gzip: { type: 'boolean', default: false },
    'node-license': { type: 'string' },
  },
});
if (!/^\d$/.test(options.compression)) refuse('--compression wants a digit.', 'Choose 0 (fast) to 9 (small).');
if (platform !== 'linux-x64')
  refuse(`The bundle is for linux-x64; this is ${platform}.`, 'Run it on an x86-64 Linux machine.');
for (const [tool, debian] of [['tar', 'tar'], options.gzip ? ['gzip', 'gzip'] : ['xz', 'xz-utils']]) {
  if (spawnSync(tool, ['--version']).error)
    refuse(
      `The bundle needs ${tool}, which is not on PATH.`,
      `Debian and Ubuntu: apt-get install ${debian}; Fedora: dnf install ${tool}.`,
    );
}

/** Node's own licence, which a copy of Node must be accompanied by. */
function nodeLicense() {
  const node = path.dirname(process.execPath);
  const usual = [
    path.join(node, '..', 'LICENSE'),
    path.join(node, '..', 'share', 'doc', 'nodejs', 'LICENSE'),
    '/usr/share/doc/nodejs/copyright',
  ];
  const named = options['node-license'];
  const found = (named === undefined ? usual : [named]).find(file => existsSync(file));
  if (found === undefined)
    refuse(
      `The licence of Node is not at ${(named === undefined ? usual : [named]).join(', ')}.`,
      'Name the LICENSE file of this Node with --node-license.',
    );
  return found;
}

function copyNode(folder) {
  mkdirSync(folder);
  const node = path.join(folder, 'node');
  copyFileSync(process.execPath, node);
  chmodSync(node, 0o755);
  // An eighth smaller; a strip that spoils it is undone.
  if (spawnSync('strip', [node]).status !== 0 || spawnSync(node, ['--version']).status !== 0)
    copyFileSync(process.execPath, node);
  return node;
}

function commitSeconds() {
  const { stdout, status } = spawnSync('git', ['log', '-1', '--format=%ct'], { cwd: root, encoding: 'utf8' });
  return status === 0 ? stdout.trim() : String(Math.floor(statSync(path.join(root, 'package.json')).mtimeMs / 1000));
}

function filesUnder(folder, pattern) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter(name => pattern.test(name))
    .map(name => path.join(folder, name));
}

/** Fills `folder` with what is packed. */
function fill(folder) {
  const app = path.join(folder, 'app');
  stageMain(app);
  stagePlatform(path.join(app, 'node_modules', '@aibench', `native-${platform}`));
  const packages = [...copyDependencies(app), ...copyOnnxRuntime(app)];
  const node = copyNode(path.join(folder, 'node'));
  const glibc = newestGlibc([node, ...filesUnder(app, /\.node$|\.so(\.\d+)*$/)]);
  const { commit } = JSON.parse(readFileSync(path.join(app, 'dist', 'build-info.json'), 'utf8'));
  const about = {
    name: manifest.name,
    version: manifest.version,
    commit,
    platform,
    node: process.version,
    glibc,
    packages,
  };
  writeFileSync(path.join(folder, 'bundle.json'), `${JSON.stringify(about, null, 2)}\n`);

  const launcher = readFileSync(path.join(root, 'scripts', 'release', 'aibench.sh'), 'utf8');
  writeFileSync(
    path.join(folder, 'aibench'),
    launcher.replaceAll('@GLIBC@', glibc).replaceAll('@MINOR@', glibc.split('.')[1]),
  );
  chmodSync(path.join(folder, 'aibench'), 0o755);
  mkdirSync(path.join(folder, 'tools'));
  for (const file of ['find-peak.mjs', 'flags.mjs'])
    copyFileSync(path.join(root, 'scripts', file), path.join(folder, 'tools', file));

  const licenses = path.join(folder, 'licenses');
  mkdirSync(licenses);
  copyFileSync(path.join(root, 'LICENSE'), path.join(licenses, 'Apache-2.0.txt'));
  copyFileSync(nodeLicense(), path.join(licenses, 'node.txt'));
  copyFileSync(
    path.join(root, 'scripts', 'release', 'onnxruntime-LICENSE.txt'),
    path.join(licenses, 'onnxruntime.txt'),
  );
  const rows = [
    `aibench ${manifest.version}: ${manifest.license} (Apache-2.0.txt)`,
    `Node ${process.version}: node.txt`,
  ];
  for (const { name, version, license } of packages)
    rows.push(
      `${name} ${version}: ${license} (${name.startsWith('onnxruntime') ? 'onnxruntime.txt' : `app/node_modules/${name}`})`,
    );
  rows.push('Code compiled into aibench: app/dist/THIRD-PARTY-LICENSES.txt');
  writeFileSync(path.join(licenses, 'README.txt'), `${rows.join('\n')}\n`);
}

const name = `${manifest.name}-${manifest.version}-${platform}`;
const out = path.resolve(options.out);
const archive = path.join(out, `${name}.tar.${options.gzip ? 'gz' : 'xz'}`);
const stage = mkdtempSync(path.join(os.tmpdir(), 'aibench-bundle-'));
try {
  fill(path.join(stage, name));
  mkdirSync(out, { recursive: true });
  const compressor = options.gzip
    ? `gzip -${Math.max(1, Number(options.compression))}`
    : `xz -T0 -${options.compression}${options.compression === '9' ? 'e' : ''}`;
  execFileSync(
    'tar',
    [
      '--sort=name',
      '--owner=0',
      '--group=0',
      '--numeric-owner',
      `--mtime=@${commitSeconds()}`,
      '-I',
      compressor,
      '-cf',
      archive,
      '-C',
      stage,
      name,
    ],
    { stdio: ['ignore', 'inherit', 'inherit'] },
  );
  const { size } = statSync(archive);
  console.log(`${archive}\n${size} bytes\nsha256 ${createHash('sha256').update(readFileSync(archive)).digest('hex')}`);
  if (size > MOST_BYTES && Number(options.compression) >= 6)
    refuse(`The archive has ${size} bytes; a bundle may have ${MOST_BYTES}.`, 'Find what grew with `tar tvf`.');
} finally {
  rmSync(stage, { recursive: true, force: true });
}
