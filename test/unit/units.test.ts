import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatQuantity, formatRange, parseBytes, significant } from '../../src/units.ts';

describe('numbers for people', () => {
  it.each([
    [2.1e11, 'FLOP/s', '210.0 GFLOP/s'],
    [1.5e-7, 's', '150.0 ns'],
    [0.0123, 's', '12.30 ms'],
    [3.5, 's', '3.500 s'],
    [53.4, 'inf/s', '53.40 inf/s'],
    [0.25, 'inf/s', '250.0 minf/s'],
    [0, 'W', '0 W'],
  ])('%d %s is %s', (value, unit, text) => expect(formatQuantity(value, unit)).toBe(text));

  it.each([
    [0, '0'],
    [Number.NaN, '–'],
    [1234.5, '1235'],
    [12.345, '12.35'],
  ])('%d has the digits %s', (value, text) => expect(significant(value)).toBe(text));

  it.each([
    [65_536, '64 KiB'],
    [1.5 * 2 ** 30, '1.50 GiB'],
    [12, '12 B'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [4.25, '4.3 s'],
    [95, '95 s'],
    [125, '2 min 5 s'],
    [7260, '2 h 1 min'],
  ])('%d seconds are %s', (seconds, text) => expect(formatDuration(seconds)).toBe(text));

  it.each([
    ['64KiB', 65_536],
    ['64k', 65_536],
    ['1.5 GiB', 1.5 * 2 ** 30],
    [8, 8],
    ['8', 8],
    ['x', null],
    ['1.5', null],
    [-1, null],
    ['5 parsecs', null],
  ])('%s is read as %s', (text, bytes) => expect(parseBytes(text)).toBe(bytes));
});

describe('formatRange', () => {
  it.each([
    [8.2e10, 1.36e11, 'FLOP/s', '82.00 – 136.0 GFLOP/s'],
    [9e8, 1.7e10, 'FLOP/s', '0.9000 – 17.00 GFLOP/s'],
    [1.594e-7, 1.855e-7, 's', '159.4 – 185.5 ns'],
    [-1, 0, 'W', '-1.000 – 0 W'],
  ])('%d to %d %s', (low, high, unit, expected) => expect(formatRange(low, high, unit)).toBe(expected));
});
