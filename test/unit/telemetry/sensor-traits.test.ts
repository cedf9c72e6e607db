import { describe, expect, it } from 'vitest';
import { calibrateSensors } from '../../../src/telemetry/calibrate.ts';
import { observerEffect } from '../../../src/telemetry/observer-effect.ts';
import { gaugePeriod, planChannels } from '../../../src/telemetry/plan.ts';
import { averagingWindow, sensorTraits } from '../../../src/telemetry/sensor-traits.ts';
import type { ProbedChannel } from '../../../src/telemetry/source.ts';
import { fakeNative, readings } from './fake-native.ts';

/** A sensor that is read every `read` seconds, updates every `update`, averages over `window`, in steps of `quantum`. */
function play(power: (time: number) => number, read: number, update: number, window: number, quantum: number) {
  const times: number[] = [];
  const values: number[] = [];
  for (let index = 0; index * read < 4; index++) {
    const time = index * read;
    const updated = Math.floor(time / update) * update;
    let sum = 0;
    const parts = 200;
    for (let part = 0; part < parts; part++) sum += power(updated - (window * part) / parts);
    times.push(time);
    values.push(Math.round(sum / parts / quantum) * quantum);
  }
  return { times, values };
}
const busy = (time: number): number => 200 + 40 * Math.sin(17 * time) + 11 * Math.sin(91 * time);

describe('traits of a sensor', () => {
  it.each([0.02, 0.05, 0.1, 0.5])('finds an update period of %s s', update => {
    const { times, values } = play(busy, 0.002, update, 0, 0.001);
    expect(sensorTraits(times, values).updatePeriodSeconds).toBeCloseTo(update, 2);
  });

  it.each([1, 0.125, 0.01])('finds steps of %s W', quantum => {
    const { times, values } = play(busy, 0.002, 0.02, 0, quantum);
    expect(sensorTraits(times, values).quantum).toBeCloseTo(quantum, 6);
  });

  it('says nothing of a sensor that stands still, fails, or moves too seldom', () => {
    const none = { updatePeriodSeconds: null, quantum: null };
    expect(sensorTraits([0, 1, 2, 3], [5, 5, 5, 5])).toEqual(none);
    expect(sensorTraits([0, 1, 2, 3], [Number.NaN, Number.NaN, Number.NaN, Number.NaN])).toEqual(none);
    expect(sensorTraits([0, 1, 2, 3], [5, 6, 6, 7])).toEqual(none);
    expect(sensorTraits([], [])).toEqual(none);
  });

  it.each([0, 0.1, 0.5, 1])('finds an averaging window of %s s from one step', window => {
    const step = (time: number): number => (time < 1 ? 90 : 300) + 3 * Math.sin(50 * time);
    const { times, values } = play(step, 0.005, 0.02, window, 0.001);
    const found = averagingWindow(times, values, 1, 0.02);
    expect(Math.abs((found ?? Number.NaN) - window)).toBeLessThanOrEqual(0.05 + 0.1 * window);
  });

  it('finds no window where the power did not step', () => {
    const { times, values } = play(busy, 0.005, 0.02, 0.3, 0.001);
    expect(averagingWindow(times, values, 1, 0.02)).toBeNull();
  });
});

describe('plan', () => {
  it('reads a gauge twice per update, between 1 kHz and 2 Hz', () => {
    expect([0.0001, 0.002, 0.02, 0.05, 0.1, 1, 15].map(gaugePeriod)).toEqual([
      0.001, 0.001, 0.01, 0.05, 0.05, 0.5, 0.5,
    ]);
  });

  it('takes the measured update period of a gauge, and leaves what is no gauge of power', async () => {
    const { native, sampler } = fakeNative();
    const row = (id: string, quantity: string, unit: string): ProbedChannel => ({
      description: {
        id,
        kind: 'gauge',
        scope: 'board',
        covers: ['gpu-0'],
        quantity,
        unit,
        status: 'ok',
        quantum: 1e-6,
      },
      channel: { id, read: { type: 'file', path: '/x' }, scale: 1, periodSeconds: 0.05, capacity: 10 },
    });
    const { times, values } = play(busy, 0.002, 0.02, 0, 0.125);
    sampler.pending = { power: readings(times, values) };
    const rows = await calibrateSensors([row('power', 'power', 'W'), row('heat', 'temperature', 'degC')], {
      native,
      nvmlLibraries: [],
    });
    expect(sampler.channels.map(channel => channel.id)).toEqual(['power']);
    expect(rows[0]?.description.quantum).toBeCloseTo(0.125, 9);
    expect(rows[1]?.description.quantum).toBe(1e-6);
    expect(planChannels(rows).map(channel => channel.periodSeconds)).toEqual([0.01, 0.05]);
  });

  it('measures how often a counter moves whose source did not, and leaves its step as stated', async () => {
    const { native, sampler } = fakeNative();
    const counter = (id: string, more: object): ProbedChannel => ({
      description: {
        ...{ id, kind: 'counter', scope: 'board', covers: ['gpu-0'], quantity: 'energy', unit: 'J', status: 'ok' },
        ...{ quantum: 1e-3, ...more },
      },
      channel: { id, read: { type: 'file', path: '/x' }, scale: 1, periodSeconds: 0.1, capacity: 100 },
    });
    // Moves each 20 ms, at 100 W.
    const times = Array.from({ length: 300 }, (_, index) => 0.002 * index);
    sampler.pending = {
      gpu: readings(
        times,
        times.map(time => 2 * Math.floor(time / 0.02 + 1e-9)),
      ),
    };
    const rows = [counter('gpu', {}), counter('rapl', { updatePeriodSeconds: 0.001 })];
    const seen = await calibrateSensors(rows, { native, nvmlLibraries: [] });
    expect(sampler.channels.map(({ id, periodSeconds }) => [id, periodSeconds])).toEqual([['gpu', 0.002]]);
    expect(seen[0]?.description.updatePeriodSeconds).toBeCloseTo(0.02, 3);
    expect(seen[0]?.description.quantum).toBe(1e-3);
    expect(seen[1]).toEqual(rows[1]);
    // The pace of a counter does not follow: it loses nothing between reads.
    expect(planChannels(seen).map(channel => channel.periodSeconds)).toEqual([0.1, 0.1]);
  });

  it('measures the averaging of a gauge in which the load shows', async () => {
    const { native, sampler, clock } = fakeNative();
    const meter: ProbedChannel = {
      description: {
        id: 'm',
        kind: 'gauge',
        scope: 'node',
        covers: ['node'],
        quantity: 'power',
        unit: 'W',
        status: 'ok',
      },
      channel: { id: 'm', read: { type: 'file', path: '/x' }, scale: 1, periodSeconds: 0.05, capacity: 10 },
    };
    const step = (time: number): number => (time < 1 ? 90 : 300) + 3 * Math.sin(50 * time);
    const { times, values } = play(step, 0.005, 0.02, 0.5, 0.001);
    sampler.pending = { m: readings(times, values) };
    clock.now = 1;
    let loads = 0;
    const load = async (): Promise<void> => {
      loads += 1;
    };
    const [row] = await calibrateSensors([meter], { native, nvmlLibraries: [], load });
    expect(loads).toBe(1);
    expect(Math.abs((row?.description.averagingWindowSeconds ?? 0) - 0.5)).toBeLessThan(0.1);
  });

  it('goes on with what the sources state where nothing can be watched', async () => {
    const failing = {
      createSampler: () => {
        throw new Error('no threads');
      },
    };
    const { native } = fakeNative();
    expect(await calibrateSensors([], { native, nvmlLibraries: [] })).toEqual([]);
    const power: ProbedChannel = {
      description: { id: 'p', kind: 'gauge', scope: 'board', covers: [], quantity: 'power', unit: 'W', status: 'ok' },
      channel: { id: 'p', read: { type: 'file', path: '/x' }, scale: 1, periodSeconds: 0.05, capacity: 10 },
    };
    expect(await calibrateSensors([power], { native: { ...native, ...failing }, nvmlLibraries: [] })).toEqual([power]);
  });
});

describe('observer effect', () => {
  it('is the ratio of work with and without sampling, in turns, and sampling goes on afterwards', async () => {
    let watched = true;
    let calls = 0;
    const order: boolean[] = [];
    const sampling = { pause: () => (watched = false), resume: () => (watched = true) };
    const measure = async () => {
      order.push(watched);
      const seconds = (watched ? 1.02 : 1) * (1 + 0.001 * (calls++ % 5));
      return {
        ...{ windowStart: 0, windowEnd: 1, iterationsPerSample: 10, complete: true, rankSamplesSeconds: [] },
        samplesSeconds: Float64Array.of(seconds, seconds, seconds),
        warmup: { samplesSeconds: new Float64Array(), settled: true },
      };
    };
    const effect = await observerEffect({ measure }, sampling, 12);
    expect(effect.ratio).toBeCloseTo(1.02, 2);
    expect(effect.interval[0]).toBeLessThanOrEqual(effect.ratio);
    expect(effect.interval[1]).toBeGreaterThanOrEqual(effect.ratio);
    expect(order.slice(0, 4)).toEqual([false, true, true, false]);
    expect(watched).toBe(true);
  });
});
