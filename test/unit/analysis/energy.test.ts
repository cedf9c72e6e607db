import { describe, expect, it } from 'vitest';
import { type CaseEnergyInput, caseEnergy, headlineEnergy } from '../../../src/analysis/energy.ts';
import { standsForCase } from '../../../src/analysis/energy-scope.ts';
import { type EnergyLaunch, workUnit } from '../../../src/analysis/energy-work.ts';
import { caseSchema, type Metric, type Series, type SourceDescription } from '../../../src/results/schema.ts';
import { counterSeries, counterSource, flat, gaugeSeries, gaugeSource, step, type Trace } from './energy-traces.ts';

const RANGE = { from: 0, to: 40, hertz: 10 } as const;
/** Two launches of 1,000 FLOP per sample, ten samples of half a second each. */
const LAUNCHES: EnergyLaunch[] = [
  [10, 15],
  [20, 25],
].map(windowSeconds => ({
  status: 'ok',
  windowSeconds: windowSeconds as [number, number],
  samplesSeconds: Array.from({ length: 10 }, () => 0.5),
  iterationsPerSample: 4,
  work: { flops: 1000 },
}));
const RATE: Metric = {
  value: 2000,
  unit: 'FLOP/s',
  better: 'higher',
  interval: [1900, 2120],
  confidence: 0.95,
  launches: 2,
};
const HEADLINE = { name: 'flops_per_second', metric: RATE };

function counter(
  id: string,
  covers: string[],
  trace: Trace,
  extra: Partial<SourceDescription> = {},
): [SourceDescription, Series] {
  return [counterSource({ id, covers, ...extra }), { ...counterSeries(trace, RANGE), source: id }];
}

function gauge(
  id: string,
  covers: string[],
  trace: Trace,
  hertz: number,
  extra: Partial<SourceDescription> = {},
): [SourceDescription, Series] {
  // A hair of noise, so that readings are distinct as those of a real sensor are.
  const series = gaugeSeries(trace, { ...RANGE, hertz });
  const values = series.values.map((value, index) => (value === null ? null : value + (index % 7) * 1e-4));
  return [gaugeSource({ id, covers, ...extra }), { ...series, source: id, values }];
}

function energyOf(
  rows: [SourceDescription, Series][],
  extra: Partial<CaseEnergyInput> = {},
): ReturnType<typeof caseEnergy> {
  const found = caseEnergy({
    sources: rows.map(([source]) => source),
    series: rows.map(([, series]) => series),
    launches: LAUNCHES,
    idleWindow: [2, 8],
    headline: HEADLINE,
    device: 'cpu',
    ...extra,
  });
  expect(caseSchema.shape.energy.safeParse(found.energy).error).toBeUndefined();
  return found;
}

const LOADED = step(50, 250, 10, 30);

describe('caseEnergy', () => {
  it('adds up the launch windows and divides the work by the joules', () => {
    const { energy, warnings } = energyOf([counter('powercap/package-0', ['package-0'], LOADED)]);
    const [entry] = energy;
    expect(energy).toHaveLength(1);
    expect(warnings).toEqual([]);
    expect(entry?.joules).toBeCloseTo(2500, 3);
    expect(entry?.averageWatts).toBeCloseTo(250, 4);
    expect(entry?.idleWatts).toBeCloseTo(50, 4);
    expect(entry?.throughputPerWatt?.value).toBeCloseTo(20_000 / 2500, 6);
    expect(entry?.throughputPerWatt?.unit).toBe('FLOP/J');
    expect(entry?.net?.joules).toBeCloseTo(2000, 3);
    expect(entry?.net?.throughputPerWatt?.value).toBeCloseTo(10, 4);
    expect(headlineEnergy(energy)).toBe(entry);
  });

  it('carries the interval of the rate and of the energy', () => {
    const { energy } = energyOf([counter('powercap/package-0', ['package-0'], LOADED)]);
    const { value, interval } = energy[0]?.throughputPerWatt ?? { value: 0, interval: null };
    const relative = energy[0]?.uncertainty?.relative ?? 0;
    expect(relative).toBeGreaterThan(0);
    expect((value - (interval?.[0] ?? 0)) / value).toBeCloseTo(Math.hypot(100 / 2000, relative), 9);
    expect(((interval?.[1] ?? 0) - value) / value).toBeCloseTo(Math.hypot(120 / 2000, relative), 9);
  });

  it('has no interval where the rate has none', () => {
    const headline = { ...HEADLINE, metric: { ...RATE, interval: null } };
    const { energy } = energyOf([counter('powercap/package-0', ['package-0'], LOADED)], { headline });
    expect(energy[0]?.throughputPerWatt).toMatchObject({ interval: null });
  });

  it('adds packages and memory, never a core to its package, and puts the widest first', () => {
    const { energy } = energyOf([
      counter('powercap/package-0', ['package-0', 'core-0'], flat(100)),
      counter('powercap/package-0/core', ['core-0'], flat(60), { scope: 'chip' }),
      counter('powercap/package-0/dram', ['dram-0'], flat(20)),
      counter('powercap/package-1', ['package-1'], flat(80)),
    ]);
    expect(energy[0]?.source).toBe('powercap/package-0+powercap/package-0/dram+powercap/package-1');
    expect(energy[0]?.joules).toBeCloseTo(2000, 3);
    expect(energy.map(entry => entry.source)).toContain('powercap/package-0/core');
  });

  it('takes a wider scope before a narrower sum', () => {
    const { energy } = energyOf([
      counter('powercap/package-0', ['package-0'], flat(100)),
      gauge('hwmon/power_meter/power1', ['node'], flat(300), 20, { scope: 'node' }),
    ]);
    expect(energy[0]).toMatchObject({ source: 'hwmon/power_meter/power1', scope: 'node' });
    expect(energy[0]?.throughputPerWatt).not.toBeNull();
  });

  it('has no sum where one package cannot be read: half a machine would look efficient', () => {
    const denied = counterSource({
      id: 'powercap/package-1',
      covers: ['package-1'],
      status: 'denied',
      reason: 'EACCES',
      remedy: 'chmod',
    });
    const rows = [
      counter('powercap/package-0', ['package-0'], flat(100)),
      counter('powercap/package-0/dram', ['dram-0'], flat(20)),
    ];
    const { energy } = caseEnergy({
      sources: [...rows.map(([source]) => source), denied],
      series: rows.map(([, series]) => series),
      launches: LAUNCHES,
      idleWindow: null,
      headline: HEADLINE,
      device: 'cpu',
    });
    expect(energy.some(entry => entry.source.includes('+'))).toBe(false);
    expect(energy.map(entry => entry.throughputPerWatt)).toEqual([null, null]);
    expect(energy[0]).toMatchObject({ status: 'ok', reason: expect.stringMatching(/^part: /) });
    expect(energy.some(standsForCase)).toBe(false);
    expect(headlineEnergy(energy)).toBeNull();
  });

  it('gives work per joule to the sum alone, not to each of its parts', () => {
    const { energy } = energyOf([
      counter('powercap/package-0', ['package-0'], flat(100)),
      counter('powercap/package-1', ['package-1'], flat(80)),
    ]);
    expect(energy.map(entry => [entry.source, standsForCase(entry), entry.throughputPerWatt !== null])).toEqual([
      ['powercap/package-0+powercap/package-1', true, true],
      ['powercap/package-0', false, false],
      ['powercap/package-1', false, false],
    ]);
  });

  it('keeps a GPU out of a CPU case and the CPU out of a GPU case', () => {
    const rows = [
      counter('powercap/package-0', ['package-0'], flat(100)),
      counter('nvml/gpu-0/energy', ['gpu-0'], flat(400), { scope: 'board' }),
    ];
    expect(energyOf(rows, { device: 'cpu' }).energy[0]?.source).toBe('powercap/package-0');
    expect(energyOf(rows, { device: 'cuda:0' }).energy[0]?.source).toBe('nvml/gpu-0/energy');
  });

  it.each([
    ['cpu', counter('nvml/gpu-0/energy', ['gpu-0'], flat(70), { scope: 'board' })],
    ['cuda:0', counter('powercap/package-0', ['package-0'], flat(70))],
    ['cpu', counter('powercap/package-0/dram', ['dram-0'], flat(7))],
    ['cpu', gauge('hwmon/ina226/rail', ['ina226-0-rail'], flat(7), 20, { scope: 'chip' })],
  ])('a case on %s is not charged to what did not do its work, even where nothing else can be read', (device, row) => {
    const { energy } = energyOf([row], { device });
    expect(energy).toMatchObject([
      { status: 'ok', throughputPerWatt: null, reason: expect.stringMatching(/^(other-device|part): /) },
    ]);
    expect(energy[0]?.joules).toBeGreaterThan(0);
    expect(energy.some(standsForCase)).toBe(false);
    expect(headlineEnergy(energy)).toBeNull();
  });

  it('gives a case on two GPUs no work per joule of one', () => {
    const rows = [counter('nvml/gpu-0/energy', ['gpu-0'], flat(400), { scope: 'board' })];
    const { energy } = energyOf(rows, { device: 'cuda:0', sensors: ['gpu-0', 'gpu-1'] });
    expect(energy).toMatchObject([{ throughputPerWatt: null, reason: expect.stringMatching(/^part: /) }]);
    expect(headlineEnergy(energy)).toBeNull();
  });

  it('adds up over the launches what errs the same way in all of them', () => {
    const remote = { scope: 'node' as const, timeUncertaintySeconds: 0.2 };
    const { energy } = energyOf([gauge('redfish/0/power', ['node'], LOADED, 20, remote)]);
    // Each launch of 5 s lies inside the load for one end at most: 0.2 s of a step of 200 W at the first, nothing at the second.
    const step = (2 * 0.2 * 200) / Math.sqrt(3) / 2500;
    expect(energy[0]?.uncertainty?.relative).toBeGreaterThan(step);
    const rounded = { scope: 'node' as const, quantum: 10 };
    const { energy: coarse } = energyOf([gauge('dcmi/system', ['node'], flat(300), 20, rounded)]);
    expect(coarse[0]?.uncertainty).toMatchObject({ dominatedBy: 'quantum' });
    expect(coarse[0]?.uncertainty?.relative).toBeCloseTo((2 * 10) / Math.sqrt(12) / 300, 3);
  });

  it('states the gain of a sensor whose maker does', () => {
    const { energy } = energyOf([counter('nvml/gpu-0/energy', ['gpu-0'], flat(400), { scope: 'board' })], {
      device: 'cuda:0',
    });
    expect(energy[0]?.uncertainty?.dominatedBy).toBe('gain');
    expect(energy[0]?.uncertainty?.relative).toBeCloseTo((2 * 0.05) / Math.sqrt(3), 3);
  });

  it('gives a whole MIG device no work per joule', () => {
    const { energy } = energyOf(
      [counter('nvml/gpu-0/energy', ['gpu-0', 'gpu-0-other-tenants'], flat(400), { scope: 'board' })],
      { device: 'cuda:0' },
    );
    expect(energy[0]).toMatchObject({ status: 'ok', throughputPerWatt: null, net: { throughputPerWatt: null } });
    expect(energy[0]?.reason).toMatch(/^other-tenants/);
    expect(headlineEnergy(energy)).toBeNull();
  });

  it('gives no work per joule to one of several GPUs of which it is not known which it was', () => {
    const rows = ['gpu-0', 'gpu-1'].map(gpu => counter(`nvml/${gpu}/energy`, [gpu], flat(400), { scope: 'board' }));
    const unknown = energyOf(rows, { device: 'opencl:0' }).energy;
    expect(unknown[0]).toMatchObject({ status: 'ok', throughputPerWatt: null });
    expect(unknown[0]?.reason).toMatch(/^other-gpus/);
    expect(unknown.every(({ throughputPerWatt }) => throughputPerWatt === null)).toBe(true);
    const known = { device: 'cuda:0', sensors: ['gpu-1'] };
    for (const options of [known, { device: 'cuda:all' }])
      expect(headlineEnergy(energyOf(rows, options).energy)?.throughputPerWatt).not.toBeNull();
    expect(energyOf(rows, known).energy[0]?.source).toBe('nvml/gpu-1/energy');
  });

  it('gives no work per joule to work that was done on several hosts', () => {
    const { energy } = energyOf([counter('powercap/package-0', ['package-0'], LOADED)], { hosts: 2 });
    expect(energy[0]).toMatchObject({ status: 'ok', throughputPerWatt: null });
    expect(energy[0]?.reason).toMatch(/^several-hosts/);
    expect(headlineEnergy(energy)).toBeNull();
  });

  it('takes the sum that a query of eight GPUs gives for what it is', () => {
    const { energy } = energyOf([gauge('prometheus/query', ['gpu-sum'], flat(5600), 20, { scope: 'board' })], {
      device: 'cuda:0',
      sensors: ['gpu-0'],
    });
    expect(energy[0]).toMatchObject({ source: 'prometheus/query', status: 'ok' });
    expect(energy[0]?.averageWatts).toBeCloseTo(5600, 2);
    expect(headlineEnergy(energy)).not.toBeNull();
  });

  it('wants 30 updates of a gauge for a mean and 100 for a headline', () => {
    const at = (hertz: number) =>
      energyOf([gauge('hwmon/power_meter/power1', ['node'], flat(300), hertz, { scope: 'node' })]).energy[0];
    expect(at(2)).toMatchObject({ status: 'invalid', joules: null });
    expect(at(2)?.reason).toContain('too-few-updates');
    expect(at(6)).toMatchObject({ status: 'ok', throughputPerWatt: null });
    expect(at(6)?.reason).toContain('few-updates');
    expect(at(20)?.throughputPerWatt?.value).toBeCloseTo(20_000 / 3000, 2);
  });

  it('gives joules and watts but no work per joule where the headline is a latency', () => {
    const metric: Metric = { ...RATE, unit: 's', better: 'lower' };
    const { energy } = energyOf([counter('powercap/package-0', ['package-0'], LOADED)], {
      headline: { name: 'latency_seconds_p50', metric },
    });
    expect(energy[0]).toMatchObject({ status: 'ok', throughputPerWatt: null });
    expect(energy[0]?.reason).toMatch(/^no-rate/);
    expect(workUnit('decode_tokens_per_second')).toBe('tok/J');
    expect(workUnit('latency_seconds_p50')).toBeNull();
  });

  it('is invalid as a whole when one launch has lost its readings', () => {
    const [source, series] = counter('powercap/package-0', ['package-0'], LOADED);
    const cut: Series = {
      ...series,
      timeSeconds: series.timeSeconds.filter(time => time < 22),
      values: series.values.slice(0, series.timeSeconds.filter(time => time < 22).length),
    };
    const { energy } = energyOf([[source, cut]]);
    expect(energy[0]).toMatchObject({ status: 'invalid', joules: null, throughputPerWatt: null });
    expect(energy[0]?.reason).toMatch(/launch 1: lost-readings/);
  });

  it('says why where nothing can be read', () => {
    const denied = counterSource({
      id: 'powercap/package-0',
      status: 'denied',
      reason: 'present but unreadable (EACCES)',
      remedy: 'chmod',
    });
    const input = { series: [], launches: LAUNCHES, idleWindow: null, headline: HEADLINE, device: 'cpu' };
    expect(caseEnergy({ ...input, sources: [denied] }).energy).toMatchObject([
      { source: 'powercap/package-0', status: 'unavailable', joules: null, reason: expect.stringContaining('EACCES') },
    ]);
    expect(caseEnergy({ ...input, sources: [] }).energy).toMatchObject([{ source: 'none', status: 'unavailable' }]);
  });

  it('has no net where the idle window is missing or lost', () => {
    const rows = [counter('powercap/package-0', ['package-0'], LOADED)];
    expect(energyOf(rows, { idleWindow: null }).energy[0]).toMatchObject({ idleWatts: null, net: null });
    expect(energyOf(rows, { idleWindow: [38, 60] }).energy[0]).toMatchObject({
      status: 'ok',
      idleWatts: null,
      net: null,
    });
  });

  it('has no net work per joule where the case drew no more than idle', () => {
    const { energy } = energyOf([counter('powercap/package-0', ['package-0'], flat(100))]);
    expect(energy[0]?.net?.throughputPerWatt).toBeNull();
    expect(Math.abs(energy[0]?.net?.joules ?? 1)).toBeLessThan(0.01);
  });

  it('warns where counter and gauge of one thing disagree by more than 5 %', () => {
    const pair = (watts: number): [SourceDescription, Series][] => [
      counter('nvml/gpu-0/energy', ['gpu-0'], flat(400), { scope: 'board' }),
      gauge('nvml/gpu-0/power', ['gpu-0'], flat(watts), 20, { scope: 'board' }),
    ];
    expect(energyOf(pair(404), { device: 'cuda:0' }).warnings).toEqual([]);
    const [warning] = energyOf(pair(360), { device: 'cuda:0' }).warnings;
    expect(warning?.code).toBe('ENERGY_CROSS_CHECK');
    expect(warning?.message).toContain('-10.0 %');
    expect(energyOf(pair(360), { device: 'cuda:0' }).energy[0]?.source).toBe('nvml/gpu-0/energy');
  });

  it('warns where the windows hold much that is no work', () => {
    const launches = LAUNCHES.map(launch => ({ ...launch, samplesSeconds: [1, 1] }));
    const { warnings } = energyOf([counter('powercap/package-0', ['package-0'], LOADED)], { launches });
    expect(warnings.map(warning => warning.code)).toEqual(['ENERGY_WINDOW_DILUTED']);
  });

  it('counts only launches that ended well', () => {
    const launches = [
      ...LAUNCHES,
      { ...(LAUNCHES[0] as EnergyLaunch), status: 'failed' as const, windowSeconds: [26, 29] as [number, number] },
    ];
    expect(
      energyOf([counter('powercap/package-0', ['package-0'], LOADED)], { launches }).energy[0]?.joules,
    ).toBeCloseTo(2500, 3);
  });
});
