/** How many launches a decision needs, from the noncentral t distribution. */
import { noncentralTCdf, normalQuantile, studentTQuantile } from './distributions.ts';

/** Asked for beyond this many launches a side, the answer is that more launches are not the way. */
export const MOST_LAUNCHES = 1000;

/**
 * Chance that a one-sided test at `alpha` finds a true distance `effect` from its threshold, with `n` launches a side and
 * standard deviation `sd` of one launch on each (Julious, Statistics in Medicine 23, 2004, eq. 6).
 */
export function powerOfTwoSamples(effect: number, sd: number, n: number, alpha: number): number {
  if (n < 2) return 0;
  if (sd === 0) return effect > 0 ? 1 : 0;
  const df = 2 * n - 2;
  return 1 - noncentralTCdf(studentTQuantile(1 - alpha, df), df, effect / (sd * Math.sqrt(2 / n)));
}

/** The same against a fixed value: one sample of `n` launches. */
export function powerOfOneSample(effect: number, sd: number, n: number, alpha: number): number {
  if (n < 2) return 0;
  if (sd === 0) return effect > 0 ? 1 : 0;
  return 1 - noncentralTCdf(studentTQuantile(1 - alpha, n - 1), n - 1, (effect / sd) * Math.sqrt(n));
}

export type Power = typeof powerOfTwoSamples;

/** Smallest n (a side) with at least `power`; null when even MOST_LAUNCHES do not give it. */
export function launchesNeeded(effect: number, sd: number, alpha: number, power: number, of: Power): number | null {
  const distance = Math.abs(effect);
  if (!(distance > 0) || !Number.isFinite(sd) || of(distance, sd, MOST_LAUNCHES, alpha) < power) return null;
  let low = 2;
  let high = MOST_LAUNCHES;
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (of(distance, sd, middle, alpha) >= power) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The smallest true difference (in the unit of `sd`) that a two-sided test at `1 - confidence` finds with `power`, with
 * these sizes and this pooled standard deviation of one launch. null with fewer than two values on a side.
 */
export function minimumDetectable(sd: number, m: number, n: number, confidence: number, power: number): number | null {
  if (m < 2 || n < 2 || !Number.isFinite(sd)) return null;
  return detectableNoncentrality(m + n - 2, confidence, power) * sd * Math.sqrt(1 / m + 1 / n);
}

const noncentralities = new Map<string, number>();

/** The noncentrality at which the test has the power; the same for every case with these sizes, so worked out once. */
function detectableNoncentrality(df: number, confidence: number, power: number): number {
  const key = `${df}/${confidence}/${power}`;
  const known = noncentralities.get(key);
  if (known !== undefined) return known;
  const critical = studentTQuantile((1 + confidence) / 2, df);
  const miss = (delta: number): number => power - 1 + noncentralTCdf(critical, df, delta);
  // Secant steps from the normal approximation: power is nearly linear in delta there.
  let before = critical;
  let missBefore = miss(before);
  let delta = critical + normalQuantile(power);
  for (let step = 0; step < 30 && Math.abs(delta - before) > 1e-9; step++) {
    const missed = miss(delta);
    if (missed === missBefore) break;
    const next = delta - (missed * (delta - before)) / (missed - missBefore);
    before = delta;
    missBefore = missed;
    delta = next;
  }
  noncentralities.set(key, delta);
  return delta;
}
