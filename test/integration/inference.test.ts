/** The inference workload on the real ONNX Runtime, in this thread; inference-worker.test.ts has the Worker around it. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { GraphBuilder } from '../../src/models/graph-builder.ts';
import { decodeInputs, LLAMA_15M, llamaTokens, prefillInputs, presentNames } from '../../src/models/llama.ts';
import { MLP_TINY } from '../../src/models/mlp.ts';
import { ensureModel } from '../../src/models/model-cache.ts';
import { writeModel, writeModelWithExternalData } from '../../src/models/onnx-writer.ts';
import { findModel } from '../../src/models/registry.ts';
import type { NamedTensors } from '../../src/models/tensor.ts';
import { buildVariant } from '../../src/models/variant.ts';
import { findOrt } from '../../src/runtime/ort.ts';
import { compareOutputs, FAULTS, type Fault, tensorError } from '../../src/workloads/inference/compare.ts';
import type { EngineSession, SessionOptions } from '../../src/workloads/inference/engine.ts';
import { type EngineName, openEngine } from '../../src/workloads/inference/engines.ts';
import { fidelityInputs } from '../../src/workloads/inference/fidelity.ts';
import { resolveModel } from '../../src/workloads/inference/model-source.ts';
import { openOrtNodeEngine } from '../../src/workloads/inference/ort-node-engine.ts';
import { inferenceParams } from '../../src/workloads/inference/params.ts';
import { createSessionHost, type SessionHost } from '../../src/workloads/inference/session-host.ts';
import { ortSuite } from '../support/ort-suite.ts';

const ort = findOrt();
const timing = { maxWarmupSeconds: 0.05, minSampleSeconds: 0.001, targetSeconds: 0.1, minSamples: 5, maxSamples: 500 };
const optimised: SessionOptions = { device: 'cpu', threads: 1, spinning: false, optimise: true };

let folder = '';
const at = (name: string): string => path.join(folder, name);
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-inference-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function host(raw: object, seed = 1, backend: EngineName = 'ort-node'): SessionHost {
  const spec = { backend, params: inferenceParams.parse(raw), threads: 1, seed, cacheDir: at('cache') };
  return createSessionHost(spec, () => openEngine(backend), { stopped: () => false, progress: () => {} });
}

/** The model's file by way of the cache. */
function modelFile(name: string): string {
  const model = findModel(name);
  if (model === undefined) throw new Error(`no ${name}`);
  return ensureModel(model, model.build(), at('cache')).path;
}

async function run(session: EngineSession, inputs: NamedTensors, output: string): Promise<Float32Array> {
  return (await session.bind(inputs, [output])())[output]?.data as Float32Array;
}

ortSuite('the models compute what they should', 'package', () => {
  it('mlp-tiny agrees with its own definition, worked out here from the weights in the file', async () => {
    const model = findModel('mlp-tiny');
    if (model?.kind !== 'vector') throw new Error('no mlp-tiny');
    const session = await openOrtNodeEngine().open(modelFile('mlp-tiny'), optimised);
    const inputs = model.inputs({ batch: 3, sequence: 1 }, 11);
    const actual = (await session.bind(inputs, ['output'])()).output;
    await session.release();
    expect(actual?.dims).toEqual([3, MLP_TINY.outputs]);
    const weights = Object.fromEntries(
      model.build().initializers.map(({ name, chunks }) => {
        const bytes = Buffer.concat([...chunks()].map(chunk => Buffer.from(chunk)));
        return [name, new Float32Array(Uint8Array.from(bytes).buffer)] as const;
      }),
    );
    const linear = (x: number[], name: string, outputs: number): number[] =>
      Array.from({ length: outputs }, (_, o) =>
        x.reduce(
          (sum, value, i) => sum + value * (weights[`${name}.weight`]?.[o * x.length + i] ?? Number.NaN),
          weights[`${name}.bias`]?.[o] ?? Number.NaN,
        ),
      );
    const x = [...((inputs.input?.data ?? []) as Float32Array)];
    const expected = [0, 1, 2].flatMap(row => {
      const hidden = linear(x.slice(row * MLP_TINY.inputs, (row + 1) * MLP_TINY.inputs), 'fc1', MLP_TINY.hidden);
      return linear(
        hidden.map(value => Math.max(0, value)),
        'fc2',
        MLP_TINY.outputs,
      );
    });
    const reference = { type: 'float32', dims: [3, MLP_TINY.outputs], data: Float32Array.from(expected) };
    expect(tensorError(actual, reference)).toBeLessThan(1e-5);
  });

  it('llama-15m: prefill(n) equals prefill(n-1) and one decode step, row by row', async () => {
    const session = await openOrtNodeEngine().open(modelFile('llama-15m'), optimised);
    const rows = llamaTokens(LLAMA_15M, 2, 12, 5);
    const heads = rows.map(row => row.slice(0, -1));
    const whole = await session.bind(prefillInputs(LLAMA_15M, rows), ['logits'])();
    const present = await session.bind(prefillInputs(LLAMA_15M, heads), presentNames(LLAMA_15M))();
    const last = rows.map(row => row.at(-1) ?? 0);
    const step = await session.bind(decodeInputs(LLAMA_15M, last, 11, present), ['logits'])();
    const reference = whole.logits;
    if (reference === undefined) throw new Error('no logits');
    expect(tensorError(step.logits, reference)).toBeLessThan(1e-4);
    // And the cache matters: without it, the same step gives something else.
    const bare = await session.bind(
      prefillInputs(
        LLAMA_15M,
        last.map(token => [token]),
      ),
      ['logits'],
    )();
    expect(tensorError(bare.logits, reference)).toBeGreaterThan(0.1);
    await session.release();
  });

  it.each([
    ['mlp-tiny', 1],
    ['resnet50', 1],
    ['resnet18', 1],
    ['unet', 1],
    ['vit-s-16', 1],
    ['moe-block', 4],
    ['llama-15m', 16],
  ])('%s: finite, spread out, and other for another input', async (name, sequence) => {
    const model = findModel(name);
    if (model === undefined) throw new Error(`no ${name}`);
    const session = await openOrtNodeEngine().open(modelFile(name), optimised);
    const inputs = (seed: number): NamedTensors =>
      model.kind === 'decoder'
        ? prefillInputs(model.config, llamaTokens(model.config, 1, sequence, seed))
        : model.inputs({ batch: 1, sequence }, seed);
    const [one, two, again] = [
      await run(session, inputs(1), model.output),
      await run(session, inputs(2), model.output),
      await run(session, inputs(1), model.output),
    ];
    await session.release();
    expect(one.every(Number.isFinite)).toBe(true);
    const mean = one.reduce((sum, value) => sum + value, 0) / one.length;
    const spread = Math.sqrt(one.reduce((sum, value) => sum + (value - mean) ** 2, 0) / one.length);
    expect(spread).toBeGreaterThan(0.1);
    const asTensor = (data: Float32Array) => ({ type: 'float32', dims: [data.length], data });
    // A hundred times the tolerance and more, so that an output of another input cannot pass for the right one.
    expect(tensorError(asTensor(two), asTensor(one))).toBeGreaterThan(0.02);
    expect(Buffer.from(again.buffer).equals(Buffer.from(one.buffer))).toBe(true);
  });
});

ortSuite('the walk of a case', 'package', () => {
  it.each([
    ['mlp-tiny', { model: 'mlp-tiny', batch: 4 }, { items: 4, flops: 2 * 4 * 768 }],
    ['llama prefill', { model: 'llama-15m', sequence: 8 }, { items: 1, tokens: 8 }],
    ['llama decode', { model: 'llama-15m', mode: 'decode', context: 9, batch: 2 }, { items: 2, tokens: 2 }],
  ])('%s: loads, verifies, measures, verifies what was timed', async (_name, raw, work) => {
    const session = host(raw);
    const loaded = await session.load();
    expect(loaded.work).toMatchObject(work);
    expect(loaded.facts).toMatchObject({
      engine: 'ort-node',
      onnxruntime: ort.status === 'ok' ? ort.version : '',
      device: 'cpu',
      threads: 1,
      spinning: true,
      opset: 21,
      modelSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    for (const fact of ['loadSeconds', 'firstInferenceSeconds', 'parameters', 'macs', 'peakResidentBytes']) {
      expect(loaded.facts[fact], fact).toBeGreaterThan(0);
    }
    expect(await session.verify()).toMatchObject({ passed: true, tolerance: 1e-4 });
    const { samplesSeconds, windowSeconds, complete } = await session.measure(timing);
    expect(samplesSeconds.length).toBeGreaterThanOrEqual(timing.minSamples);
    expect(samplesSeconds.every(sample => sample > 0)).toBe(true);
    expect(windowSeconds[1] - windowSeconds[0]).toBeGreaterThan(0);
    expect(complete).toBe(true);
    expect(await session.verifyTimed()).toMatchObject({ passed: true });
    await session.dispose();
  });

  it.each([
    [{ scenario: 'single-stream' }, 64],
    [{ scenario: 'multi-stream' }, timing.minSamples],
    [{ scenario: 'offline', batch: 16 }, timing.minSamples],
    [{ scenario: 'server', latencyBound: 1, percentile: 0.9, queriesPerSecond: 400 }, 64],
  ])('%j on a real session', async (raw, least) => {
    const session = host({ model: 'mlp-tiny', ...raw });
    await session.load();
    expect(await session.verify()).toMatchObject({ passed: true });
    const measured = await session.measure(timing);
    expect(measured.samplesSeconds.length).toBeGreaterThanOrEqual(least);
    expect(measured.samplesSeconds.every(sample => sample > 0)).toBe(true);
    expect(measured.facts).toMatchObject({ scenario: raw.scenario, lengths: 'quick', mlperfLength: false });
    expect(measured.warnings).toContainEqual(expect.objectContaining({ code: 'NOT_MLPERF_VALID' }));
    expect(await session.verifyTimed()).toMatchObject({ passed: true });
    await session.dispose();
  });

  it.each([
    ['llama-15m', 'int8-dynamic', 'int8', 0.9],
    ['llama-15m', 'int8-qdq', 'int8', 0.9],
    ['llama-15m', 'int4', 'int4', 0.9],
    ['mlp-tiny', 'int8-qdq', 'int8', 0.99],
  ])(
    '%s in %s: right, in the precision that it says, and near the fp32 output',
    async (model, precision, ran, cosine) => {
      const session = host({ model, precision, ...(model === 'mlp-tiny' ? {} : { sequence: 8 }) });
      const { facts } = await session.load();
      expect(facts).toMatchObject({ precision, sparsity: 'none' });
      expect(await session.verify()).toMatchObject({ passed: true });
      const measured = await session.measure(timing);
      expect(measured.facts).toMatchObject({
        executedPrecision: expect.stringMatching(new RegExp(`^${ran} (100\\.0|9\\d\\.\\d) %`)),
        providers: expect.stringMatching(/^CPUExecutionProvider \d+ nodes 100\.0 %$/),
        cpuFallbackNodes: 0,
        fp32Rows: 16,
      });
      expect(measured.invalid).toBeUndefined();
      expect(measured.facts.fp32Cosine).toBeGreaterThan(cosine);
      expect(measured.facts.fp32MaxError).toBeGreaterThan(0);
      expect(await session.verifyTimed()).toMatchObject({ passed: true });
      await session.dispose();
    },
  );

  it.each(['int8-dynamic', 'int4'] as const)(
    '%s: a scale that a kernel had wrong would be found out',
    async precision => {
      const params = inferenceParams.parse({ model: 'llama-15m', precision, sequence: 8 });
      const engine = openOrtNodeEngine();
      const { path: file, tolerance } = await resolveModel(params, engine, at('cache'), () => {});
      const model = findModel('llama-15m');
      if (model === undefined) throw new Error('no llama-15m');
      const inputs = fidelityInputs(model, 7);
      const outputs = async (from: string, options: SessionOptions): Promise<NamedTensors> => {
        const session = await engine.open(from, options);
        const result = await session.bind(inputs, ['logits'])();
        await session.release();
        return result;
      };
      const expected = await outputs(file, { ...optimised, optimise: false });
      expect(compareOutputs([await outputs(file, optimised)], [expected], tolerance).passed).toBe(true);
      const { initializers } = buildVariant(model, precision, undefined).graph;
      // The weakest place there is, a query in the middle, and the two ends, where less shows.
      for (const [name, factor] of [
        ['model.layers.3.self_attn.q_proj', 1.5],
        ['model.layers.0.self_attn.q_proj', 1.1],
        ['model.embed_tokens', 1.1],
      ] as const) {
        const scale = initializers.find(one => one.name === `${name}.weight.scale`);
        const bytes = Buffer.concat([...(scale?.chunks() ?? [])]);
        const damaged = readFileSync(file);
        const place = damaged.indexOf(bytes);
        expect(place, name).toBeGreaterThan(0);
        for (let i = 0; i < bytes.length; i += 4) damaged.writeFloatLE(bytes.readFloatLE(i) * factor, place + i);
        writeFileSync(at('damaged.onnx'), damaged);
        const actual = await outputs(at('damaged.onnx'), optimised);
        expect(compareOutputs([actual], [expected], tolerance).passed, name).toBe(false);
      }
    },
  );

  it('fp16 on a CPU runs in fp32 behind casts: the case is invalid and says so', async () => {
    const session = host({ model: 'llama-15m', precision: 'fp16', mode: 'decode', context: 5 });
    await session.load();
    expect(await session.verify()).toMatchObject({ passed: true });
    const { invalid, facts } = await session.measure(timing);
    expect(facts.executedPrecision).toMatch(/^fp32 100/);
    expect(invalid?.reason).toMatch(/asked for in fp16 and ran in another precision: fp32 100\.0 %/);
    await session.dispose();
  });

  it('pruned weights: the same speed path, another output', async () => {
    const session = host({ model: 'mlp-tiny', sparsity: '2:4' });
    await session.load();
    expect(await session.verify()).toMatchObject({ passed: true, tolerance: 1e-4 });
    const { facts } = await session.measure(timing);
    expect(facts.fp32Cosine).toBeLessThan(0.999);
    await session.dispose();
  });

  it.each(FAULTS)('catches %s before and after the timing', async (fault: Fault) => {
    const session = host({ model: 'mlp-tiny' });
    await session.load();
    await session.injectFault(fault);
    expect(await session.verify()).toMatchObject({ passed: false });
    await session.measure(timing);
    expect(await session.verifyTimed()).toMatchObject({ passed: false });
    await session.dispose();
  });
});

ortSuite('the user’s own file', 'package', () => {
  function write(name: string, build: (graph: GraphBuilder) => void, opset = 21): string {
    const graph = new GraphBuilder('own', { seed: 1, opset });
    build(graph);
    writeModel(graph, at(name));
    return at(name);
  }

  const relu = (graph: GraphBuilder): void => {
    graph.node('Relu', [graph.input('x', 'float32', ['N', 3, 'height', ''])], {}, { outputs: ['y'] });
    graph.output('y', 'float32', ['N', 3, 'height', '']);
  };

  it('convolutions are among what proves the precision, weights reordered and a sum fused in as they are', async () => {
    const convolutions = (graph: GraphBuilder): void => {
      const weight = (name: string, inputs: number): string => graph.weight(name, [16, inputs, 3, 3], 0.1);
      const same = { kernel_shape: [3, 3], pads: [1, 1, 1, 1] };
      const x = graph.node('Conv', [graph.input('x', 'float32', ['N', 3, 8, 8]), weight('a', 3)], same);
      const y = graph.node('Conv', [graph.node('Relu', [x]), weight('b', 16)], same);
      graph.node('Add', [x, y], {}, { outputs: ['y'] });
      graph.output('y', 'float32', ['N', 16, 8, 8]);
    };
    const session = host({ model: write('convolutions.onnx', convolutions) });
    await session.load();
    expect(await session.verify()).toMatchObject({ passed: true });
    const { facts, warnings } = await session.measure(timing);
    expect(facts.executedPrecision).toBe('fp32 100.0 %');
    expect(facts.timeByOperator).toMatch(/Conv\*/);
    expect(facts.timeByOperator).not.toMatch(/Conv /);
    expect(warnings).toEqual([]);
    await session.dispose();
  });

  it('runs with its dynamic dimensions set; its operations are not counted', async () => {
    const session = host({ model: write('relu.onnx', relu), batch: 2, dims: ['height=4', 'x.3=5'] });
    const { facts, work, warnings } = await session.load();
    expect(work).toEqual({ items: 2 });
    expect(facts).toMatchObject({ model: 'relu.onnx', macs: null, parameters: null, weightsSha256: null });
    expect(warnings).toEqual([]);
    expect(await session.verify()).toMatchObject({ passed: true, tolerance: 1e-3 });
    await session.measure(timing);
    expect(await session.verifyTimed()).toMatchObject({ passed: true });
    await session.dispose();
  });

  it('warns of outputs so large that their copy is what is timed', async () => {
    const session = host({ model: write('large.onnx', relu), dims: ['height=400', 'x.3=400'] });
    expect((await session.load()).warnings).toEqual([expect.objectContaining({ code: 'OUTPUT_COPY' })]);
    await session.dispose();
  });

  it('fails the verification of a model whose output is random', async () => {
    const model = write('random.onnx', graph => {
      graph.node('RandomNormalLike', [graph.input('x', 'float32', [1, 8])], {}, { outputs: ['y'] });
      graph.output('y', 'float32', [1, 8]);
    });
    const session = host({ model });
    await session.load();
    expect(await session.verify()).toMatchObject({ passed: false });
    await session.dispose();
  });

  it('runs with external data, and says what is wrong when it is cut or gone', async () => {
    mkdirSync(at('ext'));
    const graph = new GraphBuilder('own', { seed: 1 });
    const weight = graph.weight('w', [64, 64], 1);
    graph.node('MatMul', [graph.input('x', 'float32', ['batch', 64]), weight], {}, { outputs: ['y'] });
    graph.output('y', 'float32', ['batch', 64]);
    writeModelWithExternalData(graph, at('ext/m.onnx'), { path: at('ext/m.data'), location: 'm.data' });
    const session = host({ model: at('ext/m.onnx'), batch: 3 });
    expect((await session.load()).facts).toMatchObject({ parameters: 4096, weightsSha256: expect.any(String) });
    expect(await session.verify()).toMatchObject({ passed: true });
    await session.dispose();
    truncateSync(at('ext/m.data'), 100);
    await expect(host({ model: at('ext/m.onnx') }).load()).rejects.toMatchObject({ code: 'MODEL_EXTERNAL_DATA' });
    rmSync(at('ext/m.data'));
    await expect(host({ model: at('ext/m.onnx') }).load()).rejects.toMatchObject({ code: 'MODEL_EXTERNAL_DATA' });
  });

  const single =
    (op: string, domain = '', type: 'float32' | 'int32' = 'float32') =>
    (graph: GraphBuilder): void => {
      graph.node(op, [graph.input('x', type, [1, 4])], {}, { outputs: ['y'], domain });
      graph.output('y', type, [1, 4]);
    };

  it.each<[string, string, () => string]>([
    ['an unknown operator', 'MODEL_UNSUPPORTED', () => write('op.onnx', single('NotAnOp'))],
    ['an unknown domain', 'MODEL_UNSUPPORTED', () => write('domain.onnx', single('Foo', 'com.acme'))],
    ['a future opset', 'MODEL_UNSUPPORTED', () => write('opset.onnx', single('Relu'), 99)],
    ['a type that the operator does not take', 'MODEL_INVALID', () => write('type.onnx', single('Erf', '', 'int32'))],
    ['a dynamic dimension without a size', 'MODEL_DIMENSION', () => write('dynamic.onnx', relu)],
    [
      'a table smaller than the generated ids',
      'MODEL_INPUT',
      () =>
        write('gather.onnx', graph => {
          const ids = graph.input('ids', 'int64', [1, 64]);
          graph.node('Gather', [graph.weight('w', [10, 4], 1), ids], {}, { outputs: ['y'] });
          graph.output('y', 'float32', [1, 64, 4]);
        }),
    ],
    [
      'a truncated file',
      'MODEL_TRUNCATED',
      () => {
        const file = at('cut.onnx');
        writeFileSync(file, readFileSync(modelFile('mlp-tiny')).subarray(0, 2000));
        return file;
      },
    ],
    [
      'text',
      'MODEL_NOT_ONNX',
      () => {
        writeFileSync(at('text.onnx'), 'hello\n');
        return at('text.onnx');
      },
    ],
    ['nothing', 'MODEL_NOT_FOUND', () => at('absent.onnx')],
  ])('%s: one sentence, %s', async (_what, code, make) => {
    const session = host({ model: make() });
    const error = await session.load().then(
      () => null,
      (reason: unknown) => reason as Error & { remedy: string },
    );
    await session.dispose();
    expect(error).toMatchObject({ name: 'AibenchError', code, remedy: expect.stringMatching(/\w/) });
    expect(error?.message).toMatch(/^[^\n]{10,500}\.$/);
    expect(error?.message).not.toMatch(/onnxruntime_src|::/);
  });
});

ortSuite('devices that are not here', 'package', () => {
  it('CUDA without its libraries is named as such, and never runs on the CPU instead', async () => {
    const session = host({ model: 'mlp-tiny', device: 'cuda' });
    await expect(session.load()).rejects.toMatchObject({ code: 'DEVICE_UNAVAILABLE', exitCode: 3 });
    await session.dispose();
  });
});
