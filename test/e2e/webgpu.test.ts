/**
 * WebGPU on a software Vulkan from Debian, as a user runs it: lavapipe (mesa-vulkan-drivers 23 or newer, the CI's is of backports), or
 * SwiftShader that Chromium brings. Skipped, with the reason in the name, where there is neither.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { writeModel } from '../../src/models/onnx-writer.ts';
import { type CaseResult, resultSchema } from '../../src/results/schema.ts';
import { findOrt } from '../../src/runtime/ort.ts';
import { aibench, root, temporaryFolder } from '../support/cli.ts';

const DRIVERS = '/usr/share/vulkan/icd.d';
const CHROMIUM = '/usr/lib/chromium';
const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

/** A product that WebGPU has and an operator that it has not. */
function writeHalfSupported(): void {
  const graph = new GraphBuilder('hardmax', { seed: 1 });
  const x = graph.input('x', 'float32', [4, 64]);
  const product = graph.node('MatMul', [x, graph.weight('w', [64, 64], 0.1)]);
  graph.node('Hardmax', [product], { axis: 1 }, { outputs: ['y'] });
  graph.output('y', 'float32', [4, 64]);
  writeModel(graph, path.join(folder, 'hardmax.onnx'));
}

/** The environment in which ONNX Runtime finds a software adapter, or why there is none. */
function softwareVulkan(): { environment: Record<string, string> } | { reason: string } {
  if (findOrt().status !== 'ok') return { reason: 'onnxruntime-node is not installed' };
  const lavapipe = existsSync(DRIVERS) ? readdirSync(DRIVERS).find(name => name.startsWith('lvp_icd')) : undefined;
  const candidates = [
    ...(lavapipe === undefined ? [] : [{ VK_DRIVER_FILES: path.join(DRIVERS, lavapipe) }]),
    {
      VK_DRIVER_FILES: path.join(CHROMIUM, 'vk_swiftshader_icd.json'),
      LD_LIBRARY_PATH: [CHROMIUM, process.env.LD_LIBRARY_PATH ?? ''].filter(part => part !== '').join(':'),
    },
  ].filter(({ VK_DRIVER_FILES }) => existsSync(VK_DRIVER_FILES));
  const open = `require('onnxruntime-node').InferenceSession.create('hardmax.onnx', { executionProviders: ['webgpu'] })
    .then(() => process.exit(0), () => process.exit(1))`;
  for (const given of candidates) {
    const environment = { ...given, VK_ICD_FILENAMES: given.VK_DRIVER_FILES };
    const env = { ...process.env, ...environment, NODE_PATH: path.join(root, 'node_modules') };
    if (spawnSync(process.execPath, ['--eval', open], { cwd: folder, env, timeout: 30_000 }).status === 0) {
      return { environment };
    }
  }
  return {
    reason:
      candidates.length === 0
        ? 'no software Vulkan is installed (mesa-vulkan-drivers 23 or newer, or chromium)'
        : 'the software Vulkan that is installed is too old for WebGPU',
  };
}

writeHalfSupported();
const vulkan = softwareVulkan();
const note = 'reason' in vulkan ? ` (skipped: ${vulkan.reason})` : '';

describe.skipIf('reason' in vulkan)(`WebGPU on a software adapter${note}`, () => {
  let cases: CaseResult[] = [];
  beforeAll(() => {
    const suite = `
schema: aibench.suite/1
name: webgpu
summary: on a software adapter
launches: 1
idleSeconds: 0
observerPairs: 0
timing: { targetSeconds: 0.05, maxWarmupSeconds: 0.02, minSamples: 3 }
cases:
  - workload: inference
    backend: [ort-node, ort-native]
    params: { model: mlp-tiny, device: webgpu }
  - workload: inference
    params: { model: ./hardmax.onnx, device: webgpu }
    each: [{ cpuFallback: forbid }, { cpuFallback: allow }]
`;
    writeFileSync(path.join(folder, 'webgpu.yaml'), suite);
    const env = {
      ...('environment' in vulkan ? vulkan.environment : {}),
      AIBENCH_CACHE_DIR: path.join(folder, 'cache'),
    };
    const ran = aibench(['run', './webgpu.yaml', '-q', '-o', 'r.json'], { cwd: folder, env, timeoutSeconds: 110 });
    expect(ran.stderr).not.toMatch(/aibench:|dawn/i);
    cases = resultSchema.parse(JSON.parse(readFileSync(path.join(folder, 'r.json'), 'utf8'))).cases;
  }, 120_000);

  it.each([0, 1])('runs every node there, with both engines, and the output is right (%d)', index => {
    const { status, verification, facts } = cases[index] as CaseResult;
    expect(status).toBe('measured');
    expect(verification).toMatchObject({ passed: true });
    expect(facts).toMatchObject({ device: 'webgpu', cpuFallbackNodes: 0, cpuFallbackShare: 0 });
    expect(facts.providers).toMatch(/^WebGpuExecutionProvider \d+ nodes 100\.0 %$/);
  });

  it('names the adapter, and marks it as software', () => {
    for (const { facts, warnings } of cases) {
      expect(facts.adapter).toMatch(/llvmpipe|SwiftShader/);
      expect(facts.softwareAdapter).toBe(true);
      expect(warnings.map(({ code }) => code)).toContain('SOFTWARE_ADAPTER');
    }
  });

  it('a node that ran on the CPU makes the number invalid, or is counted where that is allowed', () => {
    const [forbidden, allowed] = cases.slice(2) as [CaseResult, CaseResult];
    expect(forbidden).toMatchObject({
      status: 'invalid',
      reason: expect.stringMatching(/ran on the CPU and not on webgpu/),
    });
    expect(allowed).toMatchObject({ status: 'measured', verification: { passed: true } });
    expect(allowed.facts.cpuFallbackNodes).toBe(1);
    expect(allowed.facts.cpuFallbackShare).toBeGreaterThan(0);
  });
});
