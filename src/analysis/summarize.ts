/** Pure: from a case's launches to its metrics, limit and warnings. Uses only what the document holds. */
import type { CaseResult, Launch, Metric, Warning } from '../results/schema.ts';
import { metricDefinition } from './metrics.ts';
import { geometricMean, logTInterval, mean, median, standardDeviation } from './statistics.ts';

export const CONFIDENCE = 0.95;

/** Launches that count: measured to the end and not ruled out. */
export function usableLaunches(launches: readonly Launch[]): Launch[] {
  return launches.filter(launch => launch.status === 'ok' && launch.samplesSeconds.length > 0);
}

/**
 * Metrics of a case: each is the geometric mean over launches of the launch's own value, with a two-sided t interval on
 * logarithms. The launch is the unit; with one launch there is no interval. Names without a value are left out.
 */
export function summarizeMetrics(launches: readonly Launch[], metricNames: readonly string[]): Record<string, Metric> {
  const usable = usableLaunches(launches);
  const metrics: Record<string, Metric> = {};
  for (const name of metricNames) {
    const definition = metricDefinition(name);
    if (definition === undefined) continue;
    const values = usable
      .map(launch => definition.ofLaunch(launch))
      .filter(value => value !== null && value > 0) as number[];
    if (values.length === 0 || values.length !== usable.length) continue;
    metrics[name] = {
      value: geometricMean(values),
      unit: definition.unit,
      better: definition.better,
      interval: logTInterval(values, CONFIDENCE),
      confidence: CONFIDENCE,
      launches: values.length,
    };
  }
  return metrics;
}

/**
 * Share of a ceiling that was measured in the same process as the rate: the median over launches of (the launch's rate /
 * the launch's ceiling), so that a clock that moves between launches does not count. A ceiling below its own launch's rate was
 * disturbed: the highest of the launches stands in for it (see ceilingWarnings). Null where a launch lacks either.
 */
export function shareOfLimit(
  launches: readonly Launch[],
  limit: { ceiling: string; metric: string },
): CaseResult['limit'] {
  const held = heldToCeiling(launches, limit);
  const definition = metricDefinition(limit.metric);
  if (held === null || definition === undefined) return null;
  return {
    name: limit.ceiling,
    value: median(held.map(({ ceiling }) => ceiling)),
    unit: definition.unit,
    fraction: median(held.map(({ value, ceiling }) => value / ceiling)),
    ...boundBy(usableLaunches(launches), limit.ceiling),
  };
}

/** Of a roofline: memory where it lies below the FMA peak in most launches. */
function boundBy(usable: readonly Launch[], ceiling: string): { boundBy?: 'compute' | 'memory' } {
  if (ceiling !== 'roofline_flops_per_second') return {};
  const memory = usable.filter(({ ceilings }) => {
    const peak = ceilings.fma_flops_per_second;
    return peak !== undefined && (ceilings[ceiling] ?? 0) < peak;
  });
  return { boundBy: 2 * memory.length > usable.length ? 'memory' : 'compute' };
}

/** Rate and ceiling of each usable launch, in their order, as `shareOfLimit` takes them; null where a launch lacks either. */
export function heldToCeiling(
  launches: readonly Launch[],
  limit: { ceiling: string; metric: string },
): { value: number; ceiling: number }[] | null {
  const definition = metricDefinition(limit.metric);
  const usable = usableLaunches(launches);
  if (definition === undefined || usable.length === 0) return null;
  const measured: { value: number; ceiling: number }[] = [];
  for (const launch of usable) {
    const ceiling = launch.ceilings[limit.ceiling];
    const value = definition.ofLaunch(launch);
    if (ceiling === undefined || ceiling <= 0 || value === null) return null;
    measured.push({ value, ceiling });
  }
  const highest = Math.max(...measured.map(({ ceiling }) => ceiling));
  return measured.map(({ value, ceiling }) => ({ value, ceiling: ceiling >= value ? ceiling : highest }));
}

/** A warning where a launch's own ceiling lies below its rate: something disturbed the probe. From docs/methodology.md. */
export function ceilingWarnings(launches: readonly Launch[], limit: { ceiling: string; metric: string }): Warning[] {
  const usable = usableLaunches(launches);
  const disturbed = usable.filter(launch => {
    const value = metricDefinition(limit.metric)?.ofLaunch(launch) ?? 0;
    return value > (launch.ceilings[limit.ceiling] ?? Number.POSITIVE_INFINITY);
  });
  if (disturbed.length === 0) return [];
  return [
    {
      code: 'CEILING_DISTURBED',
      message: `In ${disturbed.length} of ${usable.length} launches something disturbed the probe of the ceiling, which came out below the rate; the highest of the other launches stands in for it.`,
      remedy: 'Leave the machine idle and run again before the share of the limit is relied on.',
    },
  ];
}

/** How far launches of a case lie apart, and whether the first stands out or they drift; from methodology.md §3. */
export function steadinessWarnings(launches: readonly Launch[], metricName: string): Warning[] {
  const definition = metricDefinition(metricName);
  const usable = usableLaunches(launches);
  const values = usable.flatMap(launch => definition?.ofLaunch(launch) ?? []);
  const warnings: Warning[] = [];
  const failed = launches.filter(launch => launch.status === 'failed').length;
  // Where none went well the case itself says why.
  if (failed > 0 && usable.length > 0) {
    warnings.push({
      code: 'LAUNCH_FAILED',
      message: `${failed} of ${launches.length} launches failed: ${launches.find(launch => launch.status === 'failed')?.reason ?? 'unknown reason'}`,
      remedy: 'Run again; if it stays, run the case alone with --filter and look at the reason.',
    });
  }
  const unsettled = usable.filter(launch => launch.warmup !== undefined && !launch.warmup.settled).length;
  if (unsettled > 0) {
    warnings.push({
      code: 'WARMUP_UNSETTLED',
      message: `in ${unsettled} of ${usable.length} launches the warm-up did not settle within its bound.`,
      remedy: 'Leave the machine idle, or give it longer with --set timing.maxWarmupSeconds=5.',
    });
  }
  if (values.length < 2) return warnings;
  const variation = standardDeviation(values) / mean(values);
  if (variation > 0.05) {
    warnings.push({
      code: 'LAUNCHES_VARY',
      message: `launches vary by ${(100 * variation).toFixed(1)} % (standard deviation over mean).`,
      remedy: 'Stop other work on the machine, and take more launches with --launches 10.',
    });
  }
  const [first, ...rest] = values;
  if (first !== undefined && rest.length >= 3) {
    const spread = standardDeviation(rest);
    const shift = first - mean(rest);
    if (Math.abs(shift) > 4 * spread && Math.abs(shift) > 0.02 * mean(rest)) {
      warnings.push({
        code: 'FIRST_LAUNCH_DIFFERS',
        message: `the first launch lies ${((100 * shift) / mean(rest)).toFixed(1)} % from the others.`,
        remedy: 'Run once before, so that caches, clocks and temperature have settled.',
      });
    }
  }
  return warnings;
}
