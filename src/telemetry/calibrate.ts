/** What sensors really do: measured at the start, since documentation gives a figure for another chip. */
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnergetic } from '../analysis/energy-scope.ts';
import { parseNumber } from '../host/kernel-files.ts';
import type { NativeAddon, SamplerReadings } from '../native/types.ts';
import { sensorTraits } from './sensor-traits.ts';
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

/** How long gauges are watched at the start, and how often. */
const WATCH_SECONDS = 0.6;
const WATCH_PERIOD_SECONDS = 0.002;

/**
 * Watches the gauges of power for a moment, as fast as is sensible, and puts what was seen into their descriptions: update
 * period and step. What was not seen stays as the source stated it. Never rejects: a machine without gauges costs nothing.
 */
export async function calibrateGauges(
  rows: readonly ProbedChannel[],
  native: Pick<NativeAddon, 'createSampler'>,
  nvmlLibraries: string[],
): Promise<ProbedChannel[]> {
  const channels = rows.flatMap(({ description, channel }) =>
    channel && description.kind === 'gauge' && isEnergetic(description)
      ? [{ ...channel, periodSeconds: WATCH_PERIOD_SECONDS, capacity: 1024 }]
      : [],
  );
  if (channels.length === 0) return [...rows];
  try {
    const sampler = native.createSampler(channels, nvmlLibraries);
    sampler.start();
    await sleep(WATCH_SECONDS * 1e3);
    sampler.stop();
    const seen = sampler.drain();
    return rows.map(row => withTraits(row, seen[row.description.id]));
  } catch {
    return [...rows];
  }
}

function withTraits(row: ProbedChannel, readings: SamplerReadings | undefined): ProbedChannel {
  if (!readings) return row;
  const { updatePeriodSeconds, quantum } = sensorTraits(readings.timeSeconds, readings.values);
  return {
    ...row,
    description: {
      ...row.description,
      ...(updatePeriodSeconds === null ? {} : { updatePeriodSeconds }),
      ...(quantum === null ? {} : { quantum }),
    },
  };
}
