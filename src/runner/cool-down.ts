/** Waits before a launch until the machine is as cool as the user asked for. It only waits: no fan and no clock is changed. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Warning } from '../results/schema.ts';
import type { Recorder } from '../telemetry/recorder.ts';

const LOOK_SECONDS = 0.5;
/** A machine that does not get there in this time never will. */
export const COOL_DOWN_LIMIT_SECONDS = 300;

export interface CoolDownOptions {
  recorder: Pick<Recorder, 'live'>;
  /** Of the hottest sensor. */
  celsius: number;
  now(): number;
  signal: AbortSignal;
  limitSeconds?: number;
  lookSeconds?: number;
}

/** Null when it is cool, or when nothing can be waited for because the run ends; otherwise the warning for the document. */
export async function coolDown(options: CoolDownOptions): Promise<Warning | null> {
  const { recorder, celsius, now, signal } = options;
  const limit = options.limitSeconds ?? COOL_DOWN_LIMIT_SECONDS;
  const from = now();
  let seen: number | null = null;
  while (!signal.aborted) {
    seen = recorder.live().temperatureCelsius ?? seen;
    if (seen !== null && seen <= celsius) return null;
    // The first readings come with the first drain: a machine without a sensor is not waited for longer than that.
    if (seen === null && now() - from > 3) return noSensor(celsius);
    if (now() - from > limit) return tooWarm(celsius, seen, limit);
    await sleep((options.lookSeconds ?? LOOK_SECONDS) * 1e3, undefined, { signal }).catch(() => {});
  }
  return null;
}

function noSensor(celsius: number): Warning {
  return {
    code: 'COOL_DOWN_NO_SENSOR',
    message: `No temperature can be read: the launches did not wait for ${celsius} °C.`,
    remedy: 'See aibench list sources; without a sensor leave out --cool-to.',
  };
}

function tooWarm(celsius: number, seen: number | null, limit: number): Warning {
  return {
    code: 'COOL_DOWN_TIMEOUT',
    message: `The hottest sensor stayed at ${seen?.toFixed(0) ?? '?'} °C for ${limit} s and did not fall to ${celsius} °C; the launch began warm.`,
    remedy: 'Choose a temperature that the idle machine reaches, or improve cooling.',
  };
}
