/**
 * The probability distributions that decisions rest on. Student's t, the normal, the beta and the binomial come from
 * stdlib (https://stdlib.io, Boost and Cephes algorithms), which the build bundles into this file: a user installs none
 * of it. The noncentral t, which stdlib lacks, is algorithm AS 243 (Lenth, Applied Statistics 38, 1989) over stdlib's
 * incomplete beta. No other file imports stdlib.
 */
import gammaln from '@stdlib/math-base-special-gammaln';
import stdBetaCdf from '@stdlib/stats-base-dists-beta-cdf';
import stdBetaQuantile from '@stdlib/stats-base-dists-beta-quantile';
import stdNormalCdf from '@stdlib/stats-base-dists-normal-cdf';
import stdNormalQuantile from '@stdlib/stats-base-dists-normal-quantile';
import stdTCdf from '@stdlib/stats-base-dists-t-cdf';
import stdTQuantile from '@stdlib/stats-base-dists-t-quantile';

/** P(T <= t) for Student's t with `df` > 0 degrees of freedom (need not be whole). */
export function studentTCdf(t: number, df: number): number {
  return stdTCdf(t, df);
}

/** The t below which a share `p` of Student's distribution lies. `p` in [0, 1], `df` > 0. */
export function studentTQuantile(p: number, df: number): number {
  return stdTQuantile(p, df);
}

/** P(Z <= z) for the standard normal. */
export function normalCdf(z: number): number {
  return stdNormalCdf(z, 0, 1);
}

/** The z below which a share `p` of the standard normal lies. */
export function normalQuantile(p: number): number {
  return stdNormalQuantile(p, 0, 1);
}

/** The regularised incomplete beta function I_x(a, b): P(X <= x) for X ~ Beta(a, b). */
export function betaCdf(x: number, a: number, b: number): number {
  return stdBetaCdf(x, a, b);
}

/** The x below which a share `p` of Beta(a, b) lies. */
export function betaQuantile(p: number, a: number, b: number): number {
  return stdBetaQuantile(p, a, b);
}

/** P(X <= k) for X ~ Binomial(n, p): I_{1-p}(n - k, k + 1) (Abramowitz & Stegun 26.5.24). */
export function binomialCdf(k: number, n: number, p: number): number {
  if (k < 0) return 0;
  if (k >= n) return 1;
  if (p <= 0) return 1;
  if (p >= 1) return 0;
  const whole = Math.floor(k);
  return stdBetaCdf(1 - p, n - whole, whole + 1);
}

/**
 * The exact interval for a share of which `successes` of `trials` were seen (Clopper and Pearson, Biometrika 26, 1934).
 * `confidence` is two-sided: 0.95 leaves 2.5 % on either side.
 */
export function clopperPearson(successes: number, trials: number, confidence: number): [number, number] {
  const tail = (1 - confidence) / 2;
  const low = successes === 0 ? 0 : betaQuantile(tail, successes, trials - successes + 1);
  const high = successes === trials ? 1 : betaQuantile(1 - tail, successes + 1, trials - successes);
  return [low, high];
}

const NONCENTRAL_TERMS = 10_000;
const NONCENTRAL_ERROR = 1e-13;

/**
 * P(T <= t) for the noncentral t with `df` degrees of freedom and noncentrality `delta`: the mixture of incomplete betas
 * of AS 243, summed outwards from its largest Poisson weight so that a large `delta` does not underflow.
 */
export function noncentralTCdf(t: number, df: number, delta: number): number {
  if (delta === 0) return studentTCdf(t, df);
  if (t < 0) return 1 - noncentralTUpperHalf(-t, df, -delta);
  return noncentralTUpperHalf(t, df, delta);
}

/** AS 243 for t >= 0. */
function noncentralTUpperHalf(t: number, df: number, delta: number): number {
  const below = normalCdf(-delta);
  if (t === 0) return below;
  const x = (t * t) / (t * t + df);
  const halfSquare = (delta * delta) / 2;
  const term = (j: number): number => {
    const logWeight = j * Math.log(halfSquare) - halfSquare;
    const p = 0.5 * Math.exp(logWeight - gammaln(j + 1));
    const q = (delta / (2 * Math.SQRT2)) * Math.exp(logWeight - gammaln(j + 1.5));
    return p * betaCdf(x, j + 0.5, df / 2) + q * betaCdf(x, j + 1, df / 2);
  };
  const centre = Math.floor(halfSquare);
  let sum = term(centre);
  for (let j = centre + 1; j < centre + NONCENTRAL_TERMS; j++) {
    const next = term(j);
    sum += next;
    if (Math.abs(next) < NONCENTRAL_ERROR && j > centre + 2) break;
  }
  for (let j = centre - 1; j >= 0; j--) {
    const next = term(j);
    sum += next;
    if (Math.abs(next) < NONCENTRAL_ERROR && j < centre - 2) break;
  }
  return Math.min(1, Math.max(0, below + sum));
}
