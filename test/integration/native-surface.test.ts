import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { afterAll, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';

const addon = loadAddon();
const folder = fileURLToPath(new URL('../../src/native', import.meta.url));
const statements = ['types.ts', ...readdirSync(path.join(folder, 'types')).map(name => `types/${name}`)].flatMap(
  file => [
    ...ts.createSourceFile(file, readFileSync(path.join(folder, file), 'utf8'), ts.ScriptTarget.Latest).statements,
  ],
);

/** Names of the members of an exported interface, read from the files themselves: there is no second list to forget. */
function membersOf(interfaceName: string): string[] {
  const found = statements.find(s => ts.isInterfaceDeclaration(s) && s.name.text === interfaceName);
  if (found === undefined || !ts.isInterfaceDeclaration(found)) throw new Error(`no interface ${interfaceName}`);
  return found.members.map(member => {
    if (member.name === undefined || !ts.isIdentifier(member.name)) throw new Error('a member without a plain name');
    return member.name.text;
  });
}

const problem = addon.createGemm({ dtype: 'f32', m: 4, n: 4, k: 4, threads: 1, seed: 1 });
afterAll(() => problem.dispose());

test('the addon exports exactly the functions of NativeAddon', () => {
  const exported = Object.entries(addon).filter(([, value]) => typeof value === 'function');
  expect(exported.map(([name]) => name).sort()).toEqual(membersOf('NativeAddon').sort());
  expect(Object.keys(addon).length).toBe(exported.length);
});

test('a problem has exactly the methods of NativeProblem', () => {
  expect(Object.keys(problem).sort()).toEqual(membersOf('NativeProblem').sort());
});

test('records have exactly the fields of their interfaces', async () => {
  expect(Object.keys(addon.buildInfo()).sort()).toEqual(membersOf('BuildInfo').sort());
  expect(Object.keys(addon.buildInfo().kernels[0] ?? {}).sort()).toEqual(membersOf('KernelInfo').sort());
  expect(Object.keys(addon.cpuFeatures()).sort()).toEqual(membersOf('CpuFeatures').sort());
  expect(Object.keys(addon.clockInfo()).sort()).toEqual(membersOf('ClockInfo').sort());
  for (const peer of addon.gemmPeers()) expect(Object.keys(peer).sort()).toEqual(membersOf('GemmPeer').sort());
  for (const cache of addon.cpuCaches()) expect(Object.keys(cache).sort()).toEqual(membersOf('CpuCache').sort());
  await problem.prepare();
  expect(Object.keys(await problem.runAndVerify()).sort()).toEqual(membersOf('NativeVerification').sort());
  const measurement = await problem.measure({
    maxWarmupSeconds: 0.01,
    minSampleSeconds: 0.0001,
    targetSeconds: 0.001,
    minSamples: 2,
    maxSamples: 50,
  });
  expect(Object.keys(measurement).sort()).toEqual(membersOf('NativeMeasurement').sort());
});
