import { describe, expect, it } from 'vitest';
import { coolDown } from '../../../src/runner/cool-down.ts';

/** A machine that is looked at every 10 s of its own time and has these temperatures. */
function machine(temperatures: (number | null)[]) {
  let looks = 0;
  const live = () => {
    const temperatureCelsius = temperatures[Math.min(looks++, temperatures.length - 1)] ?? null;
    return { watts: null, temperatureCelsius, latest: {} };
  };
  return { recorder: { live }, now: () => looks * 10, looks: () => looks };
}
const signal = new AbortController().signal;

describe('cool-down', () => {
  it('waits until the hottest sensor is no warmer, and says nothing then', async () => {
    const hot = machine([80, 71, 62, 55, 49]);
    expect(await coolDown({ ...hot, celsius: 50, signal, lookSeconds: 0 })).toBeNull();
    expect(hot.looks()).toBe(5);
  });

  it('gives up after its limit, and says how warm it was', async () => {
    const warning = await coolDown({ ...machine([80, 75]), celsius: 50, signal, lookSeconds: 0, limitSeconds: 60 });
    expect(warning).toMatchObject({
      code: 'COOL_DOWN_TIMEOUT',
      message: expect.stringMatching(/75 °C for 60 s.*50 °C/),
    });
  });

  it('does not wait where there is no sensor', async () => {
    expect(await coolDown({ ...machine([null]), celsius: 50, signal, lookSeconds: 0 })).toMatchObject({
      code: 'COOL_DOWN_NO_SENSOR',
    });
  });

  it('ends with the run', async () => {
    expect(await coolDown({ ...machine([80]), celsius: 50, signal: AbortSignal.abort() })).toBeNull();
  });
});
