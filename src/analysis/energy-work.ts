/** The work that a case did and what it cost: work per joule, and energy times time. Pure. */
import type { CaseEnergy, Launch, Metric } from '../results/schema.ts';
import { metricDefinition } from './metrics.ts';

export type EnergyLaunch = Pick<Launch, 'status' | 'windowSeconds' | 'samplesSeconds' | 'iterationsPerSample' | 'work'>;

/** The case's headline metric; only a rate gives work. */
export type EnergyHeadline = { name: string; metric: Metric } | null;

export interface Work {
  amount: number;
  /** Of the amount over joules: `FLOP/J`. */
  unit: string;
}

/** `FLOP/s` → `FLOP/J`, since a rate per watt is work per joule; null for what is no rate. */
export function workUnit(metric: string): string | null {
  const definition = metricDefinition(metric);
  if (definition?.better !== 'higher' || !definition.unit.endsWith('/s')) return null;
  return `${definition.unit.slice(0, -2)}/J`;
}

/** Over all launches; null where the headline is no rate. */
export function totalWork(headline: EnergyHeadline, launches: readonly EnergyLaunch[]): Work | null {
  const unit = headline && workUnit(headline.name);
  const definition = headline && metricDefinition(headline.name);
  if (!unit || !definition) return null;
  let amount = 0;
  for (const launch of launches) {
    const rate = definition.ofLaunch(launch);
    if (rate === null) return null;
    amount += rate * (definition.over === 'window' ? windowLength(launch) : sum(launch.samplesSeconds));
  }
  return { amount, unit };
}

function windowLength({ windowSeconds }: EnergyLaunch): number {
  return windowSeconds === undefined ? 0 : windowSeconds[1] - windowSeconds[0];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

/**
 * Work per joule. Its interval carries the rate's interval (launch to launch) and the energy's (measurement), which are
 * independent: relative half-widths in quadrature, side by side. Null where the rate has no interval.
 */
export function perJoule(
  work: Work,
  joules: number,
  relativeEnergy: number,
  rate: Metric | null,
): CaseEnergy['throughputPerWatt'] {
  const value = work.amount / joules;
  const interval = rate?.interval;
  if (!interval || !rate || rate.value <= 0) return { value, unit: work.unit, interval: null };
  const down = Math.hypot((rate.value - interval[0]) / rate.value, relativeEnergy);
  const up = Math.hypot((interval[1] - rate.value) / rate.value, relativeEnergy);
  return { value, unit: work.unit, interval: [Math.max(0, value * (1 - down)), value * (1 + up)] };
}

/** Energy-delay product (Horowitz, Indermaur and Gonzalez 1994) per unit of work: joules per work times seconds per work. */
export function energyDelayOf(work: Work, joules: number, seconds: number): CaseEnergy['energyDelay'] {
  const of = work.unit.replace(/\/J$/, '');
  return { value: (joules / work.amount) * (seconds / work.amount), unit: `J·s/${of}²` };
}
