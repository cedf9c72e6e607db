/**
 * Records telemetry while the launches run: the native sampler reads on its own thread and clock, this file drains its rings
 * on a timer, keeps the series bounded and answers what the progress display asks for.
 */
import { disjointGroups, isEnergetic } from '../analysis/energy-scope.ts';
import { isOfProcessor } from '../analysis/thermal.ts';
import type { NativeAddon, NativeSampler, SamplerChannel, SamplerStats } from '../native/types.ts';
import type { ResultDocument, Scope, SourceDescription } from '../results/schema.ts';
import { GrowingSeries } from './growing-series.ts';
import type { ObserverEffect } from './observer-effect.ts';
import { type PlanOptions, planChannels } from './plan.ts';
import { POLL_PERIOD_SECONDS, type PolledReading, type RemoteRow, startPoller } from './remote.ts';
import { seriesRoom } from './series-room.ts';
import type { ProbedChannel } from './source.ts';

export type Telemetry = ResultDocument['telemetry'];

export interface RecorderOptions {
  native: Pick<NativeAddon, 'createSampler' | 'now'>;
  channels: readonly ProbedChannel[];
  nvmlLibraries: string[];
  /** Sources that are polled from the event loop at 1 Hz (remote.ts). */
  remote?: readonly RemoteRow[];
  /** Reads per second, in place of the plan's (plan.ts). */
  rates?: NonNullable<PlanOptions['rates']>;
  drainSeconds?: number;
  /** Readings kept per series, in place of series-room.ts; older ones are merged beyond it (growing-series.ts). */
  maxReadings?: number;
  /** Older readings than those are forgotten, not merged: for a view that ends when somebody says so. */
  forgets?: boolean;
}

export interface LiveReadings {
  /** Power of the widest scope that can be read, and which scope that is; null where there is none yet. */
  watts: { value: number; scope: Scope; source: string } | null;
  /** The hottest sensor of a processor or an accelerator; of anything where there is none. */
  temperatureCelsius: number | null;
  /** Latest value of every gauge, latest rate of every counter (per second), by source id. */
  latest: Record<string, number>;
}

export interface Recorder {
  live(): LiveReadings;
  /**
   * Marks a measured window, so that the readings around its ends stay as they are when a series is thinned. Call it with
   * the window of each launch, as soon as it is known.
   */
  keep(window: readonly [number, number]): void;
  /**
   * Up to which moment every source of energy or power that answers has been read: the readings of a slow meter, or of one that averages, come in after a
   * window has ended. Null where there is none.
   */
  coveredUntil(): number | null;
  /** The document's telemetry as it stands; sampling goes on. */
  snapshot(): Telemetry;
  /** Samples no more until resume(): for measuring what sampling itself costs. The sampler of this machine alone. */
  pause(): void;
  resume(): void;
  /** Goes into the document's `observer`. */
  setEffect(effect: ObserverEffect): void;
  /** Ends sampling. The document's telemetry; a second call gives the same. */
  stop(): Telemetry;
}

const DEFAULT_DRAIN_SECONDS = 0.5;
/** A live value older than this is not shown. */
const LIVE_SECONDS = 3;

/** Starts sampling at once. With no readable channel there is no thread, and the document says so by its sources. */
export function startRecorder(options: RecorderOptions): Recorder {
  const { native, channels } = options;
  const started = native.now();
  const drainSeconds = options.drainSeconds ?? DEFAULT_DRAIN_SECONDS;
  const wanted = planChannels(channels, { ...(options.rates ? { rates: options.rates } : {}), drainSeconds });
  const remote = options.remote ?? [];
  const polled = remote.flatMap(row => row.descriptions.map(description => ({ ...description })));
  const sources = [...channels.map(row => ({ ...row.description })), ...polled];
  const series = new Map<string, GrowingSeries>();
  const paces = new Map(wanted.map(channel => [channel.id, 1 / channel.periodSeconds]));
  for (const source of polled) if (source.status === 'ok') paces.set(source.id, 1 / POLL_PERIOD_SECONDS);
  const read = sources.filter(source => paces.has(source.id));
  const room = seriesRoom(read.map(source => paces.get(source.id) ?? 1));
  for (const [index, source] of read.entries()) {
    series.set(source.id, new GrowingSeries(source, options.maxReadings ?? room[index] ?? 1, options.forgets));
  }
  const { sampler, failure } = startSampler(native, wanted, options.nvmlLibraries);
  if (failure !== null) markFailed(sources.slice(0, channels.length), failure);
  const poller = startPoller({
    rows: remote,
    now: () => native.now(),
    onReading: reading => {
      appendPolled(series, reading);
      widenTime(polled, reading);
    },
  });

  const drain = (): void => {
    if (!sampler) return;
    for (const [id, readings] of Object.entries(sampler.drain())) series.get(id)?.append(readings);
  };
  const timer = sampler ? setInterval(drain, drainSeconds * 1e3) : undefined;
  timer?.unref();

  let result: Telemetry | null = null;
  let effect: ObserverEffect | null = null;
  const telemetry = (): Telemetry => {
    const seconds = native.now() - started;
    return withEffect(telemetryOf(sources, series, sampler, seconds), effect);
  };
  return {
    pause: () => sampler?.stop(),
    resume: () => sampler?.start(),
    setEffect: measured => {
      effect = measured;
    },
    live: () => liveReadings(sources, series, native.now()),
    keep: window => {
      for (const one of series.values()) one.keep(window);
    },
    coveredUntil: () => {
      drain();
      return coverage(sources, series, native.now());
    },
    snapshot: () => {
      if (result) return result;
      drain();
      return telemetry();
    },
    stop: () => {
      if (result) return result;
      clearInterval(timer);
      sampler?.stop();
      poller.stop();
      drain();
      for (const one of series.values()) one.bound();
      result = telemetry();
      return result;
    },
  };
}

function appendPolled(series: ReadonlyMap<string, GrowingSeries>, { timeSeconds, values }: PolledReading): void {
  for (const [id, value] of Object.entries(values)) {
    const one = series.get(id);
    // What is learnt of a meter's clock can date a reading before the one before it: it is the same one, or as good as.
    const time = Math.max(timeSeconds, one?.endSeconds ?? timeSeconds);
    one?.append({ timeSeconds: Float64Array.of(time), values: Float64Array.of(value ?? Number.NaN) });
  }
}

function withEffect(telemetry: Telemetry, effect: ObserverEffect | null): Telemetry {
  return telemetry.observer && effect ? { ...telemetry, observer: { ...telemetry.observer, effect } } : telemetry;
}

/** The longest answer counts: a reading belongs to some moment between the question and the answer. */
function widenTime(
  sources: readonly SourceDescription[],
  { values, uncertaintySeconds, clockOffsetSeconds }: PolledReading,
): void {
  for (const source of sources) {
    if (typeof values[source.id] !== 'number') continue;
    if (clockOffsetSeconds !== undefined) source.clockOffsetSeconds = clockOffsetSeconds;
    source.timeUncertaintySeconds = Math.max(source.timeUncertaintySeconds ?? 0, uncertaintySeconds);
  }
}

function startSampler(
  native: RecorderOptions['native'],
  channels: SamplerChannel[],
  nvmlLibraries: string[],
): { sampler: NativeSampler | null; failure: string | null } {
  if (channels.length === 0) return { sampler: null, failure: null };
  try {
    const sampler = native.createSampler(channels, nvmlLibraries);
    sampler.start();
    return { sampler, failure: null };
  } catch (error) {
    return { sampler: null, failure: error instanceof Error ? error.message : String(error) };
  }
}

/** A sampler that cannot start costs the telemetry, never the run. */
function markFailed(sources: SourceDescription[], failure: string): void {
  for (const source of sources) {
    if (source.status !== 'ok') continue;
    source.status = 'unsupported';
    source.reason = `the sampler did not start: ${failure}`;
    source.remedy = 'run aibench doctor; report this with its output';
  }
}

function coverage(
  sources: readonly SourceDescription[],
  series: ReadonlyMap<string, GrowingSeries>,
  now: number,
): number | null {
  let until: number | null = null;
  for (const source of sources) {
    const one = series.get(source.id);
    if (!one || !isEnergetic(source) || one.latest(now, maxAge(source)) === null) continue;
    const end = one.endSeconds - (source.averagingWindowSeconds ?? 0) / 2;
    until = Math.min(until ?? end, end);
  }
  return until;
}

/** A meter whose answers are dated back, by half a scrape say, is as live as it can be. Seconds. */
function maxAge({ timeUncertaintySeconds = 0 }: SourceDescription): number {
  return LIVE_SECONDS + 2 * timeUncertaintySeconds;
}

function liveReadings(
  sources: readonly SourceDescription[],
  series: ReadonlyMap<string, GrowingSeries>,
  now: number,
): LiveReadings {
  const latest: Record<string, number> = {};
  const temperatures: { id: string; value: number }[] = [];
  for (const source of sources) {
    const value = series.get(source.id)?.latest(now, maxAge(source)) ?? null;
    if (value === null) continue;
    latest[source.id] = value;
    if (source.quantity === 'temperature') temperatures.push({ id: source.id, value });
  }
  const processors = temperatures.filter(({ id }) => isOfProcessor(id));
  const shown = processors.length > 0 ? processors : temperatures;
  const temperatureCelsius = shown.length === 0 ? null : Math.max(...shown.map(({ value }) => value));
  const group = disjointGroups(sources, source => source.status === 'ok' && (latest[source.id] ?? 0) > 0)[0];
  if (!group) return { watts: null, temperatureCelsius, latest };
  const value = group.members.reduce((sum, source) => sum + (latest[source.id] ?? 0), 0);
  return { watts: { value, scope: group.scope, source: group.id }, temperatureCelsius, latest };
}

function telemetryOf(
  sources: readonly SourceDescription[],
  series: ReadonlyMap<string, GrowingSeries>,
  sampler: NativeSampler | null,
  wallSeconds: number,
): Telemetry {
  const stats = sampler?.stats();
  const channels = new Map(stats?.channels.map(channel => [channel.id, channel]));
  const lost = stats?.channels.reduce((sum, channel) => sum + channel.lost, 0) ?? 0;
  return {
    sources: sources.map(source => withOutcome(source, channels.get(source.id) ?? series.get(source.id)?.outcome())),
    series: [...series.values()].filter(one => one.length > 0).map(one => one.toSeries()),
    observer: stats ? { cpuSeconds: stats.cpuSeconds, wallSeconds, overruns: stats.overruns, lost } : null,
  };
}

/** The description with what became of its reads. A source that never answered is no longer `ok`. */
function withOutcome(
  source: SourceDescription,
  channel: Pick<SamplerStats['channels'][number], 'reads' | 'failures' | 'lastError'> | undefined,
): SourceDescription {
  if (!channel || channel.failures === 0) return { ...source };
  const last = channel.lastError ? ` (${channel.lastError})` : '';
  const note = `${channel.failures} of ${channel.reads} reads failed${last}`;
  const reason = source.reason ? `${source.reason}; ${note}` : note;
  if (channel.failures < channel.reads) return { ...source, reason };
  return { ...source, reason, status: 'stale', remedy: 'look for the driver or the device in the kernel log (dmesg)' };
}
