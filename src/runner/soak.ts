/**
 * Warms the machine up with a case's own work until it is thermally steady, for cases whose regime is `sustained`. What runs here
 * is not measured; the launch that counts follows at once.
 */
import { metricDefinition } from '../analysis/metrics.ts';
import type { Launch, Warning } from '../results/schema.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import type { LaunchOutcome } from './launch.ts';

/** A machine that is not steady by then will not be. */
export const SOAK_LIMIT_SECONDS = 600;
/** What is looked at: the last so many seconds. */
const LOOK_BACK_SECONDS = 30;
/** Warming or cooling by no more than this over a minute is steady. Kelvin per minute. */
const STEADY_SLOPE = 1;
/** Without a sensor: so many rates in a row within this of each other. */
const STEADY_RATES = 3;
const STEADY_SPREAD = 0.01;
const SAMPLE_SECONDS = 1;

export interface SoakOptions {
  recorder: Pick<Recorder, 'live'>;
  now(): number;
  signal: AbortSignal;
  /** Runs the case's work for a few seconds. */
  run(): Promise<LaunchOutcome>;
  /** The case's headline metric. */
  metric: string;
  limitSeconds?: number;
}

export interface Soak {
  /** Into the launch's state. */
  state: Launch['state'];
  warning: Warning | null;
}

/** Works until steady, until the limit, or until the run ends; a launch that fails ends it too, for the measured one to say why. */
export async function soak(options: SoakOptions): Promise<Soak> {
  const { recorder, now, signal } = options;
  const limit = options.limitSeconds ?? SOAK_LIMIT_SECONDS;
  const from = now();
  const readings: [time: number, celsius: number][] = [];
  const look = (): void => {
    const celsius = recorder.live().temperatureCelsius;
    if (celsius !== null) readings.push([now(), celsius]);
  };
  const timer = setInterval(look, SAMPLE_SECONDS * 1e3);
  const rates: number[] = [];
  let steady = false;
  try {
    while (!signal.aborted && !steady && now() - from < limit) {
      const outcome = await options.run();
      if (outcome.kind !== 'measured') break;
      look();
      const rate = metricDefinition(options.metric)?.ofLaunch(outcome.result as unknown as Launch) ?? null;
      if (rate !== null) rates.push(rate);
      steady =
        readings.length > 0 ? isSteadyTemperature(readings) : now() - from >= LOOK_BACK_SECONDS && isSteadyRate(rates);
    }
  } finally {
    clearInterval(timer);
  }
  const seconds = now() - from;
  const celsius = readings[readings.length - 1]?.[1] ?? null;
  const judgedBy = readings.length > 0 ? 'temperature' : 'rate';
  return {
    state: { soakSeconds: seconds, soakSteady: steady, soakJudgedBy: judgedBy, soakEndCelsius: celsius },
    warning: steady || signal.aborted ? null : notSteady(seconds, judgedBy),
  };
}

/** Pure: the slope of a straight line through the last half-minute (least squares), once there is as much. */
export function isSteadyTemperature(readings: readonly (readonly [number, number])[]): boolean {
  const [last] = readings[readings.length - 1] ?? [0];
  const first = readings[0]?.[0] ?? last;
  if (last - first < LOOK_BACK_SECONDS) return false;
  const recent = readings.filter(([time]) => time >= last - LOOK_BACK_SECONDS);
  const meanTime = recent.reduce((sum, [time]) => sum + time, 0) / recent.length;
  const meanValue = recent.reduce((sum, [, value]) => sum + value, 0) / recent.length;
  const covariance = recent.reduce((sum, [time, value]) => sum + (time - meanTime) * (value - meanValue), 0);
  const variance = recent.reduce((sum, [time]) => sum + (time - meanTime) ** 2, 0);
  return variance > 0 && Math.abs(covariance / variance) * 60 <= STEADY_SLOPE;
}

/** Pure: for a machine without a sensor. */
export function isSteadyRate(rates: readonly number[]): boolean {
  const recent = rates.slice(-STEADY_RATES);
  return recent.length === STEADY_RATES && Math.max(...recent) <= (1 + STEADY_SPREAD) * Math.min(...recent);
}

function notSteady(seconds: number, judgedBy: string): Warning {
  return {
    code: 'SUSTAINED_NOT_STEADY',
    message: `After ${Math.round(seconds)} s of the case's own work the machine was not steady, by its ${judgedBy}; what was measured then is no sustained rate yet.`,
    remedy:
      'Leave the machine alone while it runs, and look at cooling; without a temperature sensor other load moves the rate.',
  };
}
