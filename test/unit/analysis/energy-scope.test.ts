import { describe, expect, it } from 'vitest';
import { concernsDevice, disjointGroups, lacksGpus } from '../../../src/analysis/energy-scope.ts';
import type { SourceDescription } from '../../../src/results/schema.ts';
import { counterSource, gaugeSource } from './energy-traces.ts';

const isOk = (source: SourceDescription): boolean => source.status === 'ok';
const groups = (...sources: SourceDescription[]): string[] => disjointGroups(sources, isOk).map(group => group.id);
const rapl = (id: string, covers: string[], extra: Partial<SourceDescription> = {}): SourceDescription =>
  counterSource({ id: `powercap/${id}`, covers, ...extra });
const DENIED = { status: 'denied', reason: 'EACCES', remedy: 'chmod' } as const;

describe('sums of disjoint sources', () => {
  it('adds what stands side by side', () => {
    expect(groups(rapl('package-0', ['package-0']), rapl('package-1', ['package-1']))).toEqual([
      'powercap/package-0+powercap/package-1',
    ]);
  });

  it('never adds two readings of one thing', () => {
    expect(groups(rapl('package-0', ['package-0', 'core-0']), rapl('mmio/package-0', ['package-0']))).toEqual([
      'powercap/package-0',
    ]);
  });

  it('has no sum with a part missing, and none of the memory alone', () => {
    const memory = rapl('package-0/dram', ['dram-0']);
    expect(groups(rapl('package-0', ['package-0']), rapl('package-1', ['package-1'], DENIED), memory)).toEqual([]);
    expect(groups(memory)).toEqual([]);
  });

  it.each(['unsupported', 'stale', 'denied', 'absent', 'implausible'] as const)(
    'has no sum with a part that is %s: a driver that gives no value is as good as none',
    status => {
      const broken = { status, reason: 'the driver gives no value (EIO)', remedy: 'wake it' };
      const meter = (socket: number, extra: Partial<SourceDescription> = {}) =>
        gaugeSource({
          id: `hwmon/power_meter.${socket}/cpu`,
          scope: 'package',
          covers: [`package-${socket}`],
          ...extra,
        });
      expect(groups(rapl('package-0', ['package-0']), rapl('package-1', ['package-1'], broken))).toEqual([]);
      expect(groups(meter(0), meter(1, broken))).toEqual([]);
    },
  );

  it('a repeat that is left out is no part, also where it holds a little more', () => {
    const repeat = { status: 'unsupported', reason: 'counts the same package', remedy: 'nothing to do' } as const;
    expect(
      groups(
        rapl('package-0', ['package-0', 'core-0']),
        rapl('package-1', ['package-1', 'core-1']),
        rapl('mmio/package-0', ['package-0', 'uncore-0'], repeat),
      ),
    ).toEqual(['powercap/package-0+powercap/package-1']);
  });

  it('adds sensors of one sort however long each was seen to average', () => {
    const meter = (socket: number, averagingWindowSeconds: number): SourceDescription =>
      gaugeSource({
        ...{ id: `hwmon/power_meter.${socket}/cpu`, scope: 'package', covers: [`package-${socket}`] },
        averagingWindowSeconds,
      });
    expect(groups(meter(0, 0.98), meter(1, 1.02))).toEqual(['hwmon/power_meter.0/cpu+hwmon/power_meter.1/cpu']);
  });

  it('keeps what NVML averages apart from what it does not', () => {
    const power = (gpu: number, name: string, averagingWindowSeconds: number): SourceDescription =>
      gaugeSource({
        ...{ id: `nvml/gpu-${gpu}/${name}`, scope: 'board', covers: [`gpu-${gpu}`] },
        averagingWindowSeconds,
      });
    const both = [0, 1].flatMap(gpu => [power(gpu, 'power', 0), power(gpu, 'powerAverage', 1)]);
    expect(groups(...both)).toEqual([
      'nvml/gpu-0/power+nvml/gpu-1/power',
      'nvml/gpu-0/powerAverage+nvml/gpu-1/powerAverage',
    ]);
  });

  it('does without memory of which a part is missing', () => {
    const memory = [rapl('package-0/dram', ['dram-0']), rapl('package-1/dram', ['dram-1'], DENIED)];
    expect(groups(rapl('package-0', ['package-0']), rapl('package-1', ['package-1']), ...memory)).toEqual([
      'powercap/package-0+powercap/package-1',
    ]);
  });

  it('takes another way to the same package for the one that is denied', () => {
    expect(groups(rapl('package-0', ['package-0'], DENIED), rapl('mmio/package-0', ['package-0']))).toEqual([
      'powercap/mmio/package-0',
    ]);
  });

  it('keeps rails of unknown wiring, kinds and scopes apart', () => {
    const rail = (label: string): SourceDescription =>
      gaugeSource({ id: `hwmon/ina226/${label}`, scope: 'chip', covers: [`ina226-0-${label}`] });
    expect(groups(rail('a'), rail('b'))).toEqual(['hwmon/ina226/a', 'hwmon/ina226/b']);
    const gpu = { scope: 'board', covers: ['gpu-0'] } as const;
    expect(
      groups(
        counterSource({ ...gpu, covers: ['gpu-0'], id: 'nvml/gpu-0/energy' }),
        gaugeSource({ ...gpu, covers: ['gpu-0'], id: 'nvml/gpu-0/power' }),
      ),
    ).toEqual(['nvml/gpu-0/energy', 'nvml/gpu-0/power']);
  });

  it('puts the widest scope first', () => {
    const node = gaugeSource({ id: 'redfish/0/power-control', scope: 'node', covers: ['node'] });
    const wall = gaugeSource({ id: 'plug/shelly2', scope: 'wall', covers: ['wall', 'node'] });
    expect(groups(rapl('package-0', ['package-0']), node, wall)).toEqual([
      'plug/shelly2',
      'redfish/0/power-control',
      'powercap/package-0',
    ]);
  });
});

describe('what a case can be charged with', () => {
  it.each<[string[], string[], boolean]>([
    [['gpu-0', 'gpu-1'], ['gpu-0', 'gpu-1'], false],
    [['gpu-0'], ['gpu-0', 'gpu-1'], true],
    [['module-0', 'package-0', 'gpu-0'], ['gpu-0', 'gpu-1'], true],
    [['node'], ['gpu-0', 'gpu-1'], false],
    [['gpu-sum'], ['gpu-0', 'gpu-1'], false],
    // Two names of one GPU.
    [['gpu-amdgpu-0'], ['gpu-amdsmi-0', 'gpu-amdgpu-0'], false],
    [['gpu-0'], [], false],
  ])('%j lacks some of the GPUs %j: %s', (covers, sensors, expected) => {
    expect(lacksGpus(covers, sensors)).toBe(expected);
  });

  it.each<[string[], string, boolean]>([
    [['package-0', 'dram-0'], 'cpu', true],
    [['package-0'], 'cuda:0', false],
    [['gpu-0'], 'cpu', false],
    [['gpu-0'], 'cuda:0', true],
    [['gpu-amdgpu-0'], 'rocm:0', true],
    [['module-0', 'package-0', 'gpu-0'], 'cpu', true],
    [['module-0', 'package-0', 'gpu-0'], 'cuda:0', true],
    [['wall', 'node'], 'cuda:0', true],
    // A second chassis or meter: nobody says that it is this machine.
    [['wall-1', 'node-1'], 'cpu', false],
    [['node-meter-1'], 'cuda:0', false],
    [['gpu-sum'], 'cuda:0', true],
    [['gpu-sum'], 'cpu', false],
    [['package-sum'], 'cpu', true],
    [['ina226-0-vdd'], 'cpu', false],
    [['sysio-0'], 'cpu', false],
    [[], 'cpu', false],
  ])('%j for %s: %s', (covers, device, expected) => {
    expect(concernsDevice(covers, device)).toBe(expected);
  });
});
