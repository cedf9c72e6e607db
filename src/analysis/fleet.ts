/**
 * The slow node among many: like machines form a cohort, and within it a node stands out where it is both improbable and
 * materially below the cohort's median. Pure.
 */
import { studentTCdf } from './distributions.ts';
import { benjaminiHochberg } from './multiplicity.ts';
import { geometricMean, median } from './statistics.ts';

export interface FleetNode {
  host: string;
  label: string | null;
  /** Machines with the same key are alike: model of CPU, cores, memory, accelerators. */
  cohort: string;
  /** `case id` + metric to the values of this node's documents. */
  values: Map<string, FleetValue>;
}

export interface FleetValue {
  case: string;
  metric: string;
  better: 'higher' | 'lower';
  /** One per document. */
  values: number[];
}

export interface FleetFinding {
  case: string;
  metric: string;
  value: number;
  cohortMedian: number;
  /** Share by which it is worse than the median. */
  worseBy: number;
  /** Robust z of the logarithm, negative where worse. */
  robustZ: number;
  /** p-value corrected over all nodes and cases of the cohort (Benjamini and Hochberg). */
  q: number;
}

export interface FleetOutlier {
  host: string;
  label: string | null;
  findings: FleetFinding[];
  /** Cases on which it was judged. */
  judged: number;
}

export interface Cohort {
  key: string;
  nodes: number;
  /** Fewer nodes than this cannot show which of them is odd. */
  judged: boolean;
  cases: number;
  /** Median over the cases of the robust spread between nodes (1.4826 MAD of ln). */
  spread: number | null;
  outliers: FleetOutlier[];
}

export interface FleetSettings {
  /** Practical margin, as a share: less is never called slow, however improbable. */
  margin: number;
  /** Expected share of false alarms among the alarms. */
  falseDiscoveryRate: number;
}

/** Mean and standard deviation cannot flag anything among eight: the largest possible |z| there is 2.47. */
export const ROBUST_Z_LIMIT = -3.5;
export const SMALLEST_COHORT = 5;

/** MAD to standard deviation, and mean absolute deviation to it, for the normal distribution. */
const MAD_FACTOR = 1.4826;
const MEAN_DEVIATION_FACTOR = 1.2533;

/** Cohorts, the largest first, and in each the nodes that stand out, the worst first. */
export function findOutliers(nodes: readonly FleetNode[], settings: FleetSettings): Cohort[] {
  const cohorts = new Map<string, FleetNode[]>();
  for (const node of nodes) cohorts.set(node.cohort, [...(cohorts.get(node.cohort) ?? []), node]);
  return [...cohorts]
    .map(([key, members]) => judgeCohort(key, members, settings))
    .sort((a, b) => b.nodes - a.nodes || (a.key < b.key ? -1 : 1));
}

interface Reading {
  node: FleetNode;
  finding: Omit<FleetFinding, 'q'>;
  p: number;
}

function judgeCohort(key: string, nodes: readonly FleetNode[], settings: FleetSettings): Cohort {
  const keys = new Set(nodes.flatMap(node => [...node.values.keys()]));
  const judged = nodes.length >= SMALLEST_COHORT;
  if (!judged) return { key, nodes: nodes.length, judged, cases: keys.size, spread: null, outliers: [] };
  const spreads: number[] = [];
  const readings: Reading[] = [];
  for (const valueKey of keys) {
    const found = judgeCase(valueKey, nodes);
    if (found === null) continue;
    spreads.push(found.spread);
    readings.push(...found.readings);
  }
  const corrected = benjaminiHochberg(readings.map(reading => reading.p));
  const outliers = new Map<FleetNode, FleetFinding[]>();
  readings.forEach(({ node, finding }, index) => {
    const q = corrected[index] ?? 1;
    if (q > settings.falseDiscoveryRate || finding.robustZ > ROBUST_Z_LIMIT || finding.worseBy <= settings.margin)
      return;
    outliers.set(node, [...(outliers.get(node) ?? []), { ...finding, q }]);
  });
  return {
    key,
    nodes: nodes.length,
    judged,
    cases: keys.size,
    spread: spreads.length === 0 ? null : median(spreads),
    outliers: [...outliers]
      .map(([node, findings]) => ({
        host: node.host,
        label: node.label,
        findings: findings.sort((a, b) => b.worseBy - a.worseBy || (a.case < b.case ? -1 : 1)),
        judged: node.values.size,
      }))
      .sort((a, b) => b.findings.length - a.findings.length || (a.host < b.host ? -1 : 1)),
  };
}

/** Every node's place on one case. Null where too few have it, or a value has no logarithm. */
function judgeCase(key: string, nodes: readonly FleetNode[]): { spread: number; readings: Reading[] } | null {
  const present: { node: FleetNode; about: FleetValue; value: number; score: number }[] = [];
  for (const node of nodes) {
    const about = node.values.get(key);
    if (about === undefined) continue;
    const value = geometricMean(about.values);
    // Higher is better on this scale, whatever the metric.
    const score = about.better === 'higher' ? Math.log(value) : -Math.log(value);
    if (Number.isFinite(score)) present.push({ node, about, value, score });
  }
  if (present.length < SMALLEST_COHORT) return null;
  const scores = present.map(({ score }) => score);
  const centre = median(scores);
  const spread = robustSpread(scores, centre);
  const readings = present.map(({ node, about, value, score }) => {
    const distance = score - centre;
    const robustZ = distance === 0 ? 0 : distance / spread;
    const cohortMedian = Math.exp(about.better === 'higher' ? centre : -centre);
    const worseBy = about.better === 'higher' ? 1 - value / cohortMedian : value / cohortMedian - 1;
    return {
      node,
      finding: { case: about.case, metric: about.metric, value, cohortMedian, worseBy, robustZ },
      p: Number.isFinite(robustZ) ? studentTCdf(robustZ, present.length - 1) : robustZ < 0 ? 0 : 1,
    };
  });
  return { spread, readings };
}

/** MAD, or where more than half agree the mean deviation (Iglewicz and Hoaglin 1993); 0 where all agree. */
function robustSpread(scores: readonly number[], centre: number): number {
  const deviations = scores.map(score => Math.abs(score - centre));
  const mad = MAD_FACTOR * median(deviations);
  if (mad > 0) return mad;
  return (MEAN_DEVIATION_FACTOR * deviations.reduce((total, value) => total + value, 0)) / deviations.length;
}
