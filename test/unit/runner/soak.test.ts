import { describe, expect, it, vi } from 'vitest';
import type { LaunchOutcome } from '../../../src/runner/launch.ts';
import { isSteadyRate, isSteadyTemperature, soak } from '../../../src/runner/soak.ts';

const ramp = (seconds: number, kelvinPerMinute: number): [number, number][] =>
  Array.from({ length: seconds + 1 }, (_, time) => [time, 60 + (kelvinPerMinute * time) / 60 + (time % 2) * 0.5]);

function measured(seconds: number): LaunchOutcome {
  return {
    kind: 'measured',
    result: { samplesSeconds: [seconds], iterationsPerSample: 1, work: { flops: 1e9 }, windowSeconds: [0, seconds] },
  } as unknown as LaunchOutcome;
}

async function warm(celsius: (time: number) => number | null, rate: (step: number) => number = () => 1) {
  vi.useFakeTimers();
  let [time, steps] = [0, 0];
  const done = soak({
    recorder: { live: () => ({ watts: null, temperatureCelsius: celsius(time), latest: {} }) },
    now: () => time,
    signal: new AbortController().signal,
    metric: 'flops_per_second',
    limitSeconds: 200,
    run: async () => {
      // The timer of the readings fires each second of the work.
      for (let second = 0; second < 10; second++) {
        time += 1;
        vi.advanceTimersByTime(1000);
      }
      return measured(rate(++steps));
    },
  });
  const result = await done;
  vi.useRealTimers();
  return { ...result, steps };
}

describe('thermal steady state', () => {
  it('is a slope of at most a kelvin per minute over half a minute, whatever the ripple', () => {
    expect(isSteadyTemperature(ramp(60, 0.5))).toBe(true);
    expect(isSteadyTemperature(ramp(60, 3))).toBe(false);
    expect(isSteadyTemperature(ramp(20, 0))).toBe(false);
    expect(
      isSteadyTemperature([...ramp(60, 30), ...ramp(31, 0).map(([t, v]): [number, number] => [61 + t, v + 30])]),
    ).toBe(true);
  });

  it('is three rates within a hundredth of each other where there is no sensor', () => {
    expect(isSteadyRate([1, 1.05, 1.1, 1.101, 1.102])).toBe(true);
    expect(isSteadyRate([1.1, 1.101])).toBe(false);
    expect(isSteadyRate([1, 1.05, 1.1])).toBe(false);
  });
});

describe('soak', () => {
  it('works until the temperature stands, and says how it went', async () => {
    const { state, warning, steps } = await warm(time => 90 - 50 * Math.exp(-time / 15));
    expect(warning).toBeNull();
    expect(state).toMatchObject({ soakSteady: true, soakJudgedBy: 'temperature' });
    expect(steps).toBeGreaterThan(5);
    expect(state.soakEndCelsius).toBeGreaterThan(89);
  });

  it('gives up at the limit with a warning, and keeps the measurement', async () => {
    const { state, warning } = await warm(time => 40 + time / 10);
    expect(state).toMatchObject({ soakSteady: false, soakSeconds: 200 });
    expect(warning?.code).toBe('SUSTAINED_NOT_STEADY');
  });

  it('goes by the rate without a sensor', async () => {
    const { state, steps } = await warm(
      () => null,
      step => 1 + 1 / step ** 4,
    );
    expect(state).toMatchObject({ soakSteady: true, soakJudgedBy: 'rate', soakEndCelsius: null });
    expect(steps).toBeGreaterThan(3);
  });
});
