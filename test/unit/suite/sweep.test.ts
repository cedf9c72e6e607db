import { expect, it } from 'vitest';
import { sweepSizes } from '../../../src/suite/sweep.ts';

it.each([
  [{ from: 8, to: 64, factor: 2 }, [8, 16, 32, 64]],
  [{ from: 8, to: '1KiB', factor: 8 }, [8, 64, 512]],
  [{ from: 0, to: 12, step: 4 }, [0, 4, 8, 12]],
  [{ from: '1KiB', to: '1KiB', factor: 2 }, [1024]],
])('%j', (sweep, sizes) => {
  expect(sweepSizes(sweep)).toEqual(sizes);
});

it.each([
  [{ from: 64, to: 8, factor: 2 }, /down to/],
  [{ from: 0, to: 8, factor: 2 }, /cannot begin at 0/],
  [{ from: 0, to: 8, step: 0 }, /step of the sweep is 0/],
  [{ from: 'many', to: 8, step: 1 }, /not a size/],
  [{ from: 0, to: 1e6, step: 1 }, /more than 1000/],
])('%j is refused', (sweep, reason) => {
  expect(sweepSizes(sweep)).toMatch(reason);
});
