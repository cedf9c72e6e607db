/**
 * Making the rows that a source reports: one with a channel where the reading works, one with a status, a reason and a
 * remedy where it does not.
 */
import type { SamplerChannel } from '../native/types.ts';
import type { SourceDescription } from '../results/schema.ts';
import type { ProbedChannel } from './source.ts';

export type SourceStatus = SourceDescription['status'];

/** What a row says of itself before anyone knows whether it can be read. */
export type Quantity = Omit<SourceDescription, 'status' | 'reason' | 'remedy'>;

/**
 * How often the sampler reads, by kind of channel. Hertz. A gauge whose update period is known is read twice per update
 * instead (plan.ts). `/proc/stat` costs the kernel ten times what a sensor does.
 */
export const DEFAULT_RATES = {
  ...{ counter: 10, gauge: 20, throttle: 5, clock: 5, temperature: 2, proc: 2 },
  /** What takes tens of milliseconds to read, or hardly ever changes. */
  slow: 1,
} as const;
export type RateClass = keyof typeof DEFAULT_RATES;

/** Ring capacity: what comes in during 10 s, so that a stalled event loop loses nothing for that long. */
const RING_SECONDS = 10;

export function readable(
  what: Quantity,
  read: SamplerChannel['read'],
  scale: number,
  rate: RateClass,
  note?: string,
): ProbedChannel {
  const periodSeconds = 1 / DEFAULT_RATES[rate];
  return {
    description: { ...what, status: 'ok', ...(note === undefined ? {} : { reason: note }) },
    channel: { id: what.id, read, scale, periodSeconds, capacity: Math.ceil(RING_SECONDS / periodSeconds) },
  };
}

export function unreadable(what: Quantity, status: SourceStatus, reason: string, remedy: string): ProbedChannel {
  return { description: { ...what, status, reason, remedy }, channel: null };
}

/** The single row of a source that found nothing at all. */
export function nothingFound(
  id: string,
  what: Omit<Quantity, 'id' | 'covers'>,
  reason: string,
  remedy: string,
  status: SourceStatus = 'absent',
): ProbedChannel[] {
  return [unreadable({ ...what, id, covers: [] }, status, reason, remedy)];
}

/** What a failed read means. EIO, ENODATA, EAGAIN and the like: the driver has the file but no value for it. */
export function statusOfErrno(errno: string): SourceStatus {
  if (errno === 'EACCES' || errno === 'EPERM') return 'denied';
  if (errno === 'ENOENT' || errno === 'ENOTDIR') return 'absent';
  return 'unsupported';
}

/** A part of an id: lower case, no blanks and no slashes. */
export function slug(text: string): string {
  return (
    text
      .trim()
      .toLowerCase()
      .replace(/[^a-z0-9._+-]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'unnamed'
  );
}
