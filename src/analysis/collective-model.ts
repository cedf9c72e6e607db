/**
 * Pure: predicts collectives over p ranks from what was measured between two (Hockney 1994: a message of n bytes takes
 * α + n·β). Fitted to the `ping-pong` and `shift` cases of a document; used by plans.
 */
import type { CaseResult } from '../results/schema.ts';
import { median } from './statistics.ts';

/** One point of a calibration table: the one-way time of a message. */
export interface LinkPoint {
  bytes: number;
  seconds: number;
}

export interface LinkModel {
  /** Time of an empty message, seconds. */
  alphaSeconds: number;
  /** Seconds per byte. */
  betaSecondsPerByte: number;
}

export type AllreduceAlgorithm = 'ring' | 'recursive-doubling' | 'rabenseifner';

/**
 * α and β of a table by least squares on relative errors, so that small messages count as much as large ones. Needs two
 * sizes; null otherwise or where the fit makes no physical sense.
 */
export function fitLink(points: readonly LinkPoint[]): LinkModel | null {
  const usable = points.filter(({ bytes, seconds }) => bytes >= 0 && seconds > 0);
  if (new Set(usable.map(({ bytes }) => bytes)).size < 2) return null;
  // Minimises Σ ((α + n·β) / t − 1)²: two linear equations.
  let [s00, s01, s11, r0, r1] = [0, 0, 0, 0, 0];
  for (const { bytes, seconds } of usable) {
    const [a, b] = [1 / seconds, bytes / seconds];
    s00 += a * a;
    s01 += a * b;
    s11 += b * b;
    r0 += a;
    r1 += b;
  }
  const determinant = s00 * s11 - s01 * s01;
  if (!(Math.abs(determinant) > 0)) return null;
  const alphaSeconds = (r0 * s11 - r1 * s01) / determinant;
  const betaSecondsPerByte = (s00 * r1 - s01 * r0) / determinant;
  return alphaSeconds >= 0 && betaSecondsPerByte >= 0 ? { alphaSeconds, betaSecondsPerByte } : null;
}

/**
 * One-way time by log-log interpolation between the table's points, each size once. Below the first it is that of the first, beyond
 * the last it grows with the bytes.
 */
export function interpolateLink(points: readonly LinkPoint[], bytes: number): number | null {
  const table = [...points].filter(point => point.bytes > 0 && point.seconds > 0).sort((a, b) => a.bytes - b.bytes);
  const [first] = table;
  const last = table.at(-1);
  if (first === undefined || last === undefined) return null;
  if (bytes <= first.bytes) return first.seconds;
  if (bytes >= last.bytes) return (last.seconds * bytes) / last.bytes;
  const above = table.findIndex(point => point.bytes >= bytes);
  const [low, high] = [table[above - 1] ?? first, table[above] ?? last];
  const share = Math.log(bytes / low.bytes) / Math.log(high.bytes / low.bytes);
  return Math.exp(Math.log(low.seconds) + share * Math.log(high.seconds / low.seconds));
}

/**
 * Predicted time of an allreduce of n bytes over p ranks; `link` gives the time of one message while all ranks send and
 * receive at once (the shift table). Ranks beyond a power of two cost two more messages of n bytes. Sources: Thakur,
 * Rabenseifner, Gropp 2005; Patarasuk, Yuan 2009.
 */
export function predictAllreduce(
  algorithm: AllreduceAlgorithm,
  ranks: number,
  bytes: number,
  link: (bytes: number) => number,
): number {
  if (ranks < 2) return 0;
  if (algorithm === 'ring') return 2 * (ranks - 1) * link(bytes / ranks);
  const steps = Math.floor(Math.log2(ranks));
  const extra = ranks === 2 ** steps ? 0 : 2 * link(bytes);
  if (algorithm === 'recursive-doubling') return steps * link(bytes) + extra;
  let seconds = extra;
  for (let step = 1; step <= steps; step++) seconds += 2 * link(bytes / 2 ** step);
  return seconds;
}

/** A model as the function that predictAllreduce takes. */
export function linkTime({ alphaSeconds, betaSecondsPerByte }: LinkModel): (bytes: number) => number {
  return bytes => alphaSeconds + bytes * betaSecondsPerByte;
}

/**
 * The calibration table that a document holds: one-way times by size of its `ping-pong` (half of the round trip) or `shift`
 * cases on one backend, medians over launches of each launch's median sample. Cases that differ in more than their size (buffers,
 * ranks, dtype) are not put into one table: the set with the most sizes is taken, of equal ones the first.
 */
export function calibrationTable(
  cases: readonly CaseResult[],
  pattern: 'ping-pong' | 'shift',
  backend: string,
): LinkPoint[] {
  const tables = new Map<string, LinkPoint[]>();
  for (const { workload, status, params, launches, ...item } of cases) {
    if (workload !== pattern || item.backend !== backend || status !== 'measured') continue;
    const times = launches
      .filter(launch => launch.status === 'ok' && launch.samplesSeconds.length > 0)
      .map(launch => median(launch.samplesSeconds) / launch.iterationsPerSample);
    const { bytes, ...others } = params;
    const seconds = median(times) / (pattern === 'ping-pong' ? 2 : 1);
    const key = JSON.stringify(others);
    tables.set(key, [...(tables.get(key) ?? []), { bytes: Number(bytes), seconds }]);
  }
  const [longest = []] = [...tables.values()].sort((a, b) => b.length - a.length);
  return longest.sort((a, b) => a.bytes - b.bytes);
}
