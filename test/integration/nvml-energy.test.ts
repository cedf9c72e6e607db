/**
 * From NVML to joules: stand-in libraries whose sensors follow a course of power that is known exactly, read by the native sampler
 * in real time and put through the same code as a run. Each gives the right number or the right reason. All machines at once, in
 * under five seconds.
 */
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { caseEnergy, headlineEnergy } from '../../src/analysis/energy.ts';
import { loadAddon } from '../../src/native/addon.ts';
import type { CaseEnergy, Metric, SourceDescription, Warning } from '../../src/results/schema.ts';
import { startRecorder, type Telemetry } from '../../src/telemetry/recorder.ts';
import { nvmlRows } from '../../src/telemetry/sources/nvml.ts';
import { buildFakeLibrary, noCompiler, noCompilerReason } from '../support/fake-library.ts';

const native = loadAddon();
const library = buildFakeLibrary('fake_nvml', 'AIBENCH_FAKE_UNUSED');
const folder = mkdtempSync(path.join(tmpdir(), 'aibench-nvml-energy-'));
afterAll(() => {
  library.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** The launch, seconds after the origin of all traces: the load begins and ends with it. */
const WINDOW = [0.6, 3.6] as const;
const END = 4.4;
const LOAD: Course = [
  [0, 100],
  [WINDOW[0], 300],
  [WINDOW[1], 100],
];
type Course = readonly (readonly [time: number, watts: number])[];

/** Exact joules of a course with the stand-in's ripple (fake_trace.h). */
function joules(course: Course, from: number = WINDOW[0], to: number = WINDOW[1]): number {
  const omega = (2 * Math.PI) / 0.37;
  return course.reduce((sum, [time, watts], index) => {
    const begin = index === 0 ? from : Math.max(from, time);
    const end = Math.min(to, course[index + 1]?.[0] ?? to);
    if (end <= begin) return sum;
    return sum + watts * (end - begin + (0.01 / omega) * (Math.cos(omega * begin) - Math.cos(omega * end)));
  }, 0);
}

const line = (course: Course): string => course.flat().join(' ');
const COUNTER = 'field83 @energy every=0.02\n';
/** On for the first quarter of each 60 ms, which is all that the part-time sensor looks at. */
const PULSES: Course = Array.from(
  { length: 75 },
  (_, index): Course => [
    [0.06 * index, 400],
    [0.06 * index + 0.015, 100],
  ],
).flat();

/** `trace` and what the sensors make of it; the default course where there is none. */
const MACHINES: Record<string, string> = {
  healthy: `${COUNTER}field186 @power every=0.02\nfield185 @power every=0.02 average=1\ntemperature 61\n`,
  'part-time': `${COUNTER}field186 @power every=0.06 seen=0.015\ntrace ${line(PULSES)}\n`,
  stuck: 'field83 @energy stuck=1.5:2.9\n',
  backwards: 'field83 @energy back=2:80\n',
  'not-there': 'field83 F3\nfield186 F3\npower_usage @power\n',
  lost: `${COUNTER}down 2 99 15\n`,
  reload: 'field83 @energy reset=2.2\ndown 2 2.3 1\n',
  hiccup: `${COUNTER}down 2 2.02 999\n`,
  two: `devices 2\n${COUNTER}1:trace 0 80 ${WINDOW[0]} 500 ${WINDOW[1]} 80\n`,
  mig: `${COUNTER}mig 1\n`,
};

const telemetry: Record<string, Telemetry> = {};
let origin = 0;

beforeAll(async () => {
  if (noCompiler) return;
  origin = native.now() + 0.3;
  const recorders = Object.entries(MACHINES).map(([name, script]) => {
    const copy = path.join(folder, `${name}.so`);
    copyFileSync(library.path, copy);
    const trace = script.includes('\ntrace') ? '' : `trace ${line(LOAD)}\n`;
    writeFileSync(`${copy}.script`, `origin ${origin}\n${trace}${script}`);
    const channels = nvmlRows(native.probeNvml([copy]));
    return { name, recorder: startRecorder({ native, channels, nvmlLibraries: [copy] }) };
  });
  await sleep((origin + END - native.now()) * 1e3);
  for (const { name, recorder } of recorders) telemetry[name] = recorder.stop();
}, 30_000);

const RATE: Metric = {
  ...{ value: 1000, unit: 'FLOP/s', better: 'higher', interval: [990, 1010], confidence: 0.95, launches: 2 },
};

function energyOf(machine: string, sensors: string[] = []): { energy: CaseEnergy[]; warnings: Warning[] } {
  const { sources, series } = telemetry[machine] as Telemetry;
  const window: [number, number] = [origin + WINDOW[0], origin + WINDOW[1]];
  return caseEnergy({
    ...{ sources, series, idleWindow: null, device: 'cuda:0', sensors },
    launches: [
      { status: 'ok', windowSeconds: window, samplesSeconds: [3], iterationsPerSample: 1, work: { flops: 3000 } },
    ],
    headline: { name: 'flops_per_second', metric: RATE },
  });
}

function entry(machine: string, source: string): CaseEnergy | undefined {
  return energyOf(machine).energy.find(one => one.source === source);
}

const sourceOf = (machine: string, id: string): SourceDescription | undefined =>
  telemetry[machine]?.sources.find(source => source.id === id);

/** Within the interval that it states, and that is no empty statement. */
function expectRight(found: CaseEnergy | undefined, exact: number, widest: number): void {
  expect(found, found?.reason).toMatchObject({ status: 'ok' });
  const relative = found?.uncertainty?.relative ?? 0;
  expect(Math.abs((found?.joules ?? 0) - exact), found?.source).toBeLessThanOrEqual(relative * (found?.joules ?? 0));
  expect(relative, found?.source).toBeLessThan(widest);
}

/** A busy machine may have kept the sampler from a gauge: then its reason is the right answer. */
function wasHeldUp(machine: string, source: string): boolean {
  const times = telemetry[machine]?.series.find(one => one.source === source)?.timeSeconds ?? [];
  return times.some((time, index) => index > 0 && time - (times[index - 1] ?? time) > 0.15);
}

describe.skipIf(noCompiler)(`a library that plays a course of power${noCompilerReason}`, () => {
  test('a sound GPU: the counter stands first and is right; so is the gauge', () => {
    const { energy, warnings } = energyOf('healthy');
    expect(energy[0]?.source).toBe('nvml/gpu-0/energy');
    expectRight(energy[0], joules(LOAD), 0.08);
    expect(energy[0]?.throughputPerWatt?.value).toBeCloseTo(3000 / (energy[0]?.joules ?? 1), 9);
    if (wasHeldUp('healthy', 'nvml/gpu-0/power')) return;
    expectRight(entry('healthy', 'nvml/gpu-0/power'), joules(LOAD), 0.1);
    // 20 Hz for 3 s: a mean, and no work per joule.
    expect(entry('healthy', 'nvml/gpu-0/power')).toMatchObject({ throughputPerWatt: null });
    expect(warnings.filter(({ message }) => message.includes('nvml/gpu-0/power '))).toEqual([]);
  });

  test('an average over a second misses what a step leaves outside, and states it as lag', () => {
    if (wasHeldUp('healthy', 'nvml/gpu-0/powerAverage')) return;
    const found = entry('healthy', 'nvml/gpu-0/powerAverage');
    expectRight(found, joules(LOAD), 0.25);
    expect(found?.uncertainty?.dominatedBy).toBe('lag');
    expect((found?.joules ?? 0) / joules(LOAD)).toBeLessThan(0.98);
  });

  test('a sensor that looks part of the time at a load in step with it is found out by the counter', () => {
    const { energy, warnings } = energyOf('part-time');
    expect(energy[0]?.source).toBe('nvml/gpu-0/energy');
    expectRight(energy[0], joules(PULSES), 0.08);
    const gauge = entry('part-time', 'nvml/gpu-0/power');
    if (gauge?.status !== 'ok') return expect(gauge?.reason).toMatch(/lost-readings|too-few-updates/);
    expect((gauge.joules ?? 0) / joules(PULSES)).toBeGreaterThan(1.5);
    expect(warnings.map(({ code }) => code)).toContain('ENERGY_CROSS_CHECK');
    expect(warnings[0]?.remedy).toContain('Trust the counter');
  });

  test('a counter that stands still while power is drawn gives no number', () => {
    expect(entry('stuck', 'nvml/gpu-0/energy')).toMatchObject({
      ...{ status: 'invalid', joules: null, throughputPerWatt: null },
      reason: expect.stringMatching(/lost-readings: \d+\.\d % of the window is lost \(stuck\)/),
    });
    expect(headlineEnergy(energyOf('stuck').energy)).toBeNull();
  });

  test('a counter that goes backwards is a reset, never a wrap of megajoules', () => {
    expect(entry('backwards', 'nvml/gpu-0/energy')).toMatchObject({
      ...{ status: 'invalid', joules: null },
      reason: expect.stringMatching(/lost-readings.*\(reset\)/),
    });
  });

  test('fields that are N/A: what is left is used, the rest says why', () => {
    expect(sourceOf('not-there', 'nvml/gpu-0/energy')).toMatchObject({
      status: 'unsupported',
      reason: 'field 83 (total energy) failed: NVML_ERROR_NOT_SUPPORTED',
    });
    const power = sourceOf('not-there', 'nvml/gpu-0/power');
    expect(power?.status).toBe('ok');
    if (!wasHeldUp('not-there', 'nvml/gpu-0/power')) {
      expectRight(entry('not-there', 'nvml/gpu-0/power'), joules(LOAD), 0.12);
    }
  });

  test('a GPU that falls off the bus in the middle: no number, and NVML’s own word', () => {
    expect(entry('lost', 'nvml/gpu-0/energy')).toMatchObject({
      ...{ status: 'invalid', joules: null },
      reason: expect.stringMatching(/lost-readings.*end early/),
    });
    expect(sourceOf('lost', 'nvml/gpu-0/energy')?.reason).toMatch(/reads failed \(NVML_ERROR_GPU_IS_LOST\)$/);
  });

  test('a driver reload in the middle: the counter began again, that stretch is lost', () => {
    expect(entry('reload', 'nvml/gpu-0/energy')).toMatchObject({
      ...{ status: 'invalid', joules: null },
      reason: expect.stringMatching(/lost-readings.*\(reset\)/),
    });
    expect(sourceOf('reload', 'nvml/gpu-0/energy')?.reason).toMatch(/NVML_ERROR_UNINITIALIZED/);
  });

  test('a read or two that fail are bridged: the counter went on', () => {
    expectRight(entry('hiccup', 'nvml/gpu-0/energy'), joules(LOAD), 0.1);
  });

  test('two GPUs are added, each with a course of its own; a case on one is charged with that one', () => {
    const second: Course = [
      [0, 80],
      [WINDOW[0], 500],
      [WINDOW[1], 80],
    ];
    const both = energyOf('two').energy[0];
    expect(both?.source).toBe('nvml/gpu-0/energy+nvml/gpu-1/energy');
    expectRight(both, joules(LOAD) + joules(second), 0.08);
    const [own] = energyOf('two', ['gpu-1']).energy;
    expect(own?.source).toBe('nvml/gpu-1/energy');
    expectRight(own, joules(second), 0.08);
  });

  test('MIG: the energy of the whole device, with the reason why no work is divided by it', () => {
    const { energy } = energyOf('mig');
    expectRight(energy[0], joules(LOAD), 0.08);
    expect(energy[0]).toMatchObject({ throughputPerWatt: null, reason: expect.stringMatching(/^other-tenants/) });
    expect(headlineEnergy(energy)).toBeNull();
  });
});
