// The packages that the built code uses, copied without what only developers read.
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { manifest, refuse, root } from './stage.mjs';

const here = createRequire(path.join(root, 'package.json'));
const isWanted = file => !/\.(map|md|markdown|d\.[cm]?ts|flow)$/i.test(file) && !/(^|\/)(src|test|tests)$/.test(file);

function folderOf(name) {
  const folder = path.join(root, 'node_modules', name);
  if (!existsSync(folder)) refuse(`node_modules/${name} is not there.`, 'Run `npm ci` first.');
  return folder;
}

const manifestOf = name => JSON.parse(readFileSync(path.join(folderOf(name), 'package.json'), 'utf8'));

/**
 * Copies the packages that are not compiled into dist, and theirs, into `app`/node_modules.
 * @returns {{ name: string, version: string, license: string }[]}
 */
export function copyDependencies(app) {
  const pending = Object.keys(manifest.dependencies);
  const copied = new Map();
  while (pending.length > 0) {
    const name = pending.pop();
    if (copied.has(name)) continue;
    const { version, license, dependencies = {} } = manifestOf(name);
    const source = folderOf(name);
    cpSync(source, path.join(app, 'node_modules', name), {
      recursive: true,
      filter: file => isWanted(path.relative(source, file)),
    });
    copied.set(name, { name, version, license });
    pending.push(...Object.keys(dependencies));
  }
  return [...copied.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * Copies onnxruntime-node with the binary of this platform alone and without GPU libraries. Its other dependencies serve its install
 * script, which fetches those; they stay away.
 */
export function copyOnnxRuntime(app) {
  try {
    here.resolve('onnxruntime-node/package.json');
  } catch {
    refuse('onnxruntime-node is not installed.', 'Run `npm install --ignore-scripts` first.');
  }
  const binaries = path.join('bin', 'napi-v6', process.platform, process.arch);
  const target = path.join(app, 'node_modules', 'onnxruntime-node');
  const source = folderOf('onnxruntime-node');
  mkdirSync(path.join(target, binaries), { recursive: true });
  cpSync(path.join(source, 'package.json'), path.join(target, 'package.json'));
  cpSync(path.join(source, 'dist'), path.join(target, 'dist'), { recursive: true, filter: isWanted });
  for (const file of readdirSync(path.join(source, binaries))) {
    if (/^(libonnxruntime\.so(\.\d+)*|onnxruntime_binding\.node)$/.test(file))
      cpSync(path.join(source, binaries, file), path.join(target, binaries, file));
  }
  cpSync(folderOf('onnxruntime-common'), path.join(app, 'node_modules', 'onnxruntime-common'), {
    recursive: true,
    filter: isWanted,
  });
  return ['onnxruntime-node', 'onnxruntime-common'].map(name => {
    const { version, license } = manifestOf(name);
    return { name, version, license };
  });
}
