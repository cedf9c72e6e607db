/** From documents to the plain numbers that decisions use: one per launch, recomputed from the samples, never read off. */
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import { metricDefinition } from './metrics.ts';
import { geometricMean } from './statistics.ts';
import { heldToCeiling, usableLaunches } from './summarize.ts';

/** The share of its roofline or line rate that a case reached; per launch: headline over the ceiling of that process. */
export const LIMIT_FRACTION = 'limit_fraction';

/** A case together with the document that holds it. */
export interface Sighting {
  document: ResultDocument;
  result: CaseResult;
}

/**
 * What tells machines apart: the id, and where the run warned that other machines may have the same one (containers of one
 * image) also the label.
 */
export function machineOf({ host, warnings }: Identified): string {
  return warnings.some(({ code }) => code === WEAK_ID) ? `${host.id}\n${host.label ?? ''}` : host.id;
}

/** The part of a document that its machine is told by. */
export interface Identified {
  host: { id: string; label?: string | undefined };
  warnings: readonly { code: string }[];
}

export const WEAK_ID = 'HOST_ID_WEAK';

/** What the unit of inference is: a launch, a whole run, or a machine. docs/statistics.md says when each applies. */
export type Unit = 'launch' | 'run' | 'node';

/** For sentences: `launches`, `runs`, `nodes`. */
export function unitsText(unit: Unit): string {
  return unit === 'launch' ? 'launches' : `${unit}s`;
}

export interface Observations {
  unit: Unit;
  /** One value per unit. */
  values: number[];
  launches: number;
  runs: number;
  nodes: number;
}

/** Unit and direction of a quantity, or null where the name is not one of ours. */
export function quantity(name: string): { unit: string; better: 'higher' | 'lower' } | null {
  if (name === LIMIT_FRACTION) return { unit: '1', better: 'higher' };
  const definition = metricDefinition(name);
  return definition === undefined ? null : { unit: definition.unit, better: definition.better };
}

/** One value per usable launch; empty where the case does not carry the metric. A launch without a value gives NaN. */
export function launchValues(result: CaseResult, name: string): number[] {
  if (name === LIMIT_FRACTION) return limitFractions(result);
  const definition = metricDefinition(name);
  if (definition === undefined || !Object.hasOwn(result.metrics, name)) return [];
  return usableLaunches(result.launches).map(launch => definition.ofLaunch(launch) ?? Number.NaN);
}

function limitFractions({ headline, limit, launches }: CaseResult): number[] {
  if (headline === null || limit === null) return [];
  const held = heldToCeiling(launches, { ceiling: limit.name, metric: headline });
  return held === null ? [] : held.map(({ value, ceiling }) => value / ceiling);
}

const ENOUGH_UNITS = 3;

/**
 * The unit for a comparison: machines when each side has three or more, else runs when each side has three or more, else
 * launches. The widest unit that both sides can fill is taken, since what differs between machines or runs does not
 * average out over launches.
 */
export function unitOf(sides: readonly (readonly Sighting[])[]): Unit {
  const fewest = (count: (side: readonly Sighting[]) => number): number => Math.min(...sides.map(count));
  if (fewest(side => new Set(side.map(({ document }) => machineOf(document))).size) >= ENOUGH_UNITS) return 'node';
  if (fewest(side => side.length) >= ENOUGH_UNITS) return 'run';
  return 'launch';
}

/** The values of one side. A run or a node stands as the geometric mean of its launches. */
export function observe(side: readonly Sighting[], name: string, unit: Unit): Observations {
  return gather(
    side.map(({ document, result }) => ({ machine: machineOf(document), values: launchValues(result, name) })),
    unit,
  );
}

/** Values of runs, one per launch in each, as one value per unit. */
export function gather(byRun: readonly { machine: string; values: number[] }[], unit: Unit): Observations {
  const filled = byRun.filter(run => run.values.length > 0);
  const hosts = new Map<string, number[][]>();
  for (const run of filled) hosts.set(run.machine, [...(hosts.get(run.machine) ?? []), run.values]);
  const counts = {
    unit,
    launches: filled.reduce((total, run) => total + run.values.length, 0),
    runs: filled.length,
    nodes: hosts.size,
  };
  if (unit === 'launch') return { ...counts, values: filled.flatMap(run => run.values) };
  if (unit === 'run') return { ...counts, values: filled.map(run => geometricMean(run.values)) };
  return { ...counts, values: [...hosts.values()].map(runs => geometricMean(runs.map(geometricMean))) };
}

/** What a comparison of these sides may claim, in words. */
export function claimOf(unit: Unit, sides: readonly (readonly Sighting[])[]): string {
  if (unit === 'node') return 'this model of machine (each machine counts once)';
  const hosts = new Set(sides.flatMap(side => side.map(({ document }) => machineOf(document))));
  if (hosts.size === 1) return 'this machine';
  return 'these machines, not their model (fewer than three a side)';
}
