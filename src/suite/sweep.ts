/** Pure: message sizes by factor or step, as nccl-tests makes them. */
import { parseBytes } from '../units.ts';
import type { Sweep } from './schema.ts';

const MOST = 1000;

/** Sizes in bytes from `from` to `to`, both included where they are hit, or what is wrong with the sweep. */
export function sweepSizes(sweep: Sweep): number[] | string {
  const from = parseBytes(sweep.from);
  const to = parseBytes(sweep.to);
  const step = sweep.step === undefined ? 0 : parseBytes(sweep.step);
  if (from === null || to === null || step === null) return 'a size of the sweep is not a size in bytes';
  if (from > to) return `the sweep goes from ${from} down to ${to}`;
  if (sweep.factor === undefined && step === 0) return 'the step of the sweep is 0';
  if (sweep.factor !== undefined && from === 0) return 'a sweep by factor cannot begin at 0';
  const sizes: number[] = [];
  for (let size = from; size <= to; size = sweep.factor === undefined ? size + step : Math.ceil(size * sweep.factor)) {
    if (sizes.length === MOST) return `the sweep has more than ${MOST} sizes`;
    sizes.push(size);
  }
  return sizes;
}
