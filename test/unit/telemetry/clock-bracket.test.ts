import { describe, expect, it } from 'vitest';
import { ClockBracket, ReadingClock } from '../../../src/telemetry/clock-bracket.ts';
import { rangeSeconds } from '../../../src/telemetry/sources/prometheus.ts';
import { parseStamp } from '../../../src/telemetry/sources/ptdaemon.ts';
import { meterTime } from '../../../src/telemetry/sources/redfish.ts';

/** Deterministic numbers in [0, 1). */
function sequence(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return state / 2 ** 32;
  };
}

describe('the offset between two clocks', () => {
  it('is bounded by what all exchanges allow, and older bounds widen', () => {
    const bracket = new ClockBracket();
    bracket.add(9, 12, 0);
    expect(bracket.offset(0)).toEqual({ seconds: 10.5, halfWidth: 1.5 });
    bracket.add(8, 10, 100);
    const later = bracket.offset(100);
    expect(later?.seconds).toBeCloseTo(9.5, 2);
    expect(later?.halfWidth).toBeCloseTo(0.5025, 6);
    expect(bracket.offset(1100)?.halfWidth).toBeCloseTo(0.5525, 6);
  });

  it('begins anew where somebody set a clock', () => {
    const bracket = new ClockBracket();
    bracket.add(9, 11, 0);
    bracket.add(-51, -49, 1);
    expect(bracket.offset(1)).toEqual({ seconds: -50, halfWidth: 1 });
    expect(bracket.steps).toBe(1);
  });
});

describe('dating of readings', () => {
  it('holds the truth within what it states, for offsets, delays and drifts of any kind', () => {
    const random = sequence(7);
    for (let meter = 0; meter < 60; meter++) {
      const [offset, drift] = [(random() - 0.5) * 1e6, (random() - 0.5) * 8e-5];
      const [interval, wait] = [0.5 + random(), random() * 0.3];
      const theirs = (local: number): number => local + offset + drift * local;
      const clock = new ReadingClock();
      const [phase, spread] = [random(), 0.01 + 0.3 * random()];
      let last = { uncertaintySeconds: Number.POSITIVE_INFINITY };
      for (let poll = 0; poll < 120; poll++) {
        const asked = 10 + poll + random() * 0.05;
        const there = asked + random() * spread;
        const answered = there + random() * spread;
        // The newest reading that can be asked for when the question arrives.
        const taken = Math.floor((there - wait - phase) / interval) * interval + phase;
        const stamp = { takenSeconds: theirs(taken), nowSeconds: null };
        const dated = clock.date(asked, answered, stamp);
        // Without both bounds it is dated by question and answer, which can only claim to bound a reading taken then.
        if (clock.offset(answered) === null) continue;
        expect(Math.abs(dated.timeSeconds - taken)).toBeLessThanOrEqual(dated.uncertaintySeconds + 1e-9);
        last = dated;
      }
      expect(last.uncertaintySeconds).toBeLessThan(2 * interval);
    }
  });

  it('narrows a clock of whole seconds to the time that an answer takes', () => {
    const random = sequence(3);
    const clock = new ReadingClock();
    for (let poll = 0; poll < 200; poll++) {
      const asked = 1.0131 * poll + 0.05 * random();
      const there = asked + 0.02 * random();
      const now = Math.floor(there + 1000.25);
      clock.date(asked, there + 0.02 * random(), { takenSeconds: null, nowSeconds: [now, now + 1] });
    }
    const offset = clock.offset(203);
    expect(Math.abs((offset?.seconds ?? 0) - 1000.25)).toBeLessThanOrEqual(offset?.halfWidth ?? 0);
    expect(offset?.halfWidth).toBeLessThan(0.06);
  });

  it('without a word of the meter lies half-way between question and answer, and earlier by what the answer may be old', () => {
    expect(new ReadingClock().date(10, 11, null)).toEqual({ timeSeconds: 10.5, uncertaintySeconds: 0.5 });
    expect(new ReadingClock().date(10, 11, null, [0, 15])).toEqual({ timeSeconds: 3, uncertaintySeconds: 8 });
  });
});

describe('what meters say of time', () => {
  it('is read strictly', () => {
    expect(parseStamp('11-23-2026 12:00:01.250')).toBe(Date.UTC(2026, 10, 23, 12, 0, 1) / 1e3 + 0.25);
    expect(parseStamp('23.11.2026 12:00')).toBeNull();
    expect(meterTime({ ReadingTime: '2026-11-23T12:00:01Z' }, 1_795_435_202)).toEqual({
      takenSeconds: Date.UTC(2026, 10, 23, 12, 0, 1) / 1e3,
      nowSeconds: [1_795_435_202, 1_795_435_203],
    });
    expect(meterTime({ ReadingTime: 'soon' }, null)).toEqual({ takenSeconds: null, nowSeconds: null });
    expect(rangeSeconds('sum(rate(node_rapl_package_joules_total{instance="n[1]"}[1m30s]))')).toBe(90);
    expect(rangeSeconds('sum(DCGM_FI_DEV_POWER_USAGE)')).toBe(0);
  });
});
