/** The inference workload as a launch runs it: compiled, with its session in a Worker. Bundled here, as the program is. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { NativeAddon } from '../../src/native/types.ts';
import type { inference as Inference } from '../../src/workloads/inference/workload.ts';
import type { LaunchContext } from '../../src/workloads/workload.ts';
import { root } from '../support/cli.ts';
import { ortSuite } from '../support/ort-suite.ts';

let cacheDir = '';
/** Two below the package, as in the program's bundle: paths relative to a module's own place hold. */
let bundles = '';
beforeAll(async () => {
  cacheDir = mkdtempSync(path.join(os.tmpdir(), 'aibench-worker-'));
  bundles = mkdtempSync(path.join(root, 'node_modules', '.worker-test-'));
  await build({
    entryPoints: {
      workload: 'src/workloads/inference/workload.ts',
      'session-worker': 'src/workloads/inference/session-worker.ts',
      registry: 'src/models/registry.ts',
      'model-cache': 'src/models/model-cache.ts',
    },
    absWorkingDir: root,
    outdir: bundles,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
});
afterAll(() => {
  for (const folder of [cacheDir, bundles]) rmSync(folder, { recursive: true });
});

function context(overrides: Partial<LaunchContext> = {}): LaunchContext {
  const createPeak = () => ({
    prepare: async () => {},
    measure: async () => ({ samplesSeconds: Float64Array.of(1), iterationsPerSample: 1 }),
    work: () => ({ flops: 1e12, bytes: 0, items: 0 }),
    dispose: () => {},
  });
  return {
    native: { createPeak } as unknown as NativeAddon,
    machine: { usableCores: 2, memoryBytes: 8 * 2 ** 30, caches: [] },
    seed: 3,
    timing: { maxWarmupSeconds: 0.2, minSampleSeconds: 0.001, targetSeconds: 0.5, minSamples: 5, maxSamples: 1000 },
    cacheDir,
    signal: new AbortController().signal,
    progress: () => {},
    ...overrides,
  };
}

async function load(): Promise<typeof Inference> {
  return (await import(pathToFileURL(path.join(bundles, 'workload.js')).href)).inference;
}

ortSuite('inference in a Worker', 'package', () => {
  it('walks ResNet-50 from nothing to verified samples, and the event loop stays free', async () => {
    const inference = await load();
    const seen: string[] = [];
    let ticks = 0;
    const clock = setInterval(() => {
      ticks += 1;
    }, 5);
    const params = inference.params.parse({ model: 'resnet50' });
    const launch = context({ progress: message => seen.push(message) });
    expect(await inference.supports(params, 'ort-node', launch.machine)).toEqual({ supported: true });
    const prepared = await inference.prepare(params, 'ort-node', launch);
    expect(prepared.facts).toMatchObject({ parameters: 25_557_032, macs: 4_089_184_256, threads: 2 });
    expect(await prepared.verify()).toMatchObject({ passed: true });
    ticks = 0;
    const measured = await prepared.measure();
    const [start, end] = measured.windowSeconds;
    expect(measured).toMatchObject({
      complete: true,
      iterationsPerSample: 1,
      work: { items: 1, flops: 2 * 4_089_184_256 },
      ceilings: { fma_flops_per_second: 1e12 },
    });
    expect(measured.samplesSeconds.length).toBeGreaterThanOrEqual(5);
    // A thread that computed here would leave one tick per inference at the most.
    expect(ticks).toBeGreaterThan((10 * (end - start)) / 0.5);
    expect(ticks).toBeGreaterThan(2 * measured.samplesSeconds.length);
    // How long is for `npm run bench:inference` to hold; that it was watched, and is shorter than the run, is seen here.
    expect(prepared.facts.eventLoopStallSeconds).toBeGreaterThanOrEqual(0);
    expect(prepared.facts.eventLoopStallSeconds).toBeLessThan(end - start);
    expect(await prepared.verifyTimed()).toMatchObject({ passed: true });
    await prepared.dispose();
    clearInterval(clock);
    expect(seen).toEqual(
      expect.arrayContaining([
        expect.stringMatching(/^generating resnet50 \(97\.\d MiB\)$/),
        'loading resnet50',
        'verifying',
        'warm-up',
      ]),
    );
  });

  it('ends early on Ctrl-C with what it has', async () => {
    const inference = await load();
    const controller = new AbortController();
    const timing = { ...context().timing, targetSeconds: 60, maxSamples: 10_000_000 };
    const params = inference.params.parse({ model: 'mlp-tiny' });
    const prepared = await inference.prepare(params, 'ort-node', context({ signal: controller.signal, timing }));
    await prepared.verify();
    setTimeout(() => controller.abort(), 800);
    const measured = await prepared.measure();
    expect(measured.complete).toBe(false);
    expect(measured.samplesSeconds.length).toBeGreaterThan(0);
    expect(await prepared.verifyTimed()).toMatchObject({ passed: true });
    await prepared.dispose();
  });

  it('hands errors over with code and remedy', async () => {
    const inference = await load();
    const params = inference.params.parse({ model: './no-such.onnx' });
    await expect(inference.prepare(params, 'ort-node', context())).rejects.toMatchObject({
      name: 'AibenchError',
      code: 'MODEL_NOT_FOUND',
      message: 'There is no model ./no-such.onnx.',
    });
  });

  it('lets two processes make the same model at once', async () => {
    const folder = path.join(cacheDir, 'shared');
    const module = (name: string): string => pathToFileURL(path.join(bundles, name)).href;
    const program = `
      const { findModel } = await import(${JSON.stringify(module('registry.js'))});
      const { ensureModel } = await import(${JSON.stringify(module('model-cache.js'))});
      const model = findModel('llama-15m');
      console.log(ensureModel(model, model.build(), ${JSON.stringify(folder)}).sha256);
    `;
    const digests = await Promise.all([1, 2, 3].map(() => output(['--input-type=module', '--eval', program])));
    expect(digests[0]).toMatch(/^[0-9a-f]{64}\n$/);
    expect(new Set(digests).size).toBe(1);
    expect(readdirSync(folder)).toHaveLength(2);
  });
});

function output(args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let text = '';
    child.stdout.on('data', chunk => {
      text += chunk;
    });
    child.on('close', status => (status === 0 ? resolve(text) : reject(new Error(`exit ${status}`))));
  });
}
