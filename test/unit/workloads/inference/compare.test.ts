import { describe, expect, it } from 'vitest';
import { float32, type NamedTensors } from '../../../../src/models/tensor.ts';
import {
  compareOutputs,
  compareWithTwins,
  damage,
  FAULTS,
  halfToNumber,
  METHOD,
  RMS_METHOD,
  tensorError,
} from '../../../../src/workloads/inference/compare.ts';
import { withinFidelity } from '../../../../src/workloads/inference/fidelity.ts';

const tensor = (...values: number[]) => float32([1, values.length], Float32Array.from(values));
const named = (...values: number[]): NamedTensors => ({ y: tensor(...values) });

describe('tensorError', () => {
  it('is relative for large elements and against the rms for those near zero', () => {
    // rms of (3, 4, 0) is sqrt(25/3).
    const rms = Math.sqrt(25 / 3);
    expect(tensorError(tensor(3, 4, 0.01), tensor(3, 4, 0))).toBeCloseTo(0.01 / rms, 6);
    expect(tensorError(tensor(3, 4.1, 0), tensor(3, 4, 0))).toBeCloseTo(0.1 / (4 + rms), 6);
    expect(tensorError(tensor(1, 2), tensor(1, 2))).toBe(0);
  });

  it('takes equal values that are not finite as equal, and others as worst', () => {
    expect(tensorError(tensor(-Infinity, Number.NaN, 1), tensor(-Infinity, Number.NaN, 1))).toBe(0);
    expect(tensorError(tensor(Infinity, 1), tensor(-Infinity, 1))).toBe(Infinity);
    expect(tensorError(tensor(1, 1), tensor(Number.NaN, 1))).toBe(Infinity);
    expect(tensorError(tensor(Number.NaN, 1), tensor(1, 1))).toBe(Infinity);
  });

  it.each([
    ['missing', undefined],
    ['of another type', { type: 'float64', dims: [1, 2], data: Float64Array.of(1, 2) }],
    ['of another rank', { type: 'float32', dims: [2], data: Float32Array.of(1, 2) }],
    ['of another shape', { type: 'float32', dims: [2, 1], data: Float32Array.of(1, 2) }],
    ['shorter than its shape', { type: 'float32', dims: [1, 2], data: Float32Array.of(1) }],
  ])('cannot compare what is %s', (_what, actual) => {
    expect(tensorError(actual, tensor(1, 2))).toBe(Infinity);
  });

  it('compares integers, half precision and text', () => {
    const ids = (...values: bigint[]) => ({ type: 'int64', dims: [2], data: BigInt64Array.from(values) });
    expect(tensorError(ids(5n, 6n), ids(5n, 6n))).toBe(0);
    expect(tensorError(ids(5n, 7n), ids(5n, 6n))).toBeGreaterThan(0.05);
    const half = (...bits: number[]) => ({ type: 'float16', dims: [2], data: Uint16Array.from(bits) });
    expect(tensorError(half(0x3c00, 0x4000), half(0x3c00, 0x4000))).toBe(0);
    expect(tensorError(half(0xbc00, 0x4000), half(0x3c00, 0x4000))).toBeGreaterThan(0.5);
    const text = (...data: string[]) => ({ type: 'string', dims: [1], data });
    expect(tensorError(text('a'), text('a'))).toBe(0);
    expect(tensorError(text('b'), text('a'))).toBe(Infinity);
  });
});

describe('halfToNumber', () => {
  it.each([
    [0x3c00, 1],
    [0xc000, -2],
    [0x7bff, 65504],
    [0x0001, 2 ** -24],
    [0x0400, 2 ** -14],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0, 0],
  ])('%i is %d', (bits, value) => {
    expect(halfToNumber(bits)).toBe(value);
  });

  it('knows NaN', () => {
    expect(halfToNumber(0x7e00)).toBeNaN();
  });
});

const fp32 = { element: 1e-4, rms: null };

describe('compareOutputs', () => {
  const reference = [named(1, -0.5, 0.25, 2), named(-1, 0.75, 0.1, 1)];

  it('passes equal outputs and rounding', () => {
    expect(compareOutputs(reference, reference, fp32)).toMatchObject({ passed: true, error: 0, tolerance: 1e-4 });
    const rounded = [named(1 + 1e-6, -0.5, 0.25, 2), reference[1] ?? {}];
    expect(compareOutputs(rounded, reference, fp32).passed).toBe(true);
  });

  it.each(FAULTS)('catches the fault %s', fault => {
    const [first = {}, second = {}] = reference;
    const harmed = damage(first, fault, second);
    expect(compareOutputs([harmed, second], reference, fp32).passed).toBe(false);
    expect(first).toEqual(named(1, -0.5, 0.25, 2));
  });

  it('holds many roundings by their mean square, and a single element by its own bound', () => {
    const length = 1000;
    const values = Float32Array.from({ length }, (_, i) => Math.sin(i));
    const of = (change: (value: number, index: number) => number) => [
      { y: { type: 'float32', dims: [length], data: values.map(change) } },
    ];
    const right = of(value => value);
    const bounds = { element: 0.25, rms: 0.05 };
    const rounded = compareOutputs(
      of((value, i) => value + (i % 2 === 0 ? 0.02 : -0.02)),
      right,
      bounds,
    );
    expect(rounded).toMatchObject({ passed: true, method: RMS_METHOD, tolerance: 0.05 });
    expect(rounded.error).toBeCloseTo(0.02 * Math.SQRT2, 3);
    // Every element within its bound, and too many of them off.
    expect(
      compareOutputs(
        of(value => value * 1.1),
        right,
        bounds,
      ),
    ).toMatchObject({ passed: false, method: RMS_METHOD });
    // One element that is wrong hardly moves the mean square.
    const flipped = compareOutputs(
      of((value, i) => (i === 500 ? -value : value)),
      right,
      bounds,
    );
    expect(flipped).toMatchObject({ passed: false, method: METHOD, tolerance: 0.25 });
    for (const fault of FAULTS) {
      const other = of(value => -value)[0] ?? {};
      expect(compareOutputs([damage(right[0] ?? {}, fault, other)], right, bounds).passed, fault).toBe(false);
    }
  });

  it('gives no figure where there is none: it would not survive JSON', () => {
    const [first = {}, second = {}] = reference;
    expect(compareOutputs([damage(first, 'nan', second), second], reference, fp32).error).toBeNull();
    expect(compareOutputs([first], reference, fp32)).toMatchObject({ passed: false, error: null });
    expect(compareOutputs([{}, second], reference, fp32)).toMatchObject({ passed: false, error: null });
  });
});

describe('compareWithTwins', () => {
  const tensor = (values: number[]) => ({
    y: { type: 'float32', dims: [values.length], data: Float32Array.from(values) },
  });
  const wide = { element: 0.3, rms: 0.1 };
  const reference = [tensor([1, 2, 3, 4])];

  it('holds what passes a wide bound to a narrow one against its like', () => {
    const twins = [tensor([1.01, 2, 3, 4])];
    expect(compareWithTwins(twins, reference, wide, twins)).toMatchObject({
      passed: true,
      method: expect.stringContaining('another session of the same options'),
    });
    // Within the wide bound, and not what the twin gave.
    expect(compareWithTwins([tensor([1.02, 2, 3, 4])], reference, wide, twins)).toMatchObject({
      passed: false,
      tolerance: 1e-4,
    });
    expect(compareWithTwins([tensor([1.02, 2, 3, 4])], reference, wide, []).passed).toBe(true);
    expect(compareWithTwins([tensor([9, 2, 3, 4])], reference, wide, [tensor([9, 2, 3, 4])]).passed).toBe(false);
  });
});

describe('withinFidelity', () => {
  const verification = { method: 'm', passed: true, error: 0, tolerance: 1 };
  it.each([
    ['int4', undefined, 0.5, true],
    ['int4', undefined, 0.8, false],
    ['int8-dynamic', undefined, 0.2, false],
    ['fp16', undefined, Number.NaN, false],
    // Pruning is meant to change the output.
    ['int4', '2:4', 0.8, true],
  ] as const)('%s %s off by %d: %s', (precision, sparsity, fp32RmsError, passed) => {
    const given = sparsity === undefined ? { precision } : { precision, sparsity };
    expect(withinFidelity({ fp32RmsError }, given, verification).passed).toBe(passed);
  });
});
