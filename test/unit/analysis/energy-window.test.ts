import { describe, expect, it } from 'vitest';
import { counterTrack, gaugeTrack, type Track } from '../../../src/analysis/energy-track.ts';
import { COVERAGE_FACTOR, combine, type WindowEnergy, windowEnergy } from '../../../src/analysis/energy-window.ts';
import type { Series } from '../../../src/results/schema.ts';
import {
  counterSeries,
  counterSource,
  flat,
  gaugeSeries,
  gaugeSource,
  random,
  randomTrace,
  squareWave,
  step,
  type Trace,
  trueJoules,
} from './energy-traces.ts';

type Ok = Extract<WindowEnergy, { status: 'ok' }>;

function ok(energy: WindowEnergy): Ok {
  if (energy.status !== 'ok') throw new Error(`${energy.code}: ${energy.reason}`);
  return energy;
}

function halfWidth(energy: Ok): number {
  return COVERAGE_FACTOR * combine(energy.terms).joules;
}

/** Relative error against the exact integral. */
function errorOf(track: Track, trace: Trace, from: number, to: number): number {
  return Math.abs(ok(windowEnergy(track, from, to)).joules / trueJoules(trace, from, to) - 1);
}

const ramp: Trace = { times: [0, 40], watts: [50, 350] };
const RANGE = { from: 0, to: 40 } as const;
const TENTH_OF_PERCENT = 1e-3;

describe('exactness: within 0.1 % of the integral', () => {
  const shapes: [string, Trace][] = [
    ['flat', flat(187.5)],
    ['a step at both ends of the window', step(50, 280, 10.03, 25.07)],
    ['a ramp', ramp],
    ['a square wave of 2 s', squareWave(80, 250, 2, 0, 40)],
    ['a square wave of 70 ms, faster than the counter is read', squareWave(80, 250, 0.07, 0, 40)],
  ];
  it.each(shapes)('counter: %s', (_, trace) => {
    const series = counterSeries(trace, { ...RANGE, hertz: 10 });
    expect(errorOf(counterTrack(series, counterSource()), trace, 10.03, 25.07)).toBeLessThan(TENTH_OF_PERCENT);
  });

  it.each([...shapes.slice(0, 3), ['a square wave of 4 s at 100 Hz', squareWave(80, 250, 4, 0, 40)]] as [
    string,
    Trace,
  ][])('gauge: %s', (_, trace) => {
    const series = gaugeSeries(trace, { ...RANGE, hertz: 100, quantum: 1e-6 });
    expect(errorOf(gaugeTrack(series, gaugeSource()), trace, 10, 26)).toBeLessThan(TENTH_OF_PERCENT);
  });

  it('counter: jittered clock and failed reads', () => {
    const series = counterSeries(ramp, { ...RANGE, hertz: 10, jitter: 0.8, missing: 0.1 });
    expect(series.values.filter(value => value === null).length).toBeGreaterThan(20);
    expect(errorOf(counterTrack(series, counterSource()), ramp, 10.03, 25.07)).toBeLessThan(TENTH_OF_PERCENT);
  });

  it('gauge: jittered clock and single failed reads', () => {
    const series = gaugeSeries(ramp, { ...RANGE, hertz: 20, jitter: 0.8, missing: 0.02 });
    expect(errorOf(gaugeTrack(series, gaugeSource()), ramp, 10.03, 25.07)).toBeLessThan(TENTH_OF_PERCENT);
  });

  it('counter: wraps many times in one window', () => {
    const modulus = 800;
    const trace = flat(280);
    const series = counterSeries(trace, { ...RANGE, hertz: 10, modulus, offset: 799 });
    const drops = series.values.filter((value, index) => (value ?? 0) < (series.values[index - 1] ?? 0));
    expect(drops.length).toBeGreaterThan(10);
    expect(errorOf(counterTrack(series, counterSource({ modulus })), trace, 2.03, 37.07)).toBeLessThan(
      TENTH_OF_PERCENT,
    );
  });

  it('a counter that moves every 100 ms only, read at 10 Hz', () => {
    const trace = step(50, 280, 10.03, 25.07);
    const series = counterSeries(trace, { ...RANGE, hertz: 10, updatePeriodSeconds: 0.1, jitter: 0.3 });
    const track = counterTrack(series, counterSource({ updatePeriodSeconds: 0.1 }));
    const energy = ok(windowEnergy(track, 10.03, 25.07));
    expect(Math.abs(energy.joules - trueJoules(trace, 10.03, 25.07))).toBeLessThan(halfWidth(energy));
    expect(halfWidth(energy) / energy.joules).toBeLessThan(0.02);
  });
});

describe('wrap or reset', () => {
  const trace = flat(200);

  it('a backwards step that implies absurd power is a reset: that stretch is lost, not millions of joules', () => {
    const modulus = 262143.3;
    const series = counterSeries(trace, { ...RANGE, hertz: 10, modulus, offset: 5000, resetAt: 15.02 });
    const track = counterTrack(series, counterSource({ modulus }));
    expect(Object.keys(track.lost)).toEqual(['reset']);
    const energy = ok(windowEnergy(track, 5, 35));
    expect(energy.lostSeconds).toBeGreaterThan(0.09);
    expect(energy.lostSeconds).toBeLessThan(0.11);
    expect(Math.abs(energy.joules - 6000)).toBeLessThan(halfWidth(energy) + 1);
    expect(Math.abs(energy.joules / 6000 - 1)).toBeLessThan(TENTH_OF_PERCENT);
    expect(combine(energy.terms).dominatedBy).toBe('gap');
  });

  it('the same reset in a short window loses more than 2 % of it: no number', () => {
    const series = counterSeries(trace, { ...RANGE, hertz: 10, modulus: 262143.3, offset: 5000, resetAt: 15.02 });
    const energy = windowEnergy(counterTrack(series, counterSource({ modulus: 262143.3 })), 14, 17);
    expect(energy).toMatchObject({ status: 'invalid', code: 'lost-readings' });
  });

  it('without a known modulus every backwards step is a reset', () => {
    const series = counterSeries(trace, { ...RANGE, hertz: 10, modulus: 800 });
    expect(Object.keys(counterTrack(series, counterSource()).lost)).toEqual(['reset']);
  });

  it('over a gap longer than the wrap time nothing is known, even where the counter stands higher', () => {
    const modulus = 6000;
    const series = counterSeries(trace, { ...RANGE, hertz: 10, modulus });
    const gapped: Series = {
      ...series,
      values: series.values.map((value, index) =>
        (series.timeSeconds[index] ?? 0) > 10 && (series.timeSeconds[index] ?? 0) < 13 ? null : value,
      ),
    };
    const energy = windowEnergy(counterTrack(gapped, counterSource({ modulus })), 5, 35);
    expect(energy).toMatchObject({ status: 'invalid', code: 'lost-readings' });
    expect(counterTrack(gapped, counterSource({ modulus })).lost.gap).toBeGreaterThan(2.9);
  });

  it('a single absurd forward jump is lost', () => {
    const series = counterSeries(trace, { ...RANGE, hertz: 10 });
    const jumped: Series = {
      ...series,
      values: series.values.map((value, index) => ((series.timeSeconds[index] ?? 0) > 20 ? (value ?? 0) + 1e6 : value)),
    };
    const energy = ok(windowEnergy(counterTrack(jumped, counterSource()), 5, 35));
    expect(Math.abs(energy.joules - 6000)).toBeLessThan(halfWidth(energy) + 1);
  });

  it('a counter that sticks for a third of the window loses it; one that catches up does not', () => {
    const series = counterSeries(trace, { ...RANGE, hertz: 10 });
    const at = (index: number): number => series.timeSeconds[index] ?? 0;
    const stuckValue = series.values.find((_, index) => at(index) >= 15) ?? 0;
    const catching: Series = {
      ...series,
      values: series.values.map((value, index) => (at(index) > 15 && at(index) < 25 ? stuckValue : value)),
    };
    const dead: Series = {
      ...series,
      values: series.values.map((value, index) => {
        if (at(index) < 15) return value;
        return at(index) < 25 ? stuckValue : (value ?? 0) - 2000;
      }),
    };
    expect(Math.abs(ok(windowEnergy(counterTrack(catching, counterSource()), 5, 35)).joules - 6000)).toBeLessThan(6);
    expect(windowEnergy(counterTrack(dead, counterSource()), 5, 35)).toMatchObject({
      status: 'invalid',
      code: 'lost-readings',
    });
  });
});

describe('fail closed', () => {
  it('a failed read is never 0 J: all reads failed, no number', () => {
    const series = gaugeSeries(flat(200), { ...RANGE, hertz: 20, missing: 1 });
    expect(windowEnergy(gaugeTrack(series, gaugeSource()), 5, 35)).toMatchObject({
      status: 'invalid',
      code: 'no-readings',
    });
  });

  it('a gauge that reads 0 W failed', () => {
    const series = gaugeSeries(flat(0), { ...RANGE, hertz: 20 });
    expect(windowEnergy(gaugeTrack(series, gaugeSource()), 5, 35)).toMatchObject({ status: 'invalid' });
  });

  it('a counter that never moves gives no energy', () => {
    const series = counterSeries(flat(0), { ...RANGE, hertz: 10 });
    expect(windowEnergy(counterTrack(series, counterSource()), 5, 35)).toMatchObject({ status: 'invalid' });
  });

  it('readings that begin after the window began are lost time', () => {
    const series = counterSeries(flat(200), { from: 6, to: 40, hertz: 10 });
    expect(windowEnergy(counterTrack(series, counterSource()), 5, 35)).toMatchObject({
      status: 'invalid',
      code: 'lost-readings',
    });
    expect(windowEnergy(counterTrack(series, counterSource()), 0, 5)).toMatchObject({
      status: 'invalid',
      code: 'window-not-covered',
    });
  });

  it('a gap in a gauge longer than a few readings is lost', () => {
    const series = gaugeSeries(flat(200), { ...RANGE, hertz: 20 });
    const gapped: Series = {
      ...series,
      values: series.values.map((value, index) =>
        (series.timeSeconds[index] ?? 0) > 10 && (series.timeSeconds[index] ?? 0) < 12 ? null : value,
      ),
    };
    expect(windowEnergy(gaugeTrack(gapped, gaugeSource()), 5, 35)).toMatchObject({
      status: 'invalid',
      code: 'lost-readings',
    });
  });
});

describe('averaging gauges', () => {
  it('a one-sided step seen through a 1 s average is off by less than what is stated, and lag is named', () => {
    const trace: Trace = { times: [0, 10, 10, 40], watts: [60, 60, 700, 700] };
    const series = gaugeSeries(trace, { ...RANGE, hertz: 20, averagingWindowSeconds: 1, quantum: 1e-3 });
    const energy = ok(
      windowEnergy(gaugeTrack(series, gaugeSource({ averagingWindowSeconds: 1, scope: 'board' })), 10, 14),
    );
    const error = energy.joules - trueJoules(trace, 10, 14);
    expect(error).toBeLessThan(-20);
    expect(Math.abs(error)).toBeLessThan(halfWidth(energy));
    expect(combine(energy.terms).dominatedBy).toBe('lag');
  });
});

describe('a clock that is off', () => {
  it('is bounded by the step of the load, also where it begins and ends with the window', () => {
    const trace = step(50, 500, 10, 40);
    for (const offset of [0.3, -0.3]) {
      const series = gaugeSeries(trace, { from: 0, to: 50, hertz: 20, quantum: 1e-3 });
      const shifted = { ...series, timeSeconds: series.timeSeconds.map(time => time + offset) };
      const energy = ok(windowEnergy(gaugeTrack(shifted, gaugeSource()), 10, 40, { clockOffsetSeconds: 0.3 }));
      expect(energy.terms.synchronisation).toBeCloseTo((0.3 * 450) / Math.sqrt(3), 6);
      const error = Math.abs(energy.joules - trueJoules(trace, 10, 40));
      expect(error).toBeGreaterThan(100);
      expect(error).toBeLessThan(halfWidth(energy));
    }
  });

  it('costs nothing where the power is steady around both ends', () => {
    const series = gaugeSeries(flat(300), { ...RANGE, hertz: 20 });
    const energy = ok(windowEnergy(gaugeTrack(series, gaugeSource()), 10, 30, { clockOffsetSeconds: 0.3 }));
    expect(energy.terms.synchronisation).toBe(0);
  });
});

describe('the stated interval over 1,000 random runs', () => {
  interface Outcome {
    inside: number;
    measured: number;
    medianWidth: number;
  }

  function outcome(measure: (trace: Trace, rng: () => number, from: number, to: number) => WindowEnergy): Outcome {
    let inside = 0;
    const widths: number[] = [];
    for (let seed = 1; seed <= 1000; seed++) {
      const rng = random(seed * 7919);
      const trace = randomTrace(rng, 40);
      const from = 3 + 5 * rng();
      const to = from + 5 + 20 * rng();
      const energy = measure(trace, rng, from, to);
      if (energy.status !== 'ok') continue;
      widths.push((2 * halfWidth(energy)) / energy.joules);
      if (Math.abs(energy.joules - trueJoules(trace, from, to)) <= halfWidth(energy)) inside += 1;
    }
    widths.sort((a, b) => a - b);
    return { inside: inside / widths.length, measured: widths.length, medianWidth: widths[widths.length >> 1] ?? 1 };
  }

  it('counter at 10 Hz, 61 µJ steps, wraps, jitter, failed reads: 95 % inside, under 3 % wide', {
    timeout: 120_000,
  }, () => {
    const result = outcome((trace, rng, from, to) => {
      const modulus = 1000 + 60_000 * rng();
      const sensor = { quantum: 6.1e-5, modulus, updatePeriodSeconds: 0.001 };
      const series = counterSeries(trace, {
        ...sensor,
        hertz: 10,
        jitter: 0.2,
        missing: 0.01,
        offset: modulus * rng(),
        from: 0.01,
        to: 40,
        rng,
      });
      return windowEnergy(counterTrack(series, counterSource(sensor)), from, to);
    });
    expect(result.measured).toBeGreaterThan(950);
    expect(result.inside).toBeGreaterThanOrEqual(0.95);
    expect(result.medianWidth).toBeLessThan(0.03);
  });

  it('gauge at 20 Hz that updates every 20 to 120 ms: 95 % inside, under 3 % wide', { timeout: 120_000 }, () => {
    const result = outcome((trace, rng, from, to) => {
      const updatePeriodSeconds = 0.02 + 0.1 * rng();
      const series = gaugeSeries(trace, {
        updatePeriodSeconds,
        quantum: 1e-3,
        hertz: 20,
        jitter: 0.2,
        missing: 0.01,
        from: 0.01,
        to: 40,
        rng,
      });
      return windowEnergy(gaugeTrack(series, gaugeSource()), from, to);
    });
    expect(result.measured).toBeGreaterThan(950);
    expect(result.inside).toBeGreaterThanOrEqual(0.95);
    expect(result.medianWidth).toBeLessThan(0.03);
  });

  it('gauge that averages over 1 s: 95 % inside, under 3 % wide', { timeout: 120_000 }, () => {
    const result = outcome((trace, rng, from, to) => {
      const series = gaugeSeries(trace, {
        averagingWindowSeconds: 1,
        updatePeriodSeconds: 0.02 + 0.1 * rng(),
        quantum: 1e-3,
        hertz: 20,
        jitter: 0.2,
        missing: 0.01,
        from: 0.01,
        to: 40,
        rng,
      });
      return windowEnergy(gaugeTrack(series, gaugeSource({ averagingWindowSeconds: 1 })), from, to);
    });
    expect(result.measured).toBeGreaterThan(950);
    expect(result.inside).toBeGreaterThanOrEqual(0.95);
    expect(result.medianWidth).toBeLessThan(0.03);
  });
});
