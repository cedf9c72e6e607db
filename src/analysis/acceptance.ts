/**
 * Acceptance sampling of a delivery: how many nodes to test, and what k failures among them say about all. Exact
 * hypergeometric counts where the lot is small enough to matter, which a lot of machines always is.
 */
import { betaQuantile, clopperPearson } from './distributions.ts';

export interface AcceptancePlan {
  lot: number;
  /** Nodes to test. */
  sample: number;
  /** Failures up to which the delivery is accepted. */
  acceptUpTo: number;
  /** Chance of accepting a delivery with exactly the stated share of defects: at most 1 - confidence. */
  consumerRisk: number;
}

/** P(at most k defects in a sample of n from a lot of N with D defects). */
export function hypergeometricCdf(k: number, lot: number, defects: number, sample: number): number {
  let total = 0;
  for (let i = Math.max(0, sample - (lot - defects)); i <= Math.min(k, defects, sample); i++) {
    total += Math.exp(logChoose(defects, i) + logChoose(lot - defects, sample - i) - logChoose(lot, sample));
  }
  return Math.min(1, total);
}

/**
 * The smallest sample such that a lot with a share of `defectRate` defects or more passes with at most `acceptUpTo`
 * failures in no more than 1 - `confidence` of cases (ISO 2859-2's limiting quality, worked out exactly).
 */
export function acceptancePlan(
  lot: number,
  defectRate: number,
  confidence: number,
  acceptUpTo: number,
): AcceptancePlan | null {
  const defects = Math.ceil(defectRate * lot - 1e-9);
  if (defects <= acceptUpTo) return null;
  let low = acceptUpTo + 1;
  let high = lot;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (hypergeometricCdf(acceptUpTo, lot, defects, middle) <= 1 - confidence) high = middle;
    else low = middle + 1;
  }
  return { lot, sample: low, acceptUpTo, consumerRisk: hypergeometricCdf(acceptUpTo, lot, defects, low) };
}

export interface AcceptanceConclusion {
  failures: number;
  tested: number;
  /** One-sided upper bound of the number of defective nodes in the lot, at the confidence. */
  mostDefects: number;
  mostDefectRate: number;
  /** Clopper-Pearson interval of the share for a lot without end, for machines yet to be built. */
  processInterval: [number, number];
}

/** What `failures` among `tested` nodes of a lot say: the largest number of defects that the sample does not rule out. */
export function conclude(lot: number, tested: number, failures: number, confidence: number): AcceptanceConclusion {
  let mostDefects = failures;
  for (let defects = failures; defects <= lot - (tested - failures); defects++) {
    if (hypergeometricCdf(failures, lot, defects, tested) > 1 - confidence) mostDefects = defects;
    else break;
  }
  return {
    failures,
    tested,
    mostDefects,
    mostDefectRate: mostDefects / lot,
    processInterval: clopperPearson(failures, tested, confidence),
  };
}

/** One-sided upper bound of a share: `failures` of `trials`, at `confidence` (Clopper-Pearson). */
export function upperShare(failures: number, trials: number, confidence: number): number {
  return failures >= trials ? 1 : betaQuantile(confidence, failures + 1, trials - failures);
}

const logFactorials = [0, 0];

function logFactorial(n: number): number {
  for (let i = logFactorials.length; i <= n; i++) logFactorials.push((logFactorials[i - 1] ?? 0) + Math.log(i));
  return logFactorials[n] ?? Number.NaN;
}

function logChoose(n: number, k: number): number {
  return k < 0 || k > n ? Number.NEGATIVE_INFINITY : logFactorial(n) - logFactorial(k) - logFactorial(n - k);
}
