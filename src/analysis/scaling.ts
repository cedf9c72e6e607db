/**
 * What more cores bring: the cases of a document that differ only in their threads or ranks, held against the one with the fewest.
 * Pure. Strong scaling is the same work on more cores, weak scaling the same work per core; which of the two a group is follows
 * from its parameters.
 */
import type { CaseResult, Metric, ResultDocument } from '../results/schema.ts';

export interface ScalingPoint {
  cores: number;
  id: string;
  /** The case's rate; of a collective the bus bandwidth, which does not depend on the number of ranks where links are alike. */
  rate: Metric;
  /** Rate over that of the fewest cores; null for a collective, whose work grows with its ranks. */
  speedUp: number | null;
  /** Speed-up over the ratio of cores; of a collective the ratio of bus bandwidths. With the interval that both rates leave it. */
  efficiency: number;
  efficiencyInterval: readonly [number, number] | null;
  /** Energy per unit of work, J; null where it was not measured. */
  joulesPerWork: number | null;
  /** More threads or ranks than usable CPUs. */
  crowded: boolean;
}

export interface ScalingGroup {
  kind: 'strong' | 'weak';
  workload: string;
  /** What all points have in common: `dtype=f32 n=1024`. */
  common: string;
  points: ScalingPoint[];
}

const BUS = 'bus_bandwidth_bytes_per_second';

/** Groups of at least two points, in the document's order; points by cores. */
export function scalingGroups({ cases, host }: ResultDocument): ScalingGroup[] {
  const groups = new Map<string, { kind: ScalingGroup['kind']; workload: string; common: string; of: CaseResult[] }>();
  for (const item of cases) {
    const cores = coresOf(item, host.cpu.usableCores);
    if (item.status !== 'measured' || cores === null || rateOf(item) === null) continue;
    const { threads: _threads, ranks: _ranks, ...others } = item.params;
    const keys: [ScalingGroup['kind'], object][] = [['strong', others]];
    // A product whose rows grow with the threads. The same rows on more threads are in the other group.
    if (typeof others.m === 'number') {
      const { m, ...shape } = others;
      keys.push(['weak', { ...shape, mPerCore: (m as number) / cores }]);
    }
    for (const [kind, common] of keys) {
      const key = `${kind} ${item.workload} ${item.backend} ${item.device} ${JSON.stringify(common)}`;
      const group = groups.get(key) ?? { kind, workload: item.workload, common: text(common, item), of: [] };
      group.of.push(item);
      groups.set(key, group);
    }
  }
  return [...groups.values()].flatMap(group => {
    const points = pointsOf(group.of, host.cpu.usableCores);
    return points.length < 2 ? [] : [{ kind: group.kind, workload: group.workload, common: group.common, points }];
  });
}

/** `all` is as many as the process may use; under MPI the case says what it ran on. Null for a case that has neither threads nor ranks. */
function coresOf({ params, facts, backend }: CaseResult, usable: number): number | null {
  if (backend === 'mpi') return Number(facts.cores ?? facts.ranks) || null;
  const value = params.threads ?? params.ranks;
  if (value === 'all') return usable;
  return typeof value === 'number' && value > 0 ? value : null;
}

function rateOf({ metrics, headline }: CaseResult): Metric | null {
  const metric = metrics[BUS] ?? (headline === null ? undefined : metrics[headline]);
  return metric !== undefined && metric.better === 'higher' && metric.value > 0 ? metric : null;
}

function text(common: object, { backend }: CaseResult): string {
  return [...Object.entries(common).map(([name, value]) => `${name}=${String(value)}`), backend].join(' ');
}

function pointsOf(cases: readonly CaseResult[], usable: number): ScalingPoint[] {
  // `all` and its number are the same point: the first stands for both.
  const byCores = new Map<number, CaseResult>();
  for (const item of cases) {
    const cores = coresOf(item, usable);
    if (cores !== null && !byCores.has(cores)) byCores.set(cores, item);
  }
  const sorted = [...byCores].sort(([a], [b]) => a - b);
  const [first] = sorted;
  const base = first && rateOf(first[1]);
  if (first === undefined || !base) return [];
  return sorted.flatMap(([cores, item]) => {
    const rate = rateOf(item);
    if (rate === null || rate.unit !== base.unit) return [];
    const ratio = rate.value / base.value;
    const efficiency = item.metrics[BUS] === undefined ? (ratio * first[0]) / cores : ratio;
    const energy = item.energy.find(({ status }) => status === 'ok')?.throughputPerWatt;
    return [
      {
        cores,
        id: item.id,
        rate,
        speedUp: item.metrics[BUS] === undefined ? ratio : null,
        efficiency,
        efficiencyInterval: item === first[1] ? null : intervalOf(efficiency, rate, base),
        joulesPerWork: energy && energy.value > 0 ? 1 / energy.value : null,
        crowded: item.backend === 'mpi' ? item.facts.oversubscribed === 'true' : cores > usable,
      },
    ];
  });
}

/** Of a ratio of two independent rates: half-widths of their logarithms in quadrature, side by side. */
function intervalOf(value: number, rate: Metric, base: Metric): readonly [number, number] | null {
  if (!rate.interval || !base.interval) return null;
  const below = (metric: Metric): number => Math.log(metric.value / (metric.interval?.[0] ?? metric.value));
  const above = (metric: Metric): number => Math.log((metric.interval?.[1] ?? metric.value) / metric.value);
  return [
    value * Math.exp(-Math.hypot(below(rate), above(base))),
    value * Math.exp(Math.hypot(above(rate), below(base))),
  ];
}
