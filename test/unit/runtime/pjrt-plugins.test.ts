import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { pjrtPlugins } from '../../../src/runtime/pjrt-plugins.ts';

const root = mkdtempSync(path.join(os.tmpdir(), 'aibench-pjrt-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function put(...parts: string[]): string {
  const file = path.join(root, ...parts);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, '');
  return file;
}
const roots = (environment: NodeJS.ProcessEnv = {}) => ({ environment, root, home: path.join(root, 'home') });

test('nothing where nothing is', () => {
  expect(pjrtPlugins(roots())).toEqual([]);
});

test("Python's packages and the system's folders, ASICs before GPUs", () => {
  const site = ['venv', 'lib', 'python3.12', 'site-packages'];
  const cuda = put(...site, 'jax_plugins', 'xla_cuda12', 'xla_cuda_plugin.so');
  const tenstorrent = put(...site, 'pjrt_plugin_tt', 'pjrt_plugin_tt.so');
  const tpu = put('lib', 'libtpu.so');
  put(...site, 'elsewhere', 'libtpu.so');
  expect(pjrtPlugins(roots({ VIRTUAL_ENV: path.join(root, 'venv') }))).toEqual([tpu, tenstorrent, cuda]);
});

test('a variable names the one that is meant, there or not', () => {
  expect(pjrtPlugins(roots({ AIBENCH_PJRT_PLUGIN: '/opt/mine.so' }))).toEqual(['/opt/mine.so']);
});
