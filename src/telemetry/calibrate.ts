/** How often a counter really moves: measured at the start, since documentation gives a figure for another chip. */
import { readFileSync } from 'node:fs';
import { parseNumber } from '../host/kernel-files.ts';

/** Fewer changes than this within the budget say nothing. */
const MIN_CHANGES = 4;

/**
 * Mean seconds between changes of the number in a file, from reading it as fast as can be for at most `budgetSeconds`. Null
 * where it changed too seldom or could not be read. Blocks for that long: before a run, never during one.
 */
export function measureUpdatePeriod(file: string, budgetSeconds: number): number | null {
  const changes: number[] = [];
  const started = performance.now();
  let previous: string | null = null;
  try {
    for (let now = started; now - started < budgetSeconds * 1e3; now = performance.now()) {
      const text = readFileSync(file, 'latin1');
      if (parseNumber(text) === null) return null;
      if (previous !== null && text !== previous) changes.push(now);
      previous = text;
    }
  } catch {
    return null;
  }
  const [first, last] = [changes[0], changes[changes.length - 1]];
  if (changes.length < MIN_CHANGES || first === undefined || last === undefined) return null;
  return ((last - first) * 1e-3) / (changes.length - 1);
}
