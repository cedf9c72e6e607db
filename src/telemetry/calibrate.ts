/** What sensors really do: measured at the start, since documentation gives a figure for another chip. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { concernsDevice, isEnergetic } from '../analysis/energy-scope.ts';
import { parseNumber } from '../host/kernel-files.ts';
import type { NativeAddon, SamplerReadings } from '../native/types.ts';
import { averagingWindow, sensorTraits } from './sensor-traits.ts';
import type { ProbedChannel } from './source.ts';

/** Fewer changes than this within the budget say nothing. */
const MIN_CHANGES = 4;

/**
 * Mean seconds between changes of the number in a file, from reading it as fast as can be for at most `budgetSeconds`. Null
 * where it changed too seldom or could not be read. Blocks for that long: before a run, never during one.
 */
export function measureUpdatePeriod(file: string, budgetSeconds: number): number | null {
  const changes: number[] = [];
  const started = performance.now();
  let previous: string | null = null;
  try {
    for (let now = started; now - started < budgetSeconds * 1e3; now = performance.now()) {
      const text = readFileSync(file, 'latin1');
      if (parseNumber(text) === null) return null;
      if (previous !== null && text !== previous) changes.push(now);
      previous = text;
    }
  } catch {
    return null;
  }
  const [first, last] = [changes[0], changes[changes.length - 1]];
  if (changes.length < MIN_CHANGES || first === undefined || last === undefined) return null;
  return ((last - first) * 1e-3) / (changes.length - 1);
}

/** How long sensors are watched at the start, and how often. */
const WATCH_SECONDS = 0.6;
const WATCH_PERIOD_SECONDS = 0.002;

export interface CalibrationOptions {
  native: Pick<NativeAddon, 'createSampler' | 'now'>;
  nvmlLibraries: string[];
  /** Puts all CPUs to work for a second or more: the step by which the averaging of their gauges is measured. */
  load?: () => Promise<void>;
}

/**
 * Watches the gauges of power and those counters of energy whose source did not, as fast as is sensible, first in peace and then
 * under the load, and puts what was seen into their descriptions: update period, step and, of gauges in which the load shows,
 * averaging window. What was not seen stays as the source stated it. Never rejects; a machine without such sensors costs nothing.
 */
export async function calibrateSensors(
  rows: readonly ProbedChannel[],
  { native, nvmlLibraries, load }: CalibrationOptions,
): Promise<ProbedChannel[]> {
  const channels = rows.flatMap(({ description, channel }) =>
    channel &&
    isEnergetic(description) &&
    (description.kind === 'gauge' || description.updatePeriodSeconds === undefined)
      ? [{ ...channel, periodSeconds: WATCH_PERIOD_SECONDS, capacity: 4096 }]
      : [],
  );
  if (channels.length === 0) return [...rows];
  const showsLoad = rows.some(({ description }) => isLoadGauge(description));
  try {
    const sampler = native.createSampler(channels, nvmlLibraries);
    sampler.start();
    await sleep(WATCH_SECONDS * 1e3);
    const stepAt = native.now();
    if (load && showsLoad) await load().catch(() => {});
    sampler.stop();
    const seen = sampler.drain();
    return rows.map(row => withTraits(row, seen[row.description.id], stepAt));
  } catch {
    return [...rows];
  }
}

/** A gauge of power in which work of the CPUs shows. */
function isLoadGauge(source: ProbedChannel['description']): boolean {
  return (
    source.status === 'ok' && source.kind === 'gauge' && isEnergetic(source) && concernsDevice(source.covers, 'cpu')
  );
}

function withTraits(row: ProbedChannel, readings: SamplerReadings | undefined, stepAt: number): ProbedChannel {
  if (!readings) return row;
  const { timeSeconds, values } = readings;
  const { updatePeriodSeconds, quantum } = sensorTraits(timeSeconds, values);
  const window =
    isLoadGauge(row.description) && updatePeriodSeconds !== null
      ? averagingWindow(timeSeconds, values, stepAt, updatePeriodSeconds)
      : null;
  return {
    ...row,
    description: {
      ...row.description,
      ...(updatePeriodSeconds === null ? {} : { updatePeriodSeconds }),
      // A counter's unit is known: what it rises by at an idle machine need not be its step.
      ...(quantum === null || row.description.kind === 'counter' ? {} : { quantum }),
      ...(window === null ? {} : { averagingWindowSeconds: window }),
    },
  };
}
