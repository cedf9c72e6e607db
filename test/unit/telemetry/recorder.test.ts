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

  it('waits for no drive: the hottest processor or GPU counts, and anything where there is none', () => {
    const { native, sampler } = fakeNative();
    const ids = ['hwmon/nvme/composite', 'hwmon/mlx5/sensor0', 'hwmon/coretemp/package-id-0', 'nvml/gpu-0/temperature'];
    const of = (named: string[]) => {
      const channels = named.map(id => ({
        description: {
          ...{ id, kind: 'gauge', scope: 'chip', covers: [], quantity: 'temperature', unit: 'degC', status: 'ok' },
        } as SourceDescription,
        channel: { id, read: { type: 'file', path: 'x' }, scale: 1, periodSeconds: 0.5, capacity: 10 } as const,
      }));
      const recorder = startRecorder({ native, channels, nvmlLibraries: [] });
      sampler.pending = Object.fromEntries(named.map((id, index) => [id, readings([100], [90 - 10 * index])]));
      recorder.snapshot();
      const live = recorder.live();
      recorder.stop();
      return live.temperatureCelsius;
    };
    expect(of(ids)).toBe(70);
    expect(of(ids.slice(0, 2))).toBe(90);
    expect(of([])).toBeNull();
  });

  it('knows up to when its meters have told, with what an average lags behind', async () => {
    const { native, sampler, clock } = fakeNative();
    const source = (id: string, extra: Partial<SourceDescription>): SourceDescription => ({
      ...{ id, kind: 'gauge', scope: 'board', covers: [id], quantity: 'power', unit: 'W', status: 'ok' },
      ...extra,
    });
    const channels = [source('prompt', {}), source('average', { averagingWindowSeconds: 1 }), source('silent', {})].map(
      description => ({
        description,
        channel: {
          id: description.id,
          read: { type: 'file', path: 'x' },
          scale: 1,
          periodSeconds: 0.1,
          capacity: 10,
        } as const,
      }),
    );
    const recorder = startRecorder({ native, channels, nvmlLibraries: [] });
    expect(recorder.coveredUntil()).toBeNull();
    sampler.pending = {
      prompt: readings([99.9, 100], [1, 1]),
      average: readings([99.9, 100], [1, 1]),
      silent: readings([80], [1]),
    };
    expect(recorder.coveredUntil()).toBe(99.5);
    clock.now = 120;
    expect(recorder.coveredUntil()).toBeNull();
    recorder.stop();
  });

  it('shows a meter whose answers are half a scrape old, and not one that is silent', async () => {
    const { native, clock } = fakeNative();
    let watts: number | null = 300;
    const description: SourceDescription = {
      ...{ id: 'prometheus/query', kind: 'gauge', scope: 'node', covers: ['node'], quantity: 'power', unit: 'W' },
      status: 'ok',
    };
    const reader = { delaySeconds: [0, 15] as const, read: async () => ({ [description.id]: watts }) };
    const recorder = startRecorder({
      ...{ native, channels: [], nvmlLibraries: [] },
      remote: [{ descriptions: [description], reader }],
    });
    await vi.waitFor(() => expect(recorder.live().watts).toMatchObject({ value: 300, scope: 'node' }));
    watts = null;
    clock.now += 60;
    expect(recorder.live().watts).toBeNull();
    recorder.stop();
  });

  it('has no clock that runs backwards, whatever is learnt of that of a meter', async () => {
    const { native, clock } = fakeNative();
    const description: SourceDescription = {
      ...{ id: 'redfish/0/sensor', kind: 'gauge', scope: 'node', covers: ['node'], quantity: 'power', unit: 'W' },
      status: 'ok',
    };
    // The same reading twice; by the second answer the meter's clock is known to be half a second further ahead.
    let asked = 0;
    const reader = {
      read: async () => {
        clock.now = 100 + asked;
        asked += 1;
        return { [description.id]: 300 };
      },
      meterTime: () => ({ takenSeconds: 1000, nowSeconds: [998 + 2 * asked, 999 + 2 * asked] as const }),
    };
    const recorder = startRecorder({
      ...{ native, channels: [], nvmlLibraries: [] },
      remote: [{ descriptions: [description], reader }],
    });
    const times = (): number[] => recorder.snapshot().series[0]?.timeSeconds ?? [];
    await vi.waitFor(() => expect(times().length).toBeGreaterThan(1), { timeout: 5000 });
    expect(times().slice(0, 2)).toEqual([99.5, 99.5]);
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

  it('loses no energy of a counter that wraps to long stretches, nor any window with less power than most', () => {
    const modulus = 65_536;
    const counter: SourceDescription = {
      ...gauge,
      ...{ kind: 'counter', scope: 'package', quantity: 'energy', unit: 'J', modulus },
    };
    // Of each 100 s, 60 at 300 W and 40 at 100 W, a launch in each.
    const joules = (time: number): number =>
      220 * 100 * Math.floor(time / 100) + 300 * Math.min(60, time % 100) + 100 * Math.max(0, (time % 100) - 60);
    const windows = Array.from({ length: 39 }, (_, index): [number, number] =>
      index % 2 === 0 ? [50 * index, 50 * index + 60] : [50 * index + 10, 50 * index + 50],
    );
    const stuck = (time: number): number => joules(time < 1260 ? time : Math.max(1260, time - 20));
    const of = (energy: (time: number) => number) => {
      const written = grown(counter, 40_000, time => energy(time) % modulus, 1_700, windows).toSeries();
      expect(written.timeSeconds.length).toBeLessThan(2_000);
      return counterTrack(written, counter);
    };
    const track = of(joules);
    for (const [start, end] of windows.slice(1)) {
      const window = windowEnergy(track, start, end);
      if (window.status !== 'ok') throw new Error(`${start}: ${window.reason}`);
      expect(Math.abs(window.joules / (joules(end) - joules(start)) - 1)).toBeLessThan(1e-3);
    }
    // A counter that stood still for 20 s of a launch is still seen to have done so.
    expect(windowEnergy(of(stuck), 1260, 1300)).toMatchObject({ status: 'invalid', code: 'lost-readings' });
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

  it('a sensor that fails for hours takes no room for it, and is still seen to have failed', () => {
    const series = grown(gauge, 40_000, time => (time >= 100 ? Number.NaN : 200), 500, []).toSeries();
    expect(series.values.length).toBeLessThanOrEqual(500);
    expect(series.values.slice(-3)).toEqual([null, null, null]);
    expect(series.timeSeconds[series.timeSeconds.length - 1]).toBeCloseTo(2000, 0);
    expect(series.values.every(value => value === null || value === 200)).toBe(true);
  });

  it('forgets what is old where it is only looked at', () => {
    const series = new GrowingSeries(gauge, 100, true);
    for (let start = 0; start < 1e5; start += 50) {
      const times = Array.from({ length: 50 }, (_, index) => start + index);
      series.append(
        readings(
          times,
          times.map(time => (time % 3 === 0 ? Number.NaN : time)),
        ),
      );
    }
    expect(series.length).toBeLessThanOrEqual(200);
    expect(series.latest(1e5, 3)).toBe(99_998);
  });
});
