import { describe, expect, it } from 'vitest';
import type { TensorInfo } from '../../../../src/workloads/inference/engine.ts';
import { genericInputs, resolveShapes } from '../../../../src/workloads/inference/generic-inputs.ts';

const image: TensorInfo = { name: 'x', type: 'float32', dims: ['batch_size', 3, 'height', ''] };
const none = { batch: 1, sequence: undefined, dims: [] };

describe('resolveShapes', () => {
  it('takes sizes from dims, and the batch from its name', () => {
    const { shapes, batched } = resolveShapes([image], { ...none, batch: 4, dims: ['height=10', 'x.3=20'] }, 'm');
    expect(shapes.get('x')).toEqual([4, 3, 10, 20]);
    expect(batched).toBe(true);
  });

  it.each(['N', 'batch', 'B', 'batchsize', 'batch_size'])('knows %s as the batch', name => {
    expect(resolveShapes([{ ...image, dims: [name] }], { ...none, batch: 9 }, 'm').shapes.get('x')).toEqual([9]);
  });

  it.each(['seq', 'sequence_length', 'seqlen', 'S'])('knows %s as the sequence', name => {
    const shapes = resolveShapes([{ ...image, dims: [name] }], { ...none, sequence: 7 }, 'm').shapes;
    expect(shapes.get('x')).toEqual([7]);
  });

  it.each<[string, object, RegExp]>([
    [
      'a dynamic dimension without a size',
      none,
      /^m has a dynamic dimension `height` \(axis 2 of input x\) without a size\.$/,
    ],
    ['an unnamed one', { ...none, dims: ['height=2'] }, /`x\.3`/],
    [
      'a size without a dimension',
      { ...none, dims: ['height=2', 'x.3=2', 'width=2'] },
      /^m has no dynamic dimension `width`\.$/,
    ],
  ])('refuses %s', (_what, dimensions, message) => {
    expect(() => resolveShapes([image], { ...none, ...dimensions }, 'm')).toThrow(
      expect.objectContaining({ code: 'MODEL_DIMENSION', message: expect.stringMatching(message) }),
    );
  });

  it('refuses a batch that a model cannot have', () => {
    expect(() => resolveShapes([{ ...image, dims: [1, 3] }], { ...none, batch: 8 }, 'm')).toThrow(
      /no dynamic batch dimension/,
    );
  });
});

describe('genericInputs', () => {
  const make = (inputs: TensorInfo[], seed = 1) =>
    genericInputs(inputs, new Map(inputs.map(({ name }) => [name, [50]])), seed, 'm');
  const of = (name: string, type: string) =>
    make([{ name, type, dims: [50] }])[name] ?? { type: '', dims: [], data: [] };

  it('is in [-1, 1), seeded, and not constant', () => {
    const values = of('x', 'float32').data as Float32Array;
    expect(values.every(v => v >= -1 && v < 1)).toBe(true);
    expect(new Set(values).size).toBeGreaterThan(40);
    expect(make([image], 1)).toEqual(make([image], 1));
    expect(make([image], 1)).not.toEqual(make([image], 2));
  });

  it('gives masks of ones, segments of zeros, small ids', () => {
    expect(new Set(of('attention_mask', 'int64').data as BigInt64Array)).toEqual(new Set([1n]));
    expect(new Set(of('token_type_ids', 'int64').data as BigInt64Array)).toEqual(new Set([0n]));
    const ids = [...(of('input_ids', 'int64').data as BigInt64Array)];
    expect(ids.every(id => id >= 0n && id < 100n)).toBe(true);
    expect(new Set(ids).size).toBeGreaterThan(10);
  });

  it.each(['float32', 'float64', 'float16', 'int64', 'int32', 'int8', 'uint8', 'bool'])('makes %s', type => {
    expect(of('x', type)).toMatchObject({ type, dims: [50] });
    expect(of('x', type).data).toHaveLength(50);
  });

  it('refuses what it cannot make', () => {
    expect(() => of('x', 'string')).toThrow(/^m wants string for its input x/);
    expect(() => make([{ name: 'x', type: null, dims: [] }])).toThrow(/something other than a tensor/);
  });
});
