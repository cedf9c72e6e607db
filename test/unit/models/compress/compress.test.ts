import { describe, expect, it } from 'vitest';
import { quantiseColumns, quantiseRows, WEIGHT_LIMIT } from '../../../../src/models/compress/dynamic-int8.ts';
import { halfBits } from '../../../../src/models/compress/half.ts';
import { pruneSmallest, pruneTwoOfFour } from '../../../../src/models/compress/prune.ts';
import { floatsOf, transpose } from '../../../../src/models/compress/rewrite.ts';
import { affine } from '../../../../src/models/compress/static-int8.ts';
import { packBlocks } from '../../../../src/models/compress/weight-only-int4.ts';
import { Random } from '../../../../src/models/random.ts';
import { findModel, MODELS, type ModelDefinition } from '../../../../src/models/registry.ts';
import { buildVariant, PRECISIONS, precisionProblem, SPARSITIES } from '../../../../src/models/variant.ts';
import { halfToNumber } from '../../../../src/workloads/inference/compare.ts';

const random = (count: number): Float32Array => new Random(4).fill(new Float32Array(count), 1);
const model = (name: string): ModelDefinition => {
  const found = findModel(name);
  if (found === undefined) throw new Error(`no ${name}`);
  return found;
};
const bytes = (graph: { initializers: { byteLength: number }[] }): number =>
  graph.initializers.reduce((sum, { byteLength }) => sum + byteLength, 0);

describe('halfBits', () => {
  it('gives back every half, and the nearest one in between, ties to even', () => {
    for (let bits = 0; bits < 0x10000; bits++) {
      const value = halfToNumber(bits);
      if (!Number.isNaN(value)) expect(halfBits(value)).toBe(bits);
    }
    for (let bits = 0; bits < 0x7bff; bits += 7) {
      const [low, high] = [halfToNumber(bits), halfToNumber(bits + 1)];
      const middle = (low + high) / 2;
      expect(halfBits(middle)).toBe(bits % 2 === 0 ? bits : bits + 1);
      expect(halfBits(low + (high - low) * 0.4)).toBe(bits);
      expect(halfBits(low + (high - low) * 0.6)).toBe(bits + 1);
    }
    expect(halfBits(65520)).toBe(0x7c00);
    expect(halfToNumber(halfBits(Number.NaN))).toBeNaN();
  });
});

describe('int8', () => {
  it('is within half a step of every weight, per column and per row', () => {
    const values = random(96);
    const columns = quantiseColumns(values, 12);
    const rows = quantiseRows(values, 8);
    values.forEach((value, i) => {
      const [column = 0, row = 0] = [columns.scales[i % 12], rows.scales[Math.floor(i / 12)]];
      expect(Math.abs((columns.values[i] ?? 0) * column - value)).toBeLessThanOrEqual(column * 0.5001);
      expect(Math.abs((rows.values[i] ?? 0) * row - value)).toBeLessThanOrEqual(row * 0.5001);
      expect(Math.abs(columns.values[i] ?? 0)).toBeLessThanOrEqual(WEIGHT_LIMIT);
    });
  });

  it('takes zeros without dividing by them', () => {
    expect([...quantiseRows(new Float32Array(4), 2).scales]).toEqual([1, 1]);
  });

  it('affine covers the range, has an exact zero, and does not move with the last digits', () => {
    for (const [low, high] of [
      [-3, 5],
      [0, 7.77],
      [-2, -1],
      [0.5, 0.6],
    ] as const) {
      const { scale, zeroPoint } = affine(low, high);
      expect((0 - zeroPoint) * scale).toBeLessThanOrEqual(Math.min(0, low) + scale);
      expect((255 - zeroPoint) * scale).toBeGreaterThanOrEqual(Math.max(0, high) - scale);
      expect(Number.isInteger(zeroPoint)).toBe(true);
      expect(affine(low, high * (1 + 1e-9)).scale).toBe(scale);
    }
    expect(affine(0, 1).zeroPoint).toBe(0);
  });
});

describe('int4', () => {
  it('is within a step of every weight, and uses the code without an opposite for the largest', () => {
    const values = random(128);
    const { nibbles, scales } = packBlocks(values);
    values.forEach((value, i) => {
      const code = ((nibbles[i >> 1] ?? 0) >> (i % 2 === 0 ? 0 : 4)) & 15;
      const scale = scales[i >> 5] ?? 0;
      expect(Math.abs((code - 8) * scale - value)).toBeLessThanOrEqual(Math.abs(scale) * 1.0001);
    });
    const codes = [...nibbles].flatMap(pair => [pair & 15, pair >> 4]);
    expect(codes).toContain(0);
  });
});

describe('pruning', () => {
  it('2:4 keeps the two largest of each four along the inner dimension', () => {
    expect([...pruneTwoOfFour(Float32Array.of(1, -4, 3, 2, 8, 7, 6, 5, 1), 1)]).toEqual([0, -4, 3, 0, 8, 7, 0, 0, 1]);
    expect([...pruneTwoOfFour(Float32Array.of(1, 8, 2, 7, 3, 6, 4, 5), 2)]).toEqual([0, 8, 0, 7, 3, 0, 4, 0]);
  });

  it.each([0.5, 0.9])('zeros %d of all weights, the smallest', share => {
    const before = random(1000);
    const after = pruneSmallest(before.slice(), share);
    expect(after.filter(value => value === 0)).toHaveLength(1000 * share);
    const dropped = Math.max(...before.filter((_, i) => after[i] === 0).map(Math.abs));
    expect(Math.min(...after.filter(value => value !== 0).map(Math.abs))).toBeGreaterThanOrEqual(dropped);
  });
});

describe('transpose', () => {
  it('swaps rows and columns across tiles', () => {
    const values = random(45 * 70);
    const swapped = transpose(values, 45, 70);
    expect(swapped[3 * 45 + 40]).toBe(values[40 * 70 + 3]);
    expect(transpose(swapped, 70, 45)).toEqual(values);
  });
});

describe('buildVariant', () => {
  it('keeps counts, names and dimensions, and makes the file as much smaller as the precision is', () => {
    const bert = model('bert-base');
    const full = bytes(bert.build());
    const sizes = Object.fromEntries(
      PRECISIONS.map(precision => {
        const { graph, name } = buildVariant(bert, precision, undefined);
        expect(graph.parameters).toBe(109_482_240);
        expect(graph.macs({ batch: 1, sequence: 128, context: 0 })).toBe(11_174_215_680);
        expect(graph.outputs.map(output => output.name)).toEqual(['last_hidden_state', 'pooler_output']);
        expect(name).toBe(precision === 'fp32' ? 'bert-base' : `bert-base-${precision}`);
        expect(new Set(graph.initializers.map(initializer => initializer.name)).size).toBe(graph.initializers.length);
        const made = new Set([
          ...graph.inputs.map(input => input.name),
          ...graph.initializers.map(initializer => initializer.name),
        ]);
        for (const node of graph.nodes) {
          for (const input of node.input) expect(input === '' || made.has(input), `${node.name}: ${input}`).toBe(true);
          for (const output of node.output) made.add(output);
        }
        return [precision, bytes(graph) / full];
      }),
    );
    expect(sizes.fp16).toBeCloseTo(0.5, 3);
    // Embeddings stay fp32: 24 M of the 109 M parameters.
    expect(sizes['int8-dynamic']).toBeCloseTo(0.4155, 2);
    expect(sizes.int4).toBeCloseTo(0.34, 2);
  });

  it('needs a calibration for static int8 alone, and does not write without it', () => {
    const { graph, calibration } = buildVariant(model('mlp-tiny'), 'int8-qdq', undefined);
    expect(calibration?.tensors).toHaveLength(2);
    const scale = graph.initializers.find(({ name }) => name.endsWith('.q.scale'));
    if (scale === undefined) throw new Error('no scale');
    expect(() => floatsOf(scale)).toThrow('was not calibrated');
    for (const precision of PRECISIONS.filter(one => one !== 'int8-qdq')) {
      expect(buildVariant(model('mlp-tiny'), precision, undefined).calibration).toBeNull();
    }
  });

  it.each(SPARSITIES)('%s prunes matrices and leaves gains, biases and tables', sparsity => {
    const { graph, name } = buildVariant(model('mlp-tiny'), 'fp32', sparsity);
    expect(name).toBe(`mlp-tiny-${sparsity.replace(':', 'of')}`);
    const zeros = (tensor: string): number => {
      const initializer = graph.initializers.find(one => one.name === tensor);
      if (initializer === undefined) throw new Error(`no ${tensor}`);
      const values = floatsOf(initializer);
      return values.filter(value => value === 0).length / values.length;
    };
    expect(zeros('fc1.weight')).toBeCloseTo(sparsity === 'unstructured-90' ? 0.9 : 0.5, 2);
    expect(zeros('fc1.bias')).toBe(0);
  });

  it('refuses what ONNX Runtime has no operator for', () => {
    expect(precisionProblem(model('resnet50'), 'int4')).toMatch(/^resnet50 is made of convolutions/);
    expect(precisionProblem(model('resnet50'), 'int8-qdq')).toBeNull();
    for (const one of MODELS) expect(precisionProblem(one, 'fp16')).toBeNull();
  });
});
