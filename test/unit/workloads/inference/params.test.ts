import { describe, expect, it } from 'vitest';
import { findModel } from '../../../../src/models/registry.ts';
import { inferenceParams, modelLabel } from '../../../../src/workloads/inference/params.ts';

const common = { batch: 1, threads: 'all', precision: 'fp32', device: 'auto', spinning: true };

function messages(raw: unknown): string[] {
  const parsed = inferenceParams.safeParse(raw);
  return parsed.success ? [] : parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
}

describe('defaults', () => {
  it.each<[string, object, object]>([
    ['an image model has no lengths', { model: 'resnet50' }, { model: 'resnet50', ...common }],
    ['an encoder has a sequence', { model: 'bert-base' }, { model: 'bert-base', sequence: 128, ...common }],
    ['a decoder prefills', { model: 'llama-15m' }, { model: 'llama-15m', mode: 'prefill', sequence: 128, ...common }],
    [
      'decode has a context and no sequence',
      { model: 'llama-15m', mode: 'decode' },
      { model: 'llama-15m', mode: 'decode', context: 128, ...common },
    ],
    ['a file gets none', { model: './my.onnx' }, { model: './my.onnx', ...common }],
    [
      'dims may be one text',
      { model: 'my.onnx', dims: 'height=4,w.2=5' },
      { model: 'my.onnx', dims: ['height=4', 'w.2=5'], ...common },
    ],
    [
      'a load scenario has MLPerf’s percentile and quick lengths',
      { model: 'resnet50', scenario: 'single-stream' },
      { model: 'resnet50', scenario: 'single-stream', lengths: 'quick', percentile: 0.9, ...common },
    ],
    [
      'multi-stream sends eight samples at once',
      { model: 'resnet50', scenario: 'multi-stream', lengths: 'mlperf' },
      { model: 'resnet50', scenario: 'multi-stream', lengths: 'mlperf', percentile: 0.99, ...common, batch: 8 },
    ],
  ])('%s', (_what, raw, expected) => {
    const parsed = inferenceParams.parse(raw);
    expect(parsed).toEqual(expected);
    expect(Object.values(parsed)).not.toContain(undefined);
  });
});

describe('refusals', () => {
  it.each<[object, RegExp]>([
    [{ model: 'resnet' }, /^model: there is no model `resnet`; known are resnet50, bert-base/],
    [{ model: 'resnet50', batchsize: 4 }, /Unrecognized key: "batchsize"/],
    [{ model: 'resnet50', batch: 0 }, /^batch: /],
    [{ model: 'resnet50', batch: -8 }, /^batch: /],
    [{ model: 'resnet50', batch: 1.5 }, /^batch: /],
    [{ model: 'resnet50', sequence: 128 }, /^sequence: resnet50 takes no sequence$/],
    [{ model: 'bert-base', mode: 'decode' }, /^mode: bert-base has no modes/],
    [{ model: 'bert-base', context: 3 }, /^context: bert-base has no KV cache$/],
    [{ model: 'bert-base', sequence: 513 }, /^sequence: bert-base has 512 positions; 513 are asked for$/],
    [{ model: 'llama-15m', newTokens: 5 }, /^newTokens: newTokens belongs to mode=generate$/],
    [{ model: 'llama-15m', mode: 'generate', scenario: 'offline' }, /^scenario: a load scenario takes prefill/],
    [{ model: 'llama-15m', mode: 'generate', sequence: 2000, newTokens: 60 }, /^sequence: .* 2060 are asked for$/],
    [{ model: 'resnet50', precision: 'int4' }, /^precision: resnet50 is made of convolutions/],
    [{ model: 'my.onnx', precision: 'int4' }, /^precision: precision is for aibench's own models/],
    [{ model: 'llama-15m', context: 5 }, /^context: prefill starts from an empty KV cache/],
    [{ model: 'llama-15m', mode: 'decode', sequence: 5 }, /^sequence: decode takes one token at a time/],
    [
      { model: 'llama-15m', mode: 'decode', context: 2048 },
      /^context: llama-15m has 2048 positions; 2049 are asked for$/,
    ],
    [{ model: 'mlp-tiny', dims: ['n=4'] }, /^dims: mlp-tiny has no dimensions to set/],
    [{ model: 'my.onnx', dims: ['height'] }, /^dims.0: a dimension is written name=size/],
    [{ model: 'my.onnx', dims: ['height=0'] }, /^dims.0: /],
    [{ model: 'resnet50', precision: 'int3' }, /^precision: /],
    [{ model: 'resnet50', device: 'gpu' }, /^device: /],
    [{ model: 'resnet50', lengths: 'mlperf' }, /^lengths: lengths belongs to a load scenario; set scenario too$/],
    [{ model: 'resnet50', scenario: 'server' }, /^latencyBound: the server scenario needs a latency bound/],
    [{ model: 'resnet50', scenario: 'offline', percentile: 0.9 }, /^percentile: offline has no latency/],
    [
      { model: 'resnet50', scenario: 'offline', latencyBound: 1 },
      /^latencyBound: offline has no latency bound; server/,
    ],
    [{ model: 'resnet50', scenario: 'single-stream', queriesPerSecond: 5 }, /^queriesPerSecond: single-stream has no/],
    [{ model: 'resnet50', scenario: 'single-stream', percentile: 0.5 }, /^percentile: /],
    [{}, /^model: /],
  ])('%j', (raw, expected) => {
    expect(messages(raw)).toEqual([expect.stringMatching(expected)]);
  });

  it('accepts a decode that fills the last position', () => {
    expect(messages({ model: 'llama-15m', mode: 'decode', context: 2047 })).toEqual([]);
    expect(findModel('llama-15m')?.sequence?.max).toBe(2048);
  });
});

describe('modelLabel', () => {
  it('is the name of a model and the last part of a path', () => {
    expect(modelLabel({ model: 'resnet50' })).toBe('resnet50');
    expect(modelLabel({ model: '/somewhere/deep/my.onnx' })).toBe('my.onnx');
  });
});
