/** The BCa bootstrap over launches, for quantities whose spread follows no simple law: p99, cost per token, ratios. */
import { normalCdf, normalQuantile } from './distributions.ts';
import { seededRandom } from './random.ts';
import { mean, quantileOfSorted } from './statistics.ts';

/** Below this many launches a bootstrap's tails are guesses: it is refused. */
export const BOOTSTRAP_MINIMUM = 10;
export const BOOTSTRAP_REPLICATES = 2000;

export interface BootstrapSettings {
  confidence: number;
  seed: number;
  replicates?: number;
}

/**
 * Bias-corrected and accelerated interval (Efron, Journal of the American Statistical Association 82, 1987; Efron and
 * Tibshirani 1993, §14.3) of a statistic of one or more independent groups. Each group is resampled on its own; the
 * acceleration comes from the jackknife over all of them.
 * @returns null when a group has fewer than BOOTSTRAP_MINIMUM values.
 */
export function bcaInterval(
  groups: readonly (readonly number[])[],
  statistic: (groups: readonly (readonly number[])[]) => number,
  { confidence, seed, replicates = BOOTSTRAP_REPLICATES }: BootstrapSettings,
): [number, number] | null {
  if (groups.some(group => group.length < BOOTSTRAP_MINIMUM)) return null;
  const random = seededRandom(seed);
  const observed = statistic(groups);
  const resampled = new Float64Array(replicates);
  for (let r = 0; r < replicates; r++) {
    resampled[r] = statistic(groups.map(group => group.map(() => group[random.below(group.length)] ?? Number.NaN)));
  }
  resampled.sort();
  if (!(Number.isFinite(resampled[0]) && Number.isFinite(resampled[replicates - 1]))) return null;
  if (resampled[0] === resampled[replicates - 1]) return [observed, observed];
  const bias = normalQuantile(shareBelow(resampled, observed));
  const acceleration = jackknifeAcceleration(groups, statistic);
  const end = (p: number): number => {
    const z = bias + normalQuantile(p);
    return quantileOfSorted(resampled, normalCdf(bias + z / (1 - acceleration * z)));
  };
  const tail = (1 - confidence) / 2;
  return [end(tail), end(1 - tail)];
}

/** Share of replicates below the observed value, ties by halves, kept off 0 and 1 so that its normal quantile is finite. */
function shareBelow(sorted: Float64Array, observed: number): number {
  let below = 0;
  for (const value of sorted) below += value < observed ? 1 : value === observed ? 0.5 : 0;
  return Math.min(1 - 0.5 / sorted.length, Math.max(0.5 / sorted.length, below / sorted.length));
}

/** a = sum d^3 / (6 (sum d^2)^1.5) with d the deviations of the leave-one-out values, scaled per group. */
function jackknifeAcceleration(
  groups: readonly (readonly number[])[],
  statistic: (groups: readonly (readonly number[])[]) => number,
): number {
  let cubes = 0;
  let squares = 0;
  groups.forEach((group, which) => {
    const leftOut = group.map((_, drop) =>
      statistic(groups.map((other, index) => (index === which ? other.filter((_, i) => i !== drop) : other))),
    );
    const centre = mean(leftOut);
    for (const value of leftOut) {
      const influence = ((centre - value) * (group.length - 1)) / group.length;
      cubes += influence ** 3;
      squares += influence ** 2;
    }
  });
  return squares === 0 ? 0 : cubes / (6 * squares ** 1.5);
}
