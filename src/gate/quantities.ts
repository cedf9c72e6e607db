/**
 * Everything that a rule can be about: metrics, the share of the limit, energy quantities (with a scope) and costs. Pure.
 */

import { standsForCase } from '../analysis/energy-scope.ts';
import { METRICS } from '../analysis/metrics.ts';
import { LIMIT_FRACTION, quantity } from '../analysis/observations.ts';
import type { CaseEnergy, CaseResult } from '../results/schema.ts';
import type { Costs } from './policy.ts';
import { type Selector, tagOf } from './selector.ts';

export type Family = 'launch' | 'energy' | 'cost';

export interface Quantity {
  family: Family;
  name: string;
  /** null for throughput per watt, whose unit is that of the case. */
  unit: string | null;
  better: 'higher' | 'lower';
}

export const THROUGHPUT_PER_WATT = 'throughput_per_watt';
export const AVERAGE_WATTS = 'average_watts';

interface CostRow {
  name: string;
  /** Metrics of which the first that a case has gives the rate. */
  rates: readonly string[];
  /** Amounts in one priced unit: a million tokens. */
  scale: number;
  unit(currency: string): string;
  better: 'higher' | 'lower';
}

/** One row per cost. Where lower is better the value is money per work, else work per money. */
const COST_ROWS: readonly CostRow[] = [
  {
    name: 'cost_per_million_tokens',
    // Of whole generations first: their watts are of reading and writing together.
    rates: ['output_tokens_per_second', 'decode_tokens_per_second', 'prefill_tokens_per_second'],
    scale: 1e6,
    unit: currency => `${currency}/Mtok`,
    better: 'lower',
  },
  {
    name: 'cost_per_million_inferences',
    rates: ['inferences_per_second'],
    scale: 1e6,
    unit: currency => `${currency}/Minf`,
    better: 'lower',
  },
  {
    name: 'flop_per_currency',
    rates: ['flops_per_second'],
    scale: 1,
    unit: currency => `FLOP/${currency}`,
    better: 'higher',
  },
];

export const QUANTITY_NAMES: readonly string[] = [
  ...METRICS.map(metric => metric.name),
  LIMIT_FRACTION,
  THROUGHPUT_PER_WATT,
  AVERAGE_WATTS,
  ...COST_ROWS.map(row => row.name),
];

/** Quantities whose spread over launches follows no simple law: judged by the BCa bootstrap. */
const DERIVED: ReadonlySet<string> = new Set([
  'latency_seconds_p99',
  'latency_seconds_p999',
  ...METRICS.map(metric => metric.name).filter(name => name.startsWith('early_stopping_')),
  ...COST_ROWS.map(row => row.name),
]);

export function isDerived(name: string): boolean {
  return DERIVED.has(name);
}

/** The quantity of that name, or null. Costs have a unit only where the policy states its currency. */
export function findQuantity(name: string, costs: Costs | undefined): Quantity | null {
  if (name === THROUGHPUT_PER_WATT) return { family: 'energy', name, unit: null, better: 'higher' };
  if (name === AVERAGE_WATTS) return { family: 'energy', name, unit: 'W', better: 'lower' };
  const row = COST_ROWS.find(candidate => candidate.name === name);
  if (row !== undefined) return { family: 'cost', name, unit: row.unit(costs?.currency ?? 'XXX'), better: row.better };
  const found = quantity(name);
  return found === null ? null : { family: 'launch', name, ...found };
}

/** The energy readings of a case that a selector means: status ok, of the scope; of the source where one is named, else those that stand for the case. */
export function selectEnergy(result: CaseResult, selector: Selector): CaseEnergy[] {
  const scopes = tagOf(selector, 'scope') ?? [];
  const sources = tagOf(selector, 'source');
  return result.energy.filter(
    entry =>
      entry.status === 'ok' &&
      scopes.includes(entry.scope) &&
      (sources === undefined ? standsForCase(entry) : sources.includes(entry.source)),
  );
}

/** The metric whose rate a cost is made of, or null where the case has none. */
export function rateMetric(name: string, result: CaseResult): string | null {
  const row = COST_ROWS.find(candidate => candidate.name === name);
  return row?.rates.find(rate => Object.hasOwn(result.metrics, rate)) ?? null;
}

/** Money per second of a machine: its price written off over the hours it works, and its power at the facility's meter. */
export function costPerSecond(costs: Costs, watts: number): { machine: number; power: number } {
  const workingSeconds = costs.lifetimeHours * 3600 * (costs.utilisation ?? 1);
  return {
    machine: costs.pricePerUnit / workingSeconds,
    power: (watts * costs.pue * costs.powerPricePerKilowattHour) / 3.6e6,
  };
}

/** Cost values from rates (one per launch) and the mean power of the case. */
export function costValues(name: string, rates: readonly number[], costs: Costs, watts: number): number[] {
  const row = COST_ROWS.find(candidate => candidate.name === name);
  if (row === undefined) return [];
  const { machine, power } = costPerSecond(costs, watts);
  return rates.map(rate =>
    row.better === 'lower' ? (row.scale * (machine + power)) / rate : rate / (row.scale * (machine + power)),
  );
}
