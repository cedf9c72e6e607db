/** What a rule says of one case. */
import type { Unit } from '../analysis/observations.ts';

export type Verdict = 'PASS' | 'FAIL' | 'INCONCLUSIVE' | 'UNFIT';

export interface Side {
  /** Geometric mean over the units. */
  value: number;
  units: number;
  launches: number;
  runs: number;
  nodes: number;
  /** Standard deviation of ln over the units; null with one. */
  spread: number | null;
}

export interface Judgement {
  verdict: Verdict;
  /** One sentence: what was found, against what. */
  reason: string;
  /** Candidate over baseline, or the value itself for rules on absolute values. The interval is the one that decides. */
  estimate: { value: number; unit: string; interval: [number, number]; confidence: number } | null;
  /** What the estimate is held against, in the same unit. */
  threshold: [number, number] | [number] | null;
  unit: Unit | null;
  baseline: Side | null;
  candidate: Side | null;
  /** p-value of the failure; null where the verdict is another or rests on no test. */
  pFail: number | null;
  /** Fewer than four units a side. */
  weak: boolean;
  /** Launches (units) a side that would probably decide; null where unknown, or where more would not help. */
  launchesNeeded: number | null;
  notes: string[];
}

const BLANK: Judgement = {
  verdict: 'INCONCLUSIVE',
  reason: '',
  estimate: null,
  threshold: null,
  unit: null,
  baseline: null,
  candidate: null,
  pFail: null,
  weak: false,
  launchesNeeded: null,
  notes: [],
};

/** A judgement that rests on no estimate. */
export function withoutEstimate(verdict: Verdict, reason: string, more: Partial<Judgement> = {}): Judgement {
  return { ...BLANK, ...more, verdict, reason };
}
