import { describe, expect, it, vi } from 'vitest';
import { metricDefinition } from '../../../../src/analysis/metrics.ts';
import { AibenchError } from '../../../../src/errors.ts';
import type { NativeAddon } from '../../../../src/native/types.ts';
import { inferenceParams } from '../../../../src/workloads/inference/params.ts';
import type { RemoteHost } from '../../../../src/workloads/inference/worker-client.ts';
import { inference, prepareInference } from '../../../../src/workloads/inference/workload.ts';
import type { LaunchContext } from '../../../../src/workloads/workload.ts';

const machine = { usableCores: 3, memoryBytes: 8 * 2 ** 30, caches: [] };
const passed = { method: 'm', passed: true, error: 0, tolerance: 1e-4 };
const measured = {
  windowSeconds: [1, 2] as [number, number],
  samplesSeconds: [0.4, 0.5],
  iterationsPerSample: 1,
  warmup: { samplesSeconds: [0.6], settled: true },
  complete: true,
};
const loadResult = { ...measured, facts: {}, warnings: [] };
const fewSamples = expect.objectContaining({
  code: 'TAIL_OF_FEW',
  message: expect.stringMatching(/^The p99 is of 2 samples in a launch/),
});

function fakeHost(overrides: Partial<RemoteHost> = {}): RemoteHost {
  return {
    load: async () => ({ facts: { model: 'mlp-tiny' }, warnings: [], work: { items: 4, flops: 100 } }),
    verify: async () => passed,
    measure: async () => loadResult,
    verifyTimed: async () => passed,
    injectFault: async () => {},
    dispose: vi.fn(async () => {}),
    stop: vi.fn(),
    ...overrides,
  };
}

/** A context whose FMA peaks are the given ones, one after the other. */
function fakeContext(peaks: number[], signal = new AbortController().signal): LaunchContext {
  const left = [...peaks];
  const createPeak = vi.fn(() => {
    const flops = left.shift() ?? 0;
    return {
      prepare: async () => {},
      measure: async () => ({ samplesSeconds: Float64Array.of(1, 0.5), iterationsPerSample: 1 }),
      work: () => ({ flops: flops / 2, bytes: 0, items: 0 }),
      dispose: () => {},
    };
  });
  return {
    native: { createPeak } as unknown as NativeAddon,
    machine,
    seed: 5,
    timing: { maxWarmupSeconds: 1, minSampleSeconds: 0.001, targetSeconds: 1, minSamples: 10, maxSamples: 100 },
    cacheDir: 'cache',
    signal,
    progress: () => {},
  };
}

const mlp = inferenceParams.parse({ model: 'mlp-tiny', batch: 4 });

describe('inference', () => {
  it.each([
    [{ model: 'resnet50' }, 'samples_per_second', true],
    [{ model: 'bert-base' }, 'samples_per_second', true],
    [{ model: 'llama-15m' }, 'prefill_tokens_per_second', true],
    [{ model: 'llama-15m', mode: 'decode' }, 'decode_tokens_per_second', true],
    [{ model: './my.onnx' }, 'samples_per_second', false],
  ])('%j: headline %s, held against the FMA ceiling: %s', (raw, headline, held) => {
    const params = inferenceParams.parse(raw);
    const metrics = inference.metrics(params);
    expect(metrics[0]).toBe(headline);
    expect(metrics).toContain('latency_seconds_p99');
    for (const name of metrics) expect(metricDefinition(name), name).toBeDefined();
    const limit = inference.limit(params);
    expect(limit).toEqual(held ? { ceiling: 'fma_flops_per_second', metric: 'flops_per_second' } : null);
    expect(metrics.includes('flops_per_second')).toBe(held);
  });

  it.each([
    [
      { model: 'resnet50', scenario: 'single-stream' },
      ['early_stopping_latency_seconds_p90', 'latency_seconds_p90', 'samples_per_second'],
    ],
    [{ model: 'resnet50', scenario: 'multi-stream' }, ['early_stopping_latency_seconds_p99']],
    [{ model: 'resnet50', scenario: 'offline' }, ['samples_per_second', 'flops_per_second']],
    [
      { model: 'resnet50', scenario: 'server', latencyBound: 0.1 },
      ['server_queries_per_second', 'early_stopping_latency_seconds_p99'],
    ],
  ])('%j has its own headline', (raw, names) => {
    const params = inferenceParams.parse(raw);
    const metrics = inference.metrics(params);
    expect(metrics[0]).toBe(names[0]);
    expect(metrics).toEqual(expect.arrayContaining(names));
    for (const name of metrics) expect(metricDefinition(name), name).toBeDefined();
    expect(inference.limit(params) === null).toBe(params.scenario === 'server');
    expect(inference.overheadSeconds({ ...params, lengths: 'mlperf' }, machine)).toBeGreaterThan(600);
  });

  it('holds fp32 alone against the ceiling of fp32', () => {
    const limit = (raw: object) => inference.limit(inferenceParams.parse({ model: 'llama-15m', ...raw }));
    expect(limit({})).toEqual({ ceiling: 'fma_flops_per_second', metric: 'flops_per_second' });
    expect(limit({ sparsity: '2:4' })).not.toBeNull();
    for (const precision of ['fp16', 'int8-dynamic', 'int8-qdq', 'int4']) expect(limit({ precision })).toBeNull();
    expect(limit({ device: 'webgpu' })).toBeNull();
  });

  it('names a case in a few words', () => {
    const label = (raw: object): string => inference.label(inferenceParams.parse(raw));
    expect(label({ model: 'resnet50', batch: 8, threads: 2 })).toBe('resnet50 b=8 t=2');
    expect(label({ model: 'llama-15m', mode: 'decode' })).toBe('llama-15m decode c=128');
    expect(label({ model: '/a/b/c.onnx', device: 'cuda' })).toBe('c.onnx cuda');
  });

  it('expects a larger model to take longer', () => {
    const seconds = (model: string): number => inference.overheadSeconds(inferenceParams.parse({ model }), machine);
    expect(seconds('mlp-tiny')).toBeLessThan(1);
    expect(seconds('bert-base')).toBeGreaterThan(seconds('resnet50'));
    // Three sessions load 438 MB each at 0.5 GB/s.
    expect(seconds('bert-base')).toBeGreaterThan(2.6);
  });

  it('skips a model that does not fit in memory before anything is loaded', async () => {
    const params = inferenceParams.parse({ model: 'bert-base' });
    const small = { ...machine, memoryBytes: 2 ** 30 };
    expect(await inference.supports(params, 'ort-node', small)).toMatchObject({
      supported: false,
      reason: expect.stringMatching(
        /^Inference with bert-base \(batch 1\) needs 1\.2 GiB of memory; 1\.0 GiB are free/,
      ),
    });
  });
});

describe('memory', () => {
  it.each([
    { model: 'resnet50', batch: 4096 },
    { model: 'bert-base', batch: 1024, sequence: 512 },
    { model: 'llama-160m', mode: 'decode', context: 2000, batch: 256 },
  ])('skips %j: it cannot fit in 8 GiB', async raw => {
    const params = inferenceParams.parse(raw);
    expect(await inference.supports(params, 'ort-node', machine)).toMatchObject({
      supported: false,
      reason: expect.stringContaining(`(batch ${raw.batch}) needs`),
    });
    expect(await inference.supports({ ...params, batch: 1 }, 'ort-node', machine)).toEqual({ supported: true });
  });
});

describe('prepareInference', () => {
  it('resolves the threads, hands facts on, and takes the higher of two ceilings', async () => {
    const start = vi.fn(() => fakeHost());
    const context = fakeContext([3e9, 4e9]);
    const prepared = await prepareInference(mlp, context, start);
    expect(start).toHaveBeenCalledWith(
      { backend: 'ort-node', params: mlp, threads: 3, seed: 5, cacheDir: 'cache' },
      expect.any(Function),
    );
    expect(prepared.facts).toEqual({ model: 'mlp-tiny' });
    expect(await prepared.verify()).toEqual(passed);
    expect(await prepared.measure()).toEqual({
      ...measured,
      work: { items: 4, flops: 100 },
      ceilings: { fma_flops_per_second: 4e9 },
    });
    expect(context.native.createPeak).toHaveBeenCalledWith({ dtype: 'f32', threads: 3 });
    expect(prepared.warnings).toEqual([fewSamples]);
  });

  it('says that a p99 of few samples is nearly the slowest, and nothing of one of many', async () => {
    const samplesSeconds = Array.from({ length: 100 }, () => 0.5);
    const many = fakeHost({ measure: async () => ({ ...loadResult, samplesSeconds }) });
    const prepared = await prepareInference(mlp, fakeContext([1, 1]), () => many);
    await prepared.measure();
    expect(prepared.warnings).toEqual([]);
    const tokenTimes = { firstTokenSeconds: [1, 2], interTokenSeconds: samplesSeconds };
    const generating = fakeHost({ measure: async () => ({ ...loadResult, samplesSeconds, tokenTimes }) });
    const other = await prepareInference(mlp, fakeContext([1, 1]), () => generating);
    await other.measure();
    expect(other.warnings).toEqual([fewSamples]);
  });

  it('gives the work of a whole sample, and warns that its percentiles are of means', async () => {
    const host = fakeHost({ measure: async () => ({ ...loadResult, iterationsPerSample: 7 }) });
    const prepared = await prepareInference(mlp, fakeContext([1, 1]), () => host);
    expect((await prepared.measure()).work).toEqual({ items: 28, flops: 700 });
    expect(prepared.warnings).toEqual([expect.objectContaining({ code: 'BATCHED_SAMPLES' }), fewSamples]);
  });

  it('takes over what a load scenario has to say', async () => {
    const told = {
      ...loadResult,
      facts: { queries: 64 },
      warnings: [{ code: 'NOT_MLPERF_VALID', message: 'm', remedy: 'r' }],
      invalid: { reason: 'late', remedy: 'slower' },
    };
    const params = inferenceParams.parse({ model: 'mlp-tiny', scenario: 'server', latencyBound: 0.01 });
    const prepared = await prepareInference(params, fakeContext([]), () => fakeHost({ measure: async () => told }));
    expect(await prepared.measure()).toEqual({
      ...measured,
      work: { items: 4, flops: 100 },
      ceilings: {},
      invalid: told.invalid,
    });
    expect(prepared.facts).toEqual({
      model: 'mlp-tiny',
      queries: 64,
      eventLoopStallSeconds: expect.any(Number),
      eventLoopStallOwnSeconds: expect.any(Number),
    });
    expect(prepared.warnings).toEqual([...told.warnings, fewSamples]);
  });

  it('holds the user’s own file against no ceiling', async () => {
    const context = fakeContext([]);
    const prepared = await prepareInference(inferenceParams.parse({ model: './m.onnx' }), context, () => fakeHost());
    expect((await prepared.measure()).ceilings).toEqual({});
    expect(context.native.createPeak).not.toHaveBeenCalled();
  });

  it('ends the thread when loading fails', async () => {
    const problem = new AibenchError('MODEL_NOT_ONNX', 'no.', 'yes.');
    const host = fakeHost({ load: () => Promise.reject(problem) });
    await expect(prepareInference(mlp, fakeContext([]), () => host)).rejects.toBe(problem);
    expect(host.dispose).toHaveBeenCalledOnce();
  });

  it('passes Ctrl-C on until it is disposed', async () => {
    const controller = new AbortController();
    const host = fakeHost();
    const prepared = await prepareInference(mlp, fakeContext([], controller.signal), () => host);
    expect(host.stop).not.toHaveBeenCalled();
    controller.abort();
    expect(host.stop).toHaveBeenCalledOnce();
    await prepared.dispose();
    expect(host.dispose).toHaveBeenCalledOnce();
  });

  it('passes on a Ctrl-C that came before', async () => {
    const host = fakeHost();
    await prepareInference(mlp, fakeContext([], AbortSignal.abort()), () => host);
    expect(host.stop).toHaveBeenCalledOnce();
  });
});
