/** The engine on ONNX Runtime's C API: the same outputs as onnxruntime-node, no copies, a KV cache that stays in place. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { LLAMA_15M, llamaTokens, prefillInputs } from '../../src/models/llama.ts';
import { ensureModel } from '../../src/models/model-cache.ts';
import { writeModel } from '../../src/models/onnx-writer.ts';
import { findModel } from '../../src/models/registry.ts';
import type { NamedTensors } from '../../src/models/tensor.ts';
import { loadAddon } from '../../src/native/addon.ts';
import { findOrt, ortLibrary } from '../../src/runtime/ort.ts';
import { FAULTS, tensorError } from '../../src/workloads/inference/compare.ts';
import type { Engine, SessionOptions } from '../../src/workloads/inference/engine.ts';
import { type EngineName, openEngine } from '../../src/workloads/inference/engines.ts';
import { inferenceParams } from '../../src/workloads/inference/params.ts';
import { createSessionHost } from '../../src/workloads/inference/session-host.ts';
import { ortSuite } from '../support/ort-suite.ts';

const ort = findOrt();
const options: SessionOptions = { device: 'cpu', threads: 1, spinning: false, optimise: true };
const timing = { maxWarmupSeconds: 0.02, minSampleSeconds: 0.001, targetSeconds: 0.05, minSamples: 5, maxSamples: 500 };

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-native-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string): string {
  const model = findModel(name);
  if (model === undefined) throw new Error(`no ${name}`);
  return ensureModel(model, model.build(), folder).path;
}

function write(name: string, build: (graph: GraphBuilder) => void): string {
  const graph = new GraphBuilder('own', { seed: 1 });
  build(graph);
  const at = path.join(folder, name);
  writeModel(graph, at);
  return at;
}

ortSuite('ort-native', 'library', () => {
  let engine: Engine;
  beforeAll(() => {
    engine = openEngine('ort-native');
  });

  it('is the library that onnxruntime-node brings, and describes a model as that does', async () => {
    expect(engine.version).toBe(ort.status === 'ok' ? ort.version : '');
    const native = await engine.open(file('llama-15m'), options);
    const node = await openEngine('ort-node').open(file('llama-15m'), options);
    expect(native.inputs).toEqual(node.inputs);
    expect(native.outputs).toEqual(node.outputs);
    await native.release();
    await node.release();
  });

  it.each(['mlp-tiny', 'llama-15m'])('%s: gives what ort-node gives', async name => {
    const model = findModel(name);
    if (model === undefined) throw new Error(`no ${name}`);
    const inputs: NamedTensors =
      model.kind === 'decoder'
        ? prefillInputs(model.config, llamaTokens(model.config, 2, 9, 3))
        : model.inputs({ batch: 2, sequence: 1 }, 3);
    const outputs: NamedTensors[] = [];
    for (const backend of ['ort-node', 'ort-native'] as const) {
      const session = await openEngine(backend).open(file(name), options);
      const { type = '', dims = [], data = [] } = (await session.bind(inputs, [model.output])())[model.output] ?? {};
      outputs.push({ [model.output]: { type, dims: [...dims], data } });
      await session.release();
    }
    const [expected, actual] = outputs.map(one => one[model.output]);
    if (expected === undefined) throw new Error('no output');
    expect(actual?.dims).toEqual(expected.dims);
    expect(tensorError(actual, expected)).toBeLessThan(1e-6);
  });

  it('copies no output: the array is the buffer that each run writes, and input arrays may be changed in place', async () => {
    const model = write('add.onnx', graph => {
      graph.node('Add', [graph.input('x', 'float32', ['n']), graph.scalar(1)], {}, { outputs: ['y'] });
      graph.output('y', 'float32', ['n']);
    });
    const session = await engine.open(model, options);
    const data = Float32Array.of(1, 2, 3);
    const run = session.bind({ x: { type: 'float32', dims: [3], data } }, ['y']);
    expect(run.firstSeconds).toBeGreaterThan(0);
    const first = (await run()).y?.data as Float32Array;
    expect([...first]).toEqual([2, 3, 4]);
    data[0] = 10;
    const second = (await run()).y?.data;
    expect(second).toBe(first);
    expect([...first]).toEqual([11, 3, 4]);
    data[0] = 20;
    expect(run.time?.(3)).toBeGreaterThan(0);
    expect([...first]).toEqual([21, 3, 4]);
    await session.release();
    // What was handed out stays readable; what needs the session says that it is gone.
    expect([...first]).toEqual([21, 3, 4]);
    await expect(run()).rejects.toThrow('the session is released');
  });

  it('keeps a KV cache in place: a generation on shared buffers is a prefill of the same text', async () => {
    const session = await engine.open(file('llama-15m'), options);
    const { layers, kvHeads, hidden, heads } = LLAMA_15M;
    const [text = []] = llamaTokens(LLAMA_15M, 1, 12, 5);
    const capacity = 16;
    const shared: Record<string, string> = {};
    const inputs: NamedTensors = {
      input_ids: { type: 'int64', dims: [1, 1], data: BigInt64Array.of(BigInt(text[0] ?? 0)) },
      seqlens_k: { type: 'int32', dims: [1], data: Int32Array.of(0) },
      total_sequence_length: { type: 'int32', dims: [1], data: Int32Array.of(1) },
    };
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ['key', 'value']) {
        const dims = [1, kvHeads, capacity, hidden / heads];
        inputs[`past.${layer}.${part}`] = {
          type: 'float32',
          dims,
          data: new Float32Array(dims.reduce((a, b) => a * b)),
        };
        shared[`present.${layer}.${part}`] = `past.${layer}.${part}`;
      }
    }
    const step = session.bindShared?.(inputs, ['logits', ...Object.keys(shared)], shared);
    if (step === undefined) throw new Error('cannot share');
    let logits: NamedTensors = {};
    text.forEach((token, index) => {
      (inputs.input_ids?.data as BigInt64Array)[0] = BigInt(token);
      (inputs.seqlens_k?.data as Int32Array)[0] = index;
      (inputs.total_sequence_length?.data as Int32Array)[0] = index + 1;
      step.time?.(1);
      logits = step.outputs?.() ?? {};
    });
    expect(Object.keys(logits)).toEqual(['logits']);
    const whole = await session.bind(prefillInputs(LLAMA_15M, [text]), ['logits'])();
    const expected = whole.logits;
    if (expected === undefined) throw new Error('no logits');
    expect(tensorError(logits.logits, expected)).toBeLessThan(1e-4);
    await session.release();
  });

  it.each([
    [{ model: 'mlp-tiny', batch: 3 }, 'FusedGemm'],
    [{ model: 'llama-15m', precision: 'int4', sequence: 4 }, 'MatMulNBits'],
    [{ model: 'mlp-tiny', scenario: 'single-stream' }, 'FusedGemm'],
  ])('walks %j: loads, verifies, proves, measures, verifies what was timed', async (raw, operator) => {
    const host = nativeHost(raw);
    expect((await host.load()).facts).toMatchObject({ engine: 'ort-native' });
    expect(await host.verify()).toMatchObject({ passed: true });
    const measured = await host.measure(timing);
    expect(measured.samplesSeconds.length).toBeGreaterThanOrEqual(timing.minSamples);
    expect(measured.samplesSeconds.every(sample => sample > 0)).toBe(true);
    expect(measured.facts.timeByOperator).toContain(operator);
    expect(await host.verifyTimed()).toMatchObject({ passed: true });
    await host.dispose();
  });

  it.each(['ort-node', 'ort-native'] as const)(
    '%s: generates, and ends where a prefill of the same text ends',
    async name => {
      const raw = { model: 'llama-15m', mode: 'generate', batch: 2, sequence: 5, newTokens: 6 };
      const host = nativeHost(raw, name);
      const { work } = await host.load();
      expect(work).toMatchObject({ tokens: 12, items: 2 });
      expect(await host.verify()).toMatchObject({ passed: true, tolerance: 1e-4 });
      const measured = await host.measure({ ...timing, maxSamples: 6 });
      const { samplesSeconds, tokenTimes, facts } = measured;
      expect(samplesSeconds.length).toBeGreaterThanOrEqual(timing.minSamples);
      expect(tokenTimes?.firstTokenSeconds).toHaveLength(samplesSeconds.length);
      expect(tokenTimes?.interTokenSeconds).toHaveLength(5 * samplesSeconds.length);
      const parts = [...(tokenTimes?.firstTokenSeconds ?? []), ...(tokenTimes?.interTokenSeconds ?? [])];
      const sum = (values: number[]): number => values.reduce((total, value) => total + value, 0);
      expect(sum(parts)).toBeLessThanOrEqual(sum(samplesSeconds));
      expect(facts).toMatchObject({
        kvCacheInPlace: name === 'ort-native',
        // Keys and values of 6 layers, 2 KV heads of 48, 11 tokens, 4 bytes.
        kvCacheBytesPerSequence: 2 * 6 * 2 * 48 * 11 * 4,
      });
      expect(await host.verifyTimed()).toMatchObject({ passed: true });
      await host.injectFault('flipped-value');
      expect(await host.verifyTimed()).toMatchObject({ passed: false });
      await host.dispose();
    },
  );

  it('decodes with the KV cache in place, and is right at the end of it', async () => {
    const host = nativeHost({ model: 'llama-15m', mode: 'decode', context: 7, batch: 2 });
    await host.load();
    expect(await host.verify()).toMatchObject({ passed: true, tolerance: 1e-4 });
    const { facts, samplesSeconds } = await host.measure(timing);
    expect(samplesSeconds.length).toBeGreaterThanOrEqual(timing.minSamples);
    expect(facts).toMatchObject({
      timeByOperator: expect.stringContaining('GroupQueryAttention'),
      kvCacheInPlace: true,
      kvCacheTokens: 8,
      kvCacheBytesPerSequence: 2 * 6 * 2 * 48 * 8 * 4,
    });
    expect(await host.verifyTimed()).toMatchObject({ passed: true });
    await host.injectFault('stale');
    expect(await host.verifyTimed()).toMatchObject({ passed: false });
    await host.dispose();
  });

  it.each(FAULTS)('catches %s before and after the timing', async fault => {
    const host = nativeHost({ model: 'mlp-tiny' });
    await host.load();
    await host.injectFault(fault);
    expect(await host.verify()).toMatchObject({ passed: false });
    await host.measure(timing);
    expect(await host.verifyTimed()).toMatchObject({ passed: false });
    await host.dispose();
  });

  it('says in a sentence what is wrong with a model', async () => {
    const at = path.join(folder, 'bad.onnx');
    writeFileSync(at, 'no model');
    await expect(nativeHost({ model: at }).load()).rejects.toMatchObject({ code: 'MODEL_NOT_ONNX' });
    const unknown = write('op.onnx', graph => {
      graph.node('NotAnOp', [graph.input('x', 'float32', [1])], {}, { outputs: ['y'] });
      graph.output('y', 'float32', [1]);
    });
    await expect(nativeHost({ model: unknown }).load()).rejects.toMatchObject({ code: 'MODEL_UNSUPPORTED' });
    await expect(nativeHost({ model: 'mlp-tiny', device: 'cuda' }).load()).rejects.toMatchObject({
      name: 'AibenchError',
      code: 'DEVICE_UNAVAILABLE',
    });
  });

  it('refuses arrays that do not fit their dims, and a library that is none', () => {
    const addon = loadAddon();
    const library = ort.status === 'ok' ? (ortLibrary(ort) ?? '') : '';
    const open = { library, model: file('mlp-tiny'), threads: 1, spinning: 0, optimise: 1 };
    const session = addon.createOrtSession(open);
    const input = { name: 'input', type: 'float32', dims: [1, 16], data: new Float32Array(15) };
    expect(() => session.bind([input], ['output'])).toThrow('does not have the size of its dims');
    expect(() => session.bind([{ ...input, data: new Float32Array(16) }], ['nothing'])).toThrow(/nothing/);
    session.release();
    expect(() => session.bind([], [])).toThrow('the session is released');
    expect(() => addon.createOrtSession({ ...open, library: '/no/such/library.so' })).toThrow(
      expect.objectContaining({ code: 'ORT_LIBRARY' }),
    );
    expect(() => addon.createOrtSession({ ...open, threads: 0 })).toThrow(/threads/);
  });
});

function nativeHost(raw: object, backend: EngineName = 'ort-native') {
  const spec = {
    backend,
    params: inferenceParams.parse(raw),
    threads: 1,
    seed: 1,
    cacheDir: path.join(folder, 'cache'),
  };
  return createSessionHost(spec, () => openEngine(backend), { stopped: () => false, progress: () => {} });
}
