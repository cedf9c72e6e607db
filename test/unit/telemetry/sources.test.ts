/** The pure parts of the sources, and what a probe does when it goes wrong. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { NvmlDevice } from '../../../src/native/types.ts';
import { measureUpdatePeriod } from '../../../src/telemetry/calibrate.ts';
import { probeAll, telemetrySources } from '../../../src/telemetry/registry.ts';
import type { TelemetrySource } from '../../../src/telemetry/source.ts';
import { throttledKey } from '../../../src/telemetry/sources/cgroup.ts';
import { spread } from '../../../src/telemetry/sources/cpufreq.ts';
import { parseAttributes } from '../../../src/telemetry/sources/hwmon.ts';
import { chooseTemperatures, railScope } from '../../../src/telemetry/sources/hwmon-chips.ts';
import { deviceRows, nvmlRows } from '../../../src/telemetry/sources/nvml.ts';
import { parseEvent, parseScale } from '../../../src/telemetry/sources/perf.ts';
import { counterRange, parseZoneFolder } from '../../../src/telemetry/sources/powercap.ts';
import { fakeNative, NO_NVML } from './fake-native.ts';
import { treeOf } from './fixture-tree.ts';

const ROOTS = { sys: '/nonexistent/sys', proc: '/nonexistent/proc', nvmlLibraries: [] };

describe('powercap', () => {
  it('reads zone ids as hexadecimal', () => {
    expect(parseZoneFolder('intel-rapl:a:1')).toEqual({ controlType: 'intel-rapl', indices: [10, 1] });
    expect(parseZoneFolder('intel-rapl-mmio:0')).toEqual({ controlType: 'intel-rapl-mmio', indices: [0] });
    expect(parseZoneFolder('intel-rapl')).toBeNull();
    expect(parseZoneFolder('intel-rapl:')).toBeNull();
  });

  it('derives modulus and step from the range: 2^32 steps, one more than the range', () => {
    const { modulus, quantum } = counterRange(262_143_328_850);
    expect(quantum).toBeCloseTo(61.035e-6, 9);
    expect(modulus).toBeCloseTo(262_143.328_85 + 61.035e-6, 9);
    expect(counterRange(65_532_610_987).quantum).toBeCloseTo(15.258e-6, 9);
  });
});

describe('calibration', () => {
  it('measures how often a counter moves', async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-counter-'));
    const file = path.join(folder, 'energy_uj');
    writeFileSync(file, '1');
    // Renamed into place, so that no reader sees an empty file.
    const writer = new Worker(
      `const { workerData: file } = require('node:worker_threads');
       const { renameSync, writeFileSync } = require('node:fs');
       for (let value = 2; ; value++) {
         writeFileSync(file + '.new', String(value));
         renameSync(file + '.new', file);
         Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
       }`,
      { eval: true, workerData: file },
    );
    await new Promise(resolve => setTimeout(resolve, 200));
    const period = measureUpdatePeriod(file, 1);
    await writer.terminate();
    rmSync(folder, { recursive: true });
    expect(period).toBeGreaterThan(0.004);
    expect(period).toBeLessThan(0.2);
  });

  it('says nothing of a counter that stands still, holds no number or is not there', () => {
    const tree = treeOf('still = 5\nbroken = N/A');
    expect(measureUpdatePeriod(path.join(tree.root, 'still'), 0.01)).toBeNull();
    expect(measureUpdatePeriod(path.join(tree.root, 'broken'), 0.01)).toBeNull();
    expect(measureUpdatePeriod(path.join(tree.root, 'missing'), 0.01)).toBeNull();
    tree.remove();
  });
});

describe('hwmon', () => {
  it('prefers the average of a rail that has both forms', () => {
    const found = parseAttributes([
      'name',
      'power1_input',
      'power1_average',
      'power2_input',
      'energy1_input',
      'temp3_input',
      'temp3_crit',
    ]);
    expect([...found.power]).toEqual([
      [1, 'average'],
      [2, 'input'],
    ]);
    expect(found).toMatchObject({ energy: [1], temperature: [3], voltageAndCurrent: [] });
  });

  it('claims the narrowest scope for a rail that it does not know', () => {
    expect(railScope('ina226', 0, 'VDD_CPU')).toMatchObject({ scope: 'chip', covers: ['ina226-0-vdd_cpu'] });
    expect(railScope('ina226', 0, 'VDD_CPU').note).toContain('narrowest');
  });

  it('chooses the package sensor of many, or the first few', () => {
    const core = new Map([
      [1, 'Package id 0'],
      ...Array.from({ length: 64 }, (_, index) => [index + 2, `Core ${index}`] as const),
    ] as [number, string][]);
    expect(chooseTemperatures('coretemp', core)).toEqual([1]);
    expect(
      chooseTemperatures('nct6775', new Map(Array.from({ length: 9 }, (_, index) => [index + 1, `temp${index + 1}`]))),
    ).toEqual([1, 2, 3, 4]);
  });
});

describe('cpufreq', () => {
  it('spreads its CPUs over the machine', () => {
    expect(spread([0, 1, 2], 8)).toEqual([0, 1, 2]);
    expect(
      spread(
        Array.from({ length: 64 }, (_, cpu) => cpu),
        8,
      ),
    ).toEqual([0, 8, 16, 24, 32, 40, 48, 56]);
  });
});

describe('cgroup', () => {
  it('knows both versions of the throttled time', () => {
    expect(throttledKey(new Map([['throttled_usec', 5]]))).toEqual({ key: 'throttled_usec', scale: 1e-6 });
    expect(throttledKey(new Map([['throttled_time', 5]]))).toEqual({ key: 'throttled_time', scale: 1e-9 });
    expect(throttledKey(new Map([['usage_usec', 5]]))).toBeNull();
  });

  it('reads the group that it is in, not the root', async () => {
    const tree = treeOf(
      [
        'sys/fs/cgroup/cgroup.controllers = cpu memory',
        'sys/fs/cgroup/cpu.stat = usage_usec 1',
        'sys/fs/cgroup/job/step/cpu.stat = usage_usec 1\\nnr_throttled 3\\nthrottled_usec 250000',
        'sys/fs/cgroup/job/step/memory.current = 123456789',
        'proc/self/cgroup = 0::/job/step',
      ].join('\n'),
    );
    const rows = await probeAll({ sys: tree.sys, proc: tree.proc, nvmlLibraries: [] }, fakeNative().native);
    tree.remove();
    const throttled = rows.find(row => row.description.id === 'cgroup/throttled');
    expect(throttled?.channel).toMatchObject({ scale: 1e-6, read: { type: 'keyedFile', key: 'throttled_usec' } });
    expect(throttled?.channel?.read).toMatchObject({ path: expect.stringMatching(/job\/step\/cpu\.stat$/) });
    expect(rows.some(row => row.description.id === 'cgroup/memory' && row.channel)).toBe(true);
  });
});

describe('nvml', () => {
  const device: NvmlDevice = {
    index: 1,
    name: 'NVIDIA H200',
    uuid: 'GPU-11111111-2222-3333-4444-555555555555',
    memoryBytes: 150e9,
    memoryUsedBytes: 1e9,
    quantities: {
      energy: { ok: true, reason: 'field 83' },
      power: { ok: true, reason: 'field 186' },
      powerAverage: { ok: false, reason: 'field 185: NVML_ERROR_NOT_SUPPORTED' },
    },
    powerLimitWatts: 700,
    migEnabled: false,
    vgpu: false,
  };

  it('turns quantities into channels in SI units, and refusals into rows with the reason', () => {
    const rows = deviceRows(device);
    expect(rows.find(row => row.description.id === 'nvml/gpu-1/energy')).toMatchObject({
      description: { kind: 'counter', scope: 'board', covers: ['gpu-1'], unit: 'J', status: 'ok' },
      channel: { read: { type: 'nvml', device: 1, quantity: 'energy' }, scale: 1e-3 },
    });
    expect(rows.find(row => row.description.id === 'nvml/gpu-1/powerAverage')).toMatchObject({
      description: { status: 'unsupported', reason: 'field 185: NVML_ERROR_NOT_SUPPORTED', averagingWindowSeconds: 1 },
      channel: null,
    });
    expect(rows.find(row => row.description.id === 'nvml/gpu-1/smClock')?.description.status).toBe('unsupported');
  });

  it('says which of NVML’s numbers was read, and knows when the older call averages', () => {
    const power = (reason: string, computeCapability?: string) =>
      deviceRows({
        ...device,
        quantities: { ...device.quantities, power: { ok: true, reason } },
        ...(computeCapability === undefined ? {} : { computeCapability }),
      }).find(row => row.description.id === 'nvml/gpu-1/power')?.description;
    const usage = 'nvmlDeviceGetPowerUsage';
    expect(power(usage, '8.6')).toMatchObject({
      averagingWindowSeconds: 1,
      reason: 'nvmlDeviceGetPowerUsage, compute capability 8.6',
    });
    expect(power(usage, '12.0')?.averagingWindowSeconds).toBe(1);
    for (const instant of [power(usage, '8.0'), power(usage, '7.5'), power(usage), power('field 186', '9.0')])
      expect(instant?.averagingWindowSeconds).toBeUndefined();
    expect(power('field 186', '9.0')?.reason).toBe('field 186, compute capability 9.0');
  });

  it('never lets the device id out', () => {
    expect(JSON.stringify(deviceRows(device))).not.toContain('11111111');
  });

  it('marks a MIG device as shared', () => {
    const [energy] = deviceRows({ ...device, migEnabled: true });
    expect(energy?.description.covers).toEqual(['gpu-1', 'gpu-1-other-tenants']);
    const [share] = deviceRows({ ...device, vgpu: true });
    expect(share?.description.covers).toEqual(['gpu-1', 'gpu-1-other-tenants']);
    expect(share?.description.reason).toContain('this is a vGPU');
  });

  it('passes the reason of an absent library on', () => {
    expect(nvmlRows(NO_NVML)[0]?.description).toMatchObject({
      id: 'nvml',
      status: 'absent',
      reason: expect.stringContaining('libnvidia-ml'),
    });
    expect(
      nvmlRows({ status: 'ok', library: 'x', driverVersion: '580.1', devices: [] })[0]?.description.reason,
    ).toContain('no GPU');
  });
});

describe('perf', () => {
  it('reads event and scale as the kernel writes them, and nothing else', () => {
    expect(parseEvent('event=0x02', 'config:0-7')).toBe(2);
    expect(parseEvent('event=5', 'config:0-7')).toBe(5);
    expect(parseEvent('event=0x102', 'config:0-7')).toBeNull();
    expect(parseEvent('event=0x02', 'config1:0-7')).toBeNull();
    expect(parseEvent('event=0x02,umask=1', 'config:0-7')).toBeNull();
    expect(parseScale('2.3283064365386962890625e-10')).toBeCloseTo(2 ** -32, 20);
    for (const text of ['', '0', 'inf', '-1', '1e']) expect(parseScale(text)).toBeNull();
  });

  const PMU = 'sys/bus/event_source/devices/power';
  const BOTH = [
    `${PMU}/type = 19`,
    `${PMU}/cpumask = 0`,
    `${PMU}/format/event = config:0-7`,
    `${PMU}/events/energy-pkg = event=0x02`,
    `${PMU}/events/energy-pkg.scale = 2.3283064365386962890625e-10`,
    `${PMU}/events/energy-pkg.unit = Joules`,
    'sys/devices/system/cpu/cpu0/topology/physical_package_id = 0',
  ];
  const ZONE = [
    'sys/class/powercap/intel-rapl:0/name = package-0',
    'sys/class/powercap/intel-rapl:0/max_energy_range_uj = 262143328850',
    'sys/class/powercap/intel-rapl:0/energy_uj = 12345678901',
  ];

  async function probed(lines: string[], refusal = '') {
    const tree = treeOf(lines.join('\n'));
    const { native } = fakeNative();
    const rows = await probeAll(
      { ...ROOTS, sys: tree.sys, proc: tree.proc },
      { ...native, probePerfEvent: () => refusal },
    );
    tree.remove();
    return rows.filter(row => /^(perf|powercap)/.test(row.description.id));
  }

  it('gives the sampler the event, and is left alone where powercap reads the same register', async () => {
    const alone = await probed(BOTH);
    expect(alone.map(row => row.description.id)).toEqual(['powercap', 'perf/package-0']);
    expect(alone[1]?.channel).toMatchObject({ read: { type: 'perf', pmu: 19, config: 2, cpu: 0 }, periodSeconds: 0.1 });
    expect(alone[1]?.channel?.scale).toBeCloseTo(2 ** -32, 20);
    const [first, second] = await probed([...ZONE, ...BOTH]);
    expect(first?.description).toMatchObject({ id: 'powercap/package-0', status: 'ok' });
    expect(second).toMatchObject({ description: { id: 'perf/package-0', status: 'unsupported' }, channel: null });
    expect(second?.description.reason).toContain('powercap/package-0');
  });

  it('says what a refusal needs', async () => {
    const row = (await probed(BOTH, 'EACCES'))[1]?.description;
    expect(row).toMatchObject({ status: 'denied', reason: expect.stringContaining('EACCES') });
    expect(row?.remedy).toContain('perf_event_paranoid');
  });
});

describe('energy libraries', () => {
  it('make rows that never pass for another source’s device; a counter at zero is no sensor', async () => {
    const { native } = fakeNative();
    const ok = { ok: true, reason: '', joules: 12, pci: '' };
    const rows = await probeAll(
      { ...ROOTS, energyLibraries: { amdsmi: ['x'] } },
      {
        ...native,
        probeEnergyLibrary: vendor =>
          vendor === 'amdsmi'
            ? {
                status: 'ok',
                devices: [ok, { ...ok, joules: 0 }, { ...ok, ok: false, reason: 'AMDSMI_STATUS_NO_PERM', joules: 0 }],
              }
            : { status: 'absent', reason: 'none', remedy: 'nothing to do' },
      },
    );
    const amd = rows.filter(row => row.description.id.startsWith('amdsmi'));
    expect(amd.map(({ description }) => `${description.id} ${description.status}`)).toEqual([
      'amdsmi/gpu-0/energy ok',
      'amdsmi/gpu-1/energy unsupported',
      'amdsmi/gpu-2/energy unsupported',
    ]);
    expect(amd[0]?.channel?.read).toEqual({ type: 'energyLibrary', vendor: 'amdsmi', libraries: ['x'], device: 0 });
    expect(amd[0]?.description.covers).toEqual(['gpu-amdsmi-0']);
    expect(amd[2]?.description.reason).toBe('AMDSMI_STATUS_NO_PERM');
  });
});

describe('registry', () => {
  it('has one row for each source on a machine with nothing at all', async () => {
    const rows = await probeAll(ROOTS, fakeNative().native);
    expect(rows.map(row => row.description.id).sort()).toEqual(telemetrySources.map(source => source.id).sort());
    for (const { description, channel } of rows) {
      expect(description.status).toBe('absent');
      expect(channel).toBeNull();
    }
  });

  it('goes on without a source that throws or hangs', async () => {
    const broken: TelemetrySource[] = [
      { id: 'throws', summary: '', probe: () => Promise.reject(new Error('driver\n fell over')) },
      {
        id: 'throws-at-once',
        summary: '',
        probe: () => {
          throw new Error('no promise');
        },
      },
      { id: 'hangs', summary: '', probe: () => new Promise(() => {}) },
    ];
    const started = performance.now();
    const rows = await probeAll(ROOTS, fakeNative().native, broken, 0.05);
    expect(performance.now() - started).toBeLessThan(1000);
    expect(rows.map(row => [row.description.id, row.description.status, row.description.reason])).toEqual([
      ['throws', 'unsupported', 'its probe failed: driver fell over'],
      ['throws-at-once', 'unsupported', 'its probe failed: no promise'],
      ['hangs', 'unsupported', 'did not answer within 0.05 s'],
    ]);
  });

  it('keeps ids apart that two chips share', async () => {
    const tree = treeOf(
      [
        'sys/class/hwmon/hwmon0/name = ina226',
        'sys/class/hwmon/hwmon0/power1_input = 1000000',
        'sys/class/hwmon/hwmon0/power1_label = A b',
        'sys/class/hwmon/hwmon0/power2_input = 2000000',
        'sys/class/hwmon/hwmon0/power2_label = a B',
      ].join('\n'),
    );
    const rows = await probeAll({ sys: tree.sys, proc: tree.proc, nvmlLibraries: [] }, fakeNative().native);
    tree.remove();
    const found = rows.filter(row => row.description.id.startsWith('hwmon/ina226'));
    expect(found.map(row => [row.description.id, row.channel?.id])).toEqual([
      ['hwmon/ina226/a-b', 'hwmon/ina226/a-b'],
      ['hwmon/ina226/a-b#2', 'hwmon/ina226/a-b#2'],
    ]);
  });
});
