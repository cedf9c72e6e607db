/**
 * What the sampler really reads and how often: the rows that a probe found, at the rate that each deserves. Pure. Paces are
 * multiples of each other where that is possible, so that all that is due shares one wake-up: on most machines a wake-up
 * costs more than the reads in it.
 */
import { isEnergetic } from '../analysis/energy-scope.ts';
import type { SamplerChannel } from '../native/types.ts';
import type { ProbedChannel } from './source.ts';

export interface PlanOptions {
  /** Reads per second by kind of channel, in place of the plan's; `proc` is what is neither energy nor power. */
  rates?: Partial<Record<'counter' | 'gauge' | 'proc', number>>;
  drainSeconds?: number;
}

/** Paces of gauges whose update period is known, seconds. */
const GAUGE_PERIODS = [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
/** What is taken out of a ring that was full: asking for more capacity than this helps nobody. */
const MAX_CAPACITY = 20_000;

/** Twice per update of the sensor and no faster: more reads of the same value bring nothing. Seconds. */
export function gaugePeriod(updatePeriodSeconds: number): number {
  const half = updatePeriodSeconds / 2;
  return GAUGE_PERIODS.find(period => period >= half * (1 - 1e-9)) ?? 0.5;
}

/** The channels of all rows that can be read, with their pace and the room in their rings. */
export function planChannels(rows: readonly ProbedChannel[], options: PlanOptions = {}): SamplerChannel[] {
  return rows.flatMap(row => (row.channel ? [planOne(row, row.channel, options)] : []));
}

function planOne(
  { description }: ProbedChannel,
  channel: SamplerChannel,
  { rates = {}, drainSeconds = 0.5 }: PlanOptions,
): SamplerChannel {
  const energetic = isEnergetic(description);
  const hertz = rates[energetic ? description.kind : 'proc'];
  const updates = description.updatePeriodSeconds ?? 0;
  let periodSeconds = channel.periodSeconds;
  if (hertz !== undefined) periodSeconds = 1 / hertz;
  else if (energetic && description.kind === 'gauge' && updates > 0) periodSeconds = gaugePeriod(updates);
  // Room for ten drains or ten seconds, whichever is longer: a busy event loop then loses nothing.
  const capacity = Math.min(MAX_CAPACITY, Math.ceil(Math.max(10, 10 * drainSeconds) / periodSeconds));
  return { ...channel, periodSeconds, capacity: Math.max(channel.capacity, capacity) };
}
