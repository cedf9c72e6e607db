import { describe, expect, it } from 'vitest';
import { caseEnergy } from '../../../src/analysis/energy.ts';
import { caseThermal, launchConditions, withoutOtherDevices } from '../../../src/analysis/thermal.ts';
import type { Series, SourceDescription } from '../../../src/results/schema.ts';

interface Sensor {
  source: SourceDescription;
  series: Series;
}

function sensor(
  id: string,
  quantity: string,
  times: number[],
  values: (number | null)[],
  kind: 'counter' | 'gauge',
): Sensor {
  const unit = quantity === 'clock' ? 'Hz' : quantity === 'temperature' ? 'degC' : 's';
  return {
    source: { id, kind, scope: 'chip', covers: [], quantity, unit, status: 'ok' },
    series: { source: id, quantity, unit, timeSeconds: times, values },
  };
}

const times = [10, 11, 12, 13, 14];
const fast = sensor('cpufreq/cpu0', 'clock', times, [3e9, 3e9, 2e9, 2e9, 2e9], 'gauge');
const idle = sensor('cpufreq/cpu1', 'clock', times, [1e9, 1e9, 1e9, 1e9, 1e9], 'gauge');
const heat = sensor('thermal/x86_pkg_temp.0', 'temperature', times, [70, 70, 95, 95, null], 'gauge');
const held = sensor('throttle/package-0', 'throttleTime', times, [5, 5, 5.5, 6.5, 7], 'counter');
const gpu = sensor('nvml/gpu-1/throttleReasons', 'throttleReasons', times, [0, 4, 0x24, 4, 4], 'gauge');

function input(sensors: Sensor[], device = 'cpu') {
  return { sources: sensors.map(one => one.source), series: sensors.map(one => one.series), device };
}

const launch = {
  status: 'ok' as const,
  windowSeconds: [10, 14] as [number, number],
  samplesSeconds: [0.5, 0.5, 0.5, 0.5],
};

describe('conditions of samples', () => {
  it('tags each sample with clock, temperature and throttle, runs of the same together', () => {
    // Samples take half of the window: sample i stands at 10.5, 11.5, 12.5, 13.5.
    expect(launchConditions(launch, input([fast, idle, heat, held]))).toEqual({
      samples: [1, 1, 2],
      clockHertz: [3e9, 3e9, 2e9],
      temperatureCelsius: [70, 70, 95],
      throttled: [false, true, true],
    });
  });

  it('stays as small as the readings are few, however many the samples', () => {
    const many = { ...launch, samplesSeconds: Array.from({ length: 10_000 }, () => 4e-4) };
    const tags = launchConditions(many, input([fast, heat]));
    expect(tags?.samples.length).toBeLessThanOrEqual(5);
    expect(tags?.samples.reduce((sum, count) => sum + count, 0)).toBe(10_000);
    expect(tags?.throttled).toEqual(tags?.samples.map(() => null));
  });

  it('says nothing without a sensor, or with one of another device', () => {
    expect(launchConditions(launch, input([]))).toBeUndefined();
    expect(launchConditions(launch, input([fast, held], 'cuda:1'))).toBeUndefined();
    expect(launchConditions(launch, input([gpu], 'cuda:1'))?.throttled).toEqual([false, true, false]);
  });
});

describe('a case as a whole', () => {
  it('has the share of its windows that heat took, its hottest reading and its clock', () => {
    expect(caseThermal([launch], 'peak', input([fast, idle, heat, held]))).toEqual({
      regime: 'peak',
      throttledFraction: 2 / 4,
      powerCappedFraction: null,
      maxTemperatureCelsius: 95,
      meanClockHertz: (3e9 + 2e9 + 2e9 + 2e9) / 4,
    });
  });

  it('goes by the bit mask where a GPU counts no times, power cap and heat apart', () => {
    expect(caseThermal([launch], 'sustained', input([gpu], 'cuda:1'))).toMatchObject({
      regime: 'sustained',
      throttledFraction: 1 / 4,
      powerCappedFraction: 1,
    });
  });

  it('of several GPUs the one that was held back longest counts, by its counters as by its bit mask', () => {
    const over = (id: string, quantity: string, values: number[]) => sensor(id, quantity, times, values, 'counter');
    const counters = [
      over('nvml/gpu-0/thermalTime', 'thermalTime', [0, 1, 2, 2, 2]),
      over('nvml/gpu-0/powerBrakeTime', 'powerBrakeTime', [0, 0, 0, 0, 1]),
      over('nvml/gpu-1/thermalTime', 'thermalTime', [0, 0, 0, 1, 2]),
    ];
    const both = { sensors: ['gpu-0', 'gpu-1'] };
    expect(caseThermal([launch], 'peak', { ...input(counters, 'cuda'), ...both })?.throttledFraction).toBe(3 / 4);
    const calm = sensor('nvml/gpu-0/throttleReasons', 'throttleReasons', times, [0, 0, 0, 0, 0], 'gauge');
    expect(caseThermal([launch], 'peak', { ...input([calm, gpu], 'cuda'), ...both })?.throttledFraction).toBe(1 / 4);
  });

  it('is not warned of what happened to devices that did nothing for it', () => {
    const other = sensor('nvml/gpu-0/throttleReasons', 'throttleReasons', times, [8, 8, 8, 8, 8], 'gauge');
    const drive = sensor('hwmon/nvme/composite', 'temperature', times, [99, 99, 99, 99, 99], 'gauge');
    const steal = sensor('proc/steal', 'stealTime', times, [0, 0, 0, 0, 1], 'counter');
    const sensors = [fast, heat, held, gpu, other, drive, steal];
    const left = (device: string, named: string[] = []) =>
      withoutOtherDevices({ ...input(sensors, device), sensors: named }).map(one => one.source);
    expect(left('cpu')).toEqual([fast, heat, held, steal].map(one => one.source.id));
    expect(left('cuda:1')).toEqual([gpu, steal].map(one => one.source.id));
    expect(left('cuda', ['gpu-0', 'gpu-1'])).toEqual([gpu, other, steal].map(one => one.source.id));
    expect(left('opencl:0')).toHaveLength(sensors.length);
  });

  it('does not take a hot drive for a hot CPU', () => {
    const drive = sensor('hwmon/nvme/composite', 'temperature', times, [99, 99, 99, 99, 99], 'gauge');
    const package0 = sensor('hwmon/coretemp/package-id-0', 'temperature', times, [60, 61, 62, 61, 60], 'gauge');
    expect(caseThermal([launch], 'peak', input([drive, package0]))?.maxTemperatureCelsius).toBe(62);
    expect(launchConditions(launch, input([drive]))).toBeUndefined();
  });

  it('is there for a sustained case without any sensor, with nothing known', () => {
    expect(caseThermal([launch], 'peak', input([]))).toBeUndefined();
    expect(caseThermal([launch], 'sustained', input([]))).toMatchObject({
      throttledFraction: null,
      meanClockHertz: null,
    });
  });
});

describe('power limits', () => {
  const energyOf = (capWatts: (number | undefined)[]) => {
    const sensors = capWatts.map((cap, index): Sensor => {
      const id = `powercap/package-${index}`;
      return {
        source: {
          ...{
            id,
            kind: 'counter',
            scope: 'package',
            covers: [`package-${index}`],
            quantity: 'energy',
            unit: 'J',
            status: 'ok',
          },
          ...(cap === undefined ? {} : { capWatts: cap }),
        },
        series: {
          source: id,
          quantity: 'energy',
          unit: 'J',
          timeSeconds: times,
          values: times.map(time => 100 * time),
        },
      };
    });
    const { energy } = caseEnergy({
      ...input(sensors),
      launches: [{ ...launch, iterationsPerSample: 1, work: {} }],
      idleWindow: null,
      headline: null,
    });
    return energy[0]?.capWatts;
  };

  it('stand beside the energy they bound: the sum, only if each part has one', () => {
    expect(energyOf([205, 205])).toBe(410);
    expect(energyOf([205, undefined])).toBeUndefined();
  });
});
