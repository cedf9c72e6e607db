/** Pure: in which order launches run. */
import { seededRandom, shuffled } from '../analysis/random.ts';

export interface PlannedLaunch<C> {
  case: C;
  /** Of the case: 0, 1, 2, … */
  index: number;
  /** Over the whole run. */
  order: number;
  /** Seed of this launch's inputs. */
  seed: number;
}

/**
 * Randomised blocks: block i holds the i-th launch of every case that has one, in random order, so that drift of the
 * machine does not land on one case. The same seed gives the same order.
 */
export function planLaunches<C extends { launches: number }>(cases: readonly C[], seed: number): PlannedLaunch<C>[] {
  const random = seededRandom(seed);
  const blocks = Math.max(0, ...cases.map(item => item.launches));
  const planned: PlannedLaunch<C>[] = [];
  for (let index = 0; index < blocks; index++) {
    for (const item of shuffled(
      cases.filter(({ launches }) => launches > index),
      random,
    )) {
      planned.push({ case: item, index, order: planned.length, seed: random.below(2 ** 32) });
    }
  }
  return planned;
}
