/** From two bounds and a threshold to a verdict: the three-valued logic of every rule, on the log scale of the effect. */

import type { Verdict } from './judgement.ts';
import type { RuleKind } from './policy.ts';

/** The range of effects that is acceptable; open ends are infinite. */
export interface Acceptable {
  from: number;
  to: number;
}

/**
 * The acceptable effects of a rule against a baseline, where an effect is d ln(candidate / baseline), d = +1 where higher
 * is better. A margin of 5 % means 0.95 of the rate, or 1.05 of the time.
 */
export function acceptableEffect(kind: RuleKind, share: number, better: 'higher' | 'lower'): Acceptable {
  const loss = better === 'higher' ? Math.log(1 - share) : -Math.log(1 + share);
  const gain = better === 'higher' ? Math.log(1 + share) : -Math.log(1 - share);
  if (kind === 'better_by') return { from: gain, to: Number.POSITIVE_INFINITY };
  if (kind === 'equivalent') return { from: loss, to: gain };
  return { from: loss, to: Number.POSITIVE_INFINITY };
}

/**
 * PASS when the bounds lie inside what is acceptable (for a range with two ends: two one-sided tests, Schuirmann 1987),
 * FAIL when they lie outside it altogether, else INCONCLUSIVE.
 */
export function decide([low, high]: readonly [number, number], { from, to }: Acceptable): Verdict {
  if (low > from && high < to) return 'PASS';
  // A value that has no spread and stands on the threshold is inside: "not worse than" includes "as bad as".
  if (low === high && low >= from && high <= to) return 'PASS';
  if (high < from || low > to) return 'FAIL';
  return 'INCONCLUSIVE';
}
