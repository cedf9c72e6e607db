/** The listing of Vulkan's adapters through a stand-in loader (native/test/fake_vulkan.cc), compiled here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import { root, temporaryFolder } from '../support/cli.ts';

const compiler = process.env.CXX ?? 'c++';
const missing = spawnSync(compiler, ['--version']).error !== undefined;
const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

describe('probeVulkan', () => {
  it.skipIf(missing)('gives names and kinds in the order of the loader', () => {
    const library = path.join(folder, 'vulkan.so');
    const source = path.join(root, 'native', 'test', 'fake_vulkan.cc');
    execFileSync(compiler, ['-std=c++20', '-shared', '-fPIC', '-w', source, '-o', library]);
    expect(loadAddon().probeVulkan(library)).toEqual([
      { name: 'Fake Integrated Graphics', kind: 'integrated' },
      { name: 'llvmpipe (fake)', kind: 'cpu' },
    ]);
  });

  it('says what is missing, with a remedy', () => {
    const probe = (library: string): unknown => loadAddon().probeVulkan(library);
    expect(() => probe('/no/such/vulkan.so')).toThrow(
      expect.objectContaining({ code: 'VULKAN_ABSENT', remedy: expect.stringContaining('libvulkan1') }),
    );
    if (process.platform === 'linux') expect(() => probe('libm.so.6')).toThrow(/is no Vulkan loader/);
  });
});
