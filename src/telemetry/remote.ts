/**
 * The seam for readings that come over the network or from a program: management controllers, smart plugs, a metrics server.
 * They are polled from the event loop at about 1 Hz, apart from the native sampler; a slow or hung one misses its own
 * readings and nothing else.
 *
 * Logins come from the environment or from a file. They are never part of an id, a description, a reason or an error:
 * reasons are made from status codes and errno names, not from what a server or a URL said.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SourceDescription } from '../results/schema.ts';
import { type MeterTime, ReadingClock } from './clock-bracket.ts';

export interface RemoteReader {
  /** One reading for each description's id, in its unit; null for one that the device did not give. Rejects when none came. */
  read(signal: AbortSignal): Promise<Record<string, number | null>>;
  /** What the last answer said of the meter's own clock; absent where it never does. */
  meterTime?(): MeterTime | null;
  /** How old an answer's value may be, between the two, seconds; for a value that is not taken when it is asked for. */
  delaySeconds?: readonly [number, number];
}

/** One request can answer for several rows (a chassis and its supplies). */
export interface RemoteRow {
  descriptions: SourceDescription[];
  /** Null where no description is `ok`. */
  reader: RemoteReader | null;
}

export interface RemoteSource {
  id: string;
  summary: string;
  /** Asks once what is there. Never rejects; ends when the signal aborts. Without its variables: one `absent` row. */
  probe(environment: RemoteEnvironment, signal: AbortSignal): Promise<RemoteRow[]>;
}

export type RemoteEnvironment = Record<string, string | undefined>;

export interface PolledReading {
  timeSeconds: number;
  /** Half of the time that the answer took, or what the offset between the two clocks leaves open. */
  uncertaintySeconds: number;
  /** The meter's clock minus ours, where it is known. */
  clockOffsetSeconds?: number;
  values: Record<string, number | null>;
}

export interface PollerOptions {
  rows: readonly RemoteRow[];
  /** CLOCK_MONOTONIC seconds. */
  now: () => number;
  onReading: (reading: PolledReading) => void;
  periodSeconds?: number;
  timeoutSeconds?: number;
}

export interface PollerStats {
  reads: number;
  failures: number;
  /** Polls left out since the one before was still under way. */
  overruns: number;
}

export interface Poller {
  stats(): PollerStats;
  /** Ends all requests under way. */
  stop(): void;
}

export const POLL_PERIOD_SECONDS = 1;
const TIMEOUT_SECONDS = 5;
const PROBE_SECONDS = 5;

/** Polls each row by itself. A reading is dated by the meter where it does so, else half-way between request and answer. */
export function startPoller(options: PollerOptions): Poller {
  const stats: PollerStats = { reads: 0, failures: 0, overruns: 0 };
  const stopped = new AbortController();
  for (const row of options.rows) void pollRow(row, options, stats, stopped.signal);
  return { stats: () => ({ ...stats }), stop: () => stopped.abort() };
}

async function pollRow(
  row: RemoteRow,
  options: PollerOptions,
  stats: PollerStats,
  stopped: AbortSignal,
): Promise<void> {
  const { reader } = row;
  if (!reader) return;
  const period = options.periodSeconds ?? POLL_PERIOD_SECONDS;
  const ids = row.descriptions.filter(description => description.status === 'ok').map(description => description.id);
  const clock = new ReadingClock();
  let due = options.now();
  while (!stopped.aborted) {
    const asked = options.now();
    const values = await readWithin(reader, options.timeoutSeconds ?? TIMEOUT_SECONDS, stopped);
    if (stopped.aborted) return;
    const answered = options.now();
    stats.reads += 1;
    if (values === null) stats.failures += 1;
    const complete = Object.fromEntries(ids.map(id => [id, finiteOrNull(values?.[id])]));
    const meter = values === null ? null : (reader.meterTime?.() ?? null);
    const offset = clock.offset(answered)?.seconds;
    options.onReading({
      ...clock.date(asked, answered, meter, reader.delaySeconds),
      ...(offset === undefined ? {} : { clockOffsetSeconds: offset }),
      values: complete,
    });
    // Timers may fire a little early: that is not a period missed.
    const missed = Math.max(0, Math.floor((answered - due) / period));
    stats.overruns += missed;
    due += (missed + 1) * period;
    await sleep(Math.max(0, due - answered) * 1e3, undefined, { signal: stopped, ref: false }).catch(() => {});
  }
}

function finiteOrNull(value: number | null | undefined): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null;
}

/** The reading, or null when it failed or took too long; also for a reader that ignores its signal. */
async function readWithin(
  reader: RemoteReader,
  seconds: number,
  stopped: AbortSignal,
): Promise<Record<string, number | null> | null> {
  const signal = AbortSignal.any([stopped, AbortSignal.timeout(seconds * 1e3)]);
  const late = new Promise<null>(resolve => signal.addEventListener('abort', () => resolve(null), { once: true }));
  // Called inside an async function, so that a reader that throws at once is a failed read like any other.
  const answer = (async () => reader.read(signal))().catch(() => null);
  return Promise.race([answer, late]);
}

/** Asks every source at once, each for at most `seconds`. Never rejects. */
export async function probeRemote(
  sources: readonly RemoteSource[],
  environment: RemoteEnvironment,
  seconds = PROBE_SECONDS,
): Promise<RemoteRow[]> {
  const rows = await Promise.all(sources.map(source => probeOne(source, environment, seconds)));
  return rows.flat();
}

async function probeOne(source: RemoteSource, environment: RemoteEnvironment, seconds: number): Promise<RemoteRow[]> {
  const signal = AbortSignal.timeout(seconds * 1e3);
  const failed = (reason: string): RemoteRow[] => [
    missingRow(
      source.id,
      'unsupported',
      reason,
      'the run goes on without it; look at the device and the network to it',
    ),
  ];
  const late = new Promise<RemoteRow[]>(resolve => {
    signal.addEventListener('abort', () => resolve(failed(`did not answer within ${seconds} s`)), { once: true });
  });
  const answer = (async () => source.probe(environment, signal))().catch(() => failed('its probe failed'));
  return Promise.race([answer, late]);
}

/** The single row of a source that gives nothing. */
export function missingRow(id: string, status: SourceDescription['status'], reason: string, remedy: string): RemoteRow {
  const what = { kind: 'gauge', scope: 'node', covers: [], quantity: 'power', unit: 'W' } as const;
  return { descriptions: [{ id, ...what, covers: [], status, reason, remedy }], reader: null };
}
