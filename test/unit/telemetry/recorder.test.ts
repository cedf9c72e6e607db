import { afterEach, describe, expect, it, vi } from 'vitest';
import { counterTrack, gaugeTrack } from '../../../src/analysis/energy-track.ts';
import { windowEnergy } from '../../../src/analysis/energy-window.ts';
import { launchConditions } from '../../../src/analysis/thermal.ts';
import { resultSchema, type SourceDescription } from '../../../src/results/schema.ts';
import { GrowingSeries } from '../../../src/telemetry/growing-series.ts';
import { startRecorder } from '../../../src/telemetry/recorder.ts';
import { probeAll } from '../../../src/telemetry/registry.ts';
import { ALL_READINGS, seriesRoom } from '../../../src/telemetry/series-room.ts';
import { fakeNative, readings } from './fake-native.ts';
import { fixtureTree } from './fixture-tree.ts';

afterEach(() => vi.useRealTimers());

/** What eight hours of tags may take of the 64 MB. */
const TAGS_BYTES = 10e6;

async function machine(name: string) {
  const tree = fixtureTree(`telemetry/machines/${name}`);
  const fake = fakeNative();
  const channels = await probeAll({ sys: tree.sys, proc: tree.proc, nvmlLibraries: [] }, fake.native);
  tree.remove();
  return { ...fake, channels };
}

describe('recorder', () => {
  it('samples what is ok, at the stated rates', async () => {
    const { native, sampler, channels } = await machine('xeon-2s');
    const recorder = startRecorder({ native, channels, nvmlLibraries: [], rates: { counter: 50 } });
    expect(sampler.started).toBe(true);
    expect(sampler.channels.map(channel => channel.id).sort()).toEqual(
      channels.flatMap(row => (row.channel ? [row.description.id] : [])).sort(),
    );
    expect(sampler.channels.find(channel => channel.id === 'powercap/package-0')).toMatchObject({
      periodSeconds: 0.02,
      capacity: 500,
    });
    expect(sampler.channels.find(channel => channel.id === 'proc/steal')?.periodSeconds).toBe(0.5);
    recorder.stop();
    expect(sampler.stopped).toBe(true);
  });

  it('answers with the widest sum in watts and the hottest sensor', async () => {
    const { native, sampler, clock, channels } = await machine('xeon-2s');
    vi.useFakeTimers();
    const recorder = startRecorder({ native, channels, nvmlLibraries: [], drainSeconds: 0.5 });
    expect(recorder.live()).toEqual({ watts: null, temperatureCelsius: null, latest: {} });
    const times = [99, 99.5, 100];
    sampler.pending = {
      'powercap/package-0': readings(times, [1000, 1060, 1120]),
      'powercap/package-0/dram': readings(times, [10, 15, 20]),
      // Wraps between the last two readings.
      'powercap/package-1': readings(times, [262_100, 262_120, 6.6711 - 5]),
      'powercap/package-1/dram': readings(times, [0, 5, 10]),
      'hwmon/coretemp/package-id-0': readings([100], [61]),
      'hwmon/coretemp.1/package-id-1': readings([100], [Number.NaN]),
    };
    vi.advanceTimersByTime(500);
    const live = recorder.live();
    expect(live.latest['powercap/package-0']).toBeCloseTo(120, 6);
    expect(live.latest['powercap/package-1']).toBeCloseTo((262_143.32885 + 6.1e-5 + 6.6711 - 5 - 262_120) / 0.5, 1);
    expect(live.watts).toMatchObject({ scope: 'package' });
    expect(live.watts?.value).toBeCloseTo(120 + 10 + 10 + (live.latest['powercap/package-1'] ?? 0), 6);
    expect(live.temperatureCelsius).toBe(61);
    clock.now = 110;
    expect(recorder.live().watts).toBeNull();
    recorder.stop();
  });

  it('writes telemetry of the schema; a failed read is null, never 0', async () => {
    const { native, sampler, clock, channels } = await machine('xeon-2s');
    const recorder = startRecorder({ native, channels, nvmlLibraries: [] });
    sampler.pending = { 'powercap/package-0': readings([100, 100.1, 100.2], [1, Number.NaN, 3]) };
    sampler.stats = {
      channels: [
        { id: 'powercap/package-0', reads: 3, failures: 1, lost: 2, lastError: 'EIO' },
        { id: 'powercap/package-1', reads: 3, failures: 3, lost: 0, lastError: 'ENODEV' },
      ],
      overruns: 4,
      cpuSeconds: 0.25,
    };
    clock.now = 160;
    const telemetry = recorder.stop();
    expect(resultSchema.shape.telemetry.safeParse(telemetry).error).toBeUndefined();
    expect(telemetry.observer).toEqual({ cpuSeconds: 0.25, wallSeconds: 60, overruns: 4, lost: 2 });
    expect(telemetry.series).toEqual([
      {
        source: 'powercap/package-0',
        quantity: 'energy',
        unit: 'J',
        timeSeconds: [100, 100.1, 100.2],
        values: [1, null, 3],
      },
    ]);
    const status = (id: string): SourceDescription | undefined => telemetry.sources.find(source => source.id === id);
    expect(status('powercap/package-0')).toMatchObject({ status: 'ok', reason: '1 of 3 reads failed (EIO)' });
    expect(status('powercap/package-1')).toMatchObject({ status: 'stale', reason: '3 of 3 reads failed (ENODEV)' });
    expect(recorder.stop()).toBe(telemetry);
  });

  it('gives a snapshot while it goes on', async () => {
    const { native, sampler, channels } = await machine('xeon-2s');
    const recorder = startRecorder({ native, channels, nvmlLibraries: [] });
    sampler.pending = { 'powercap/package-0': readings([100], [1]) };
    expect(recorder.snapshot().series[0]?.values).toEqual([1]);
    sampler.pending = { 'powercap/package-0': readings([100.1], [2]) };
    expect(recorder.stop().series[0]?.values).toEqual([1, 2]);
  });

  it('runs without a sampler where nothing can be read', () => {
    const { native, sampler } = fakeNative();
    const recorder = startRecorder({ native, channels: [], nvmlLibraries: [] });
    expect(recorder.live().watts).toBeNull();
    expect(recorder.stop()).toEqual({ sources: [], series: [], observer: null });
    expect(sampler.started).toBe(false);
  });

  it('loses the telemetry, not the run, when the sampler does not start', async () => {
    const { native, channels } = await machine('xeon-2s');
    const failing = {
      ...native,
      createSampler: () => {
        throw new Error('no thread');
      },
    };
    const telemetry = startRecorder({ native: failing, channels, nvmlLibraries: [] }).stop();
    expect(telemetry.series).toEqual([]);
    expect(telemetry.sources.every(source => source.status !== 'ok')).toBe(true);
    expect(telemetry.sources.find(source => source.id === 'powercap/package-0')?.reason).toContain('no thread');
  });
});

describe('series of a long run', () => {
  const gauge: SourceDescription = {
    id: 'g',
    kind: 'gauge',
    scope: 'node',
    covers: ['node'],
    quantity: 'power',
    unit: 'W',
    status: 'ok',
  };

  function grown(
    source: SourceDescription,
    count: number,
    valueAt: (time: number) => number,
    maxReadings: number,
    windows: [number, number][],
  ): GrowingSeries {
    const series = new GrowingSeries(source, maxReadings);
    for (const window of windows) series.keep(window);
    for (let first = 0; first < count; first += 100) {
      const times = Array.from({ length: Math.min(100, count - first) }, (_, index) => (first + index) / 20);
      series.append(readings(times, times.map(valueAt)));
    }
    series.bound();
    return series;
  }

  const wavy = (time: number): number => 200 + 90 * Math.sin(time / 3) + 20 * Math.sin(17 * time);

  it('stays bounded over eight hours and says how much was merged', () => {
    const series = grown(gauge, 8 * 3600 * 20, wavy, 60_000, []).toSeries();
    expect(series.timeSeconds.length).toBeLessThanOrEqual(60_000);
    expect(series.merged).toBe(8 * 3600 * 20 - series.timeSeconds.length);
    expect(JSON.stringify(series).length).toBeLessThan(2.5e6);
  });

  it('changes no energy of a gauge, and keeps the ends of windows as they were', () => {
    const windows: [number, number][] = [
      [500, 800],
      [1200.3, 1300.7],
    ];
    const full = grown(gauge, 40_000, wavy, 1e9, windows).toSeries();
    const thin = grown(gauge, 40_000, wavy, 5_000, windows).toSeries();
    expect(thin.timeSeconds.length).toBeLessThan(8_000);
    for (const [start, end] of windows) {
      const [a, b] = [full, thin].map(series => windowEnergy(gaugeTrack(series, gauge), start, end));
      if (a?.status !== 'ok' || b?.status !== 'ok') throw new Error('both must be valid');
      expect(Math.abs(b.joules / a.joules - 1)).toBeLessThan(1e-9);
    }
  });

  it('keeps what a counter said: the readings that stay are its own', () => {
    const counter: SourceDescription = { ...gauge, kind: 'counter', quantity: 'energy', unit: 'J' };
    const series = grown(counter, 20_000, time => 123 * time, 2_000, [[100, 200]]).toSeries();
    expect(series.timeSeconds.length).toBeLessThan(3_000);
    for (const [index, time] of series.timeSeconds.entries()) expect(series.values[index]).toBeCloseTo(123 * time, 6);
    expect(series.timeSeconds.filter(time => time >= 99 && time <= 101)).toHaveLength(41);
  });

  it('keeps the bits of a mask: only equal readings are merged', () => {
    const mask: SourceDescription = { ...gauge, quantity: 'throttleReasons', unit: 'bitmask' };
    const values = grown(mask, 20_000, time => (time % 100 < 1 ? 0x24 : 0), 2_000, []).toSeries().values;
    expect(values.length).toBeLessThan(4_000);
    expect(new Set(values)).toEqual(new Set([0x24, 0]));
  });

  it('a whole node of eight hours with launches all through stays under 64 MB, energy from the full rate', () => {
    const of = (kind: 'counter' | 'gauge', hertz: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        hertz,
        source: {
          ...gauge,
          id: `${kind}/${hertz}/${index}`,
          kind,
          ...(kind === 'counter' ? { quantity: 'energy', unit: 'J' } : {}),
        } as SourceDescription,
      }));
    const sensors = [...of('counter', 10, 4), ...of('gauge', 20, 3), ...of('gauge', 50, 1), ...of('gauge', 2, 20)];
    const room = seriesRoom(sensors.map(sensor => sensor.hertz));
    expect(room.reduce((sum, one) => sum + one, 0)).toBeLessThanOrEqual(ALL_READINGS);
    // Work for 25 s of each 30 s: more ends of windows than any long run of ours.
    const power = (time: number): number => (time % 30 < 25 ? 300 : 100) + 5 * Math.sin(time);
    const joules = (time: number): number =>
      100 * time + 200 * (25 * Math.floor(time / 30) + Math.min(25, time % 30)) + 5 * (1 - Math.cos(time));
    let [most, json] = [0, 0];
    for (const [index, { source, hertz }] of sensors.entries()) {
      const series = new GrowingSeries(source, room[index] ?? 1);
      const block = 30 * hertz;
      const [times, values] = [new Float64Array(block), new Float64Array(block)];
      let peak = 0;
      for (let start = 0; start < 8 * 3600; start += 30) {
        for (let at = 0; at < block; at++) {
          const time = start + at / hertz;
          times[at] = time;
          values[at] = source.kind === 'counter' ? joules(time) : power(time);
        }
        series.append({ timeSeconds: times, values });
        series.keep([start, start + 25]);
        peak = Math.max(peak, series.bytes);
      }
      most += peak;
      series.bound();
      const written = series.toSeries();
      expect(written.values.length).toBeLessThanOrEqual(room[index] ?? 0);
      json += JSON.stringify(written).length;
      if (hertz < 10) continue;
      const track = source.kind === 'counter' ? counterTrack(written, source) : gaugeTrack(written, source);
      let [sum, exact] = [0, 0];
      for (let start = 30; start < 8 * 3600 - 60; start += 30) {
        const window = windowEnergy(track, start, start + 25);
        if (window.status !== 'ok') throw new Error(window.reason);
        sum += window.joules;
        exact += joules(start + 25) - joules(start);
      }
      expect(Math.abs(sum / exact - 1)).toBeLessThan(1e-3);
    }
    expect(most + TAGS_BYTES).toBeLessThan(64e6);
    expect(json + TAGS_BYTES).toBeLessThan(64e6);
  });

  it('and the tags of its samples, which are never more than the readings that they come from, stay within the rest', () => {
    const sensor = (quantity: string, unit: string, kind: 'counter' | 'gauge', hertz: number) => {
      const source = { ...gauge, id: `${quantity}/0`, kind, quantity, unit } as SourceDescription;
      const series = new GrowingSeries(source, seriesRoom([hertz])[0] ?? 1);
      for (let start = 0; start < 8 * 3600; start += 30) {
        const times = Array.from({ length: 30 * hertz }, (_, index) => start + index / hertz);
        // No two readings alike, as a clock under load has it.
        series.append(
          readings(
            times,
            times.map(time => (kind === 'counter' ? time : 3.4e9 + Math.round(1e6 * Math.sin(time)) * 1e3)),
          ),
        );
        series.keep([start, start + 25]);
      }
      series.bound();
      return { source, series: series.toSeries() };
    };
    const sensors = [
      sensor('clock', 'Hz', 'gauge', 5),
      sensor('temperature', 'degC', 'gauge', 2),
      sensor('throttleTime', 's', 'counter', 5),
    ];
    const input = { sources: sensors.map(one => one.source), series: sensors.map(one => one.series), device: 'cpu' };
    let [json, numbers] = [0, 0];
    for (let start = 0; start < 8 * 3600; start += 30) {
      const samplesSeconds = Array.from({ length: 250 }, () => 0.1);
      const tags = launchConditions({ windowSeconds: [start, start + 25], samplesSeconds }, input);
      json += JSON.stringify(tags).length;
      numbers += 4 * (tags?.samples.length ?? 0);
    }
    expect(numbers).toBeGreaterThan(4 * 1000);
    expect(json).toBeLessThan(TAGS_BYTES);
    // A number of its own object each, in the worst case.
    expect(24 * numbers).toBeLessThan(2 * TAGS_BYTES);
  });

  it('does not merge over a failed read', () => {
    const series = grown(gauge, 4_000, time => (time === 100 ? Number.NaN : 200), 100, []).toSeries();
    expect(series.values.filter(value => value === null)).toHaveLength(1);
  });
});
