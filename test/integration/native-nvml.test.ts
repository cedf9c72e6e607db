/** NVML through stand-in libraries (native/test/fake_nvml*.cc), compiled here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';

const native = loadAddon();
const compiler = process.env.CXX ?? 'c++';
const missing = spawnSync(compiler, ['--version']).error !== undefined;
const reason = missing ? ` (skipped: ${compiler} is not on PATH)` : '';
const folder = mkdtempSync(path.join(tmpdir(), 'aibench-nvml-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let machines = 0;
/** A machine of its own: a copy of the library with its script beside it. */
function machine(library: string, script: string): string {
  const built = path.join(packageRoot, `build-native-${process.platform}-${process.arch}`, 'Release', `${library}.so`);
  const compiled = existsSync(built) ? built : path.join(folder, `${library}.so`);
  if (!existsSync(compiled)) {
    const source = path.join(packageRoot, 'native', 'test', `${library}.cc`);
    execFileSync(compiler, ['-std=c++20', '-shared', '-fPIC', '-w', source, '-o', compiled]);
  }
  const copy = path.join(folder, `${library}-${++machines}.so`);
  copyFileSync(compiled, copy);
  writeFileSync(`${copy}.script`, script);
  return copy;
}

const HEALTHY = `devices 2
field83 1000 2500 2000
field185 290000
field186 301000
temperature 61
clock_sm 1980
clock_mem 2619
event_reasons 4
utilization 97
enforced_limit 700000
mig 1
virtualization 2
capability 90
`;

describe.skipIf(missing)(`probeNvml${reason}`, () => {
  test('lists devices, with the way to each quantity', () => {
    const probe = native.probeNvml(['libno-such-thing.so.1', machine('fake_nvml', HEALTHY)]);
    if (probe.status !== 'ok') throw new Error(probe.reason);
    expect(probe.driverVersion).toBe('575.57.08');
    expect(probe.devices).toHaveLength(2);
    expect(probe.devices[1]).toMatchObject({
      index: 1,
      name: 'Fake GPU',
      memoryBytes: 2 ** 34,
      memoryUsedBytes: 2 ** 30,
      powerLimitWatts: 700,
      migEnabled: true,
      vgpu: true,
      computeCapability: '9.0',
      quantities: { energy: { ok: true }, power: { ok: true, reason: 'field 186 (power instant)' } },
    });
  });

  test('an old driver answers by its older calls, and what it lacks has a reason', () => {
    const probe = native.probeNvml([machine('fake_nvml_old', 'total_energy 7\npower_usage 9\nthrottle_reasons 0\n')]);
    if (probe.status !== 'ok') throw new Error(probe.reason);
    expect(probe.devices[0]?.quantities).toMatchObject({
      energy: { ok: true, reason: 'nvmlDeviceGetTotalEnergyConsumption' },
      power: { ok: true, reason: 'nvmlDeviceGetPowerUsage' },
      throttleReasons: { ok: true },
      powerAverage: { ok: false, reason: 'field 185 (power average) failed: NVML_ERROR_FUNCTION_NOT_FOUND' },
      utilization: { ok: false, reason: 'nvmlDeviceGetUtilizationRates failed: NVML_ERROR_NOT_SUPPORTED' },
    });
    expect(probe.devices[0]?.powerLimitWatts).toBeNaN();
  });

  test.each([
    ['absent', 'libno-such-thing.so.1', /./],
    ['absent', () => machine('fake_nvml', 'init 9\n'), /nvmlInit_v2 failed: NVML_ERROR_DRIVER_NOT_LOADED/],
    ['denied', () => machine('fake_nvml', 'init 4\n'), /NVML_ERROR_NO_PERMISSION/],
    ['unsupported', () => machine('fake_nvml', 'init 18\n'), /NVML_ERROR_LIB_RM_VERSION_MISMATCH/],
    ['unsupported', () => machine('fake_nvml_broken', ''), /nvmlDeviceGetCount_v2/],
  ] as const)('says %s, why and what to do', (status, library, reason) => {
    const probe = native.probeNvml([typeof library === 'string' ? library : library()]);
    if (probe.status === 'ok') throw new Error('must not be ok');
    expect(probe.status).toBe(status);
    expect(probe.reason).toMatch(reason);
    expect(probe.remedy).toMatch(/\w/);
  });

  test('a driver without devices is ok and empty', () => {
    expect(native.probeNvml([machine('fake_nvml', 'devices 0\n')])).toMatchObject({ status: 'ok', devices: [] });
  });
});

describe.skipIf(missing)(`sampling NVML${reason}`, () => {
  test('hands counters on as they are, also backwards; errors are NaN with NVML’s name', async () => {
    const library = machine('fake_nvml', 'field83 1000 2500 2000\nfield186 300000 F15\n');
    const base = { scale: 1e-3, periodSeconds: 0.01, capacity: 1000 };
    const sampler = native.createSampler(
      [
        { ...base, id: 'energy', read: { type: 'nvml', device: 0, quantity: 'energy' } },
        { ...base, id: 'power', read: { type: 'nvml', device: 0, quantity: 'power' } },
      ],
      [library],
    );
    sampler.start();
    await sleep(200);
    sampler.stop();
    const { energy, power } = sampler.drain();
    expect([...(energy?.values.slice(0, 3) ?? [])]).toEqual([1, 2.5, 2]);
    expect(power?.values[0]).toBe(300);
    expect(power?.values[1]).toBeNaN();
    const stats = sampler.stats().channels.find(channel => channel.id === 'power');
    expect(stats?.lastError).toBe('NVML_ERROR_GPU_IS_LOST');
  });

  test('a driver that hangs stops neither the files nor stop()', async () => {
    const library = machine('fake_nvml', 'temperature 50 H2000 51\nfield186 100000\n');
    const base = { scale: 1, periodSeconds: 0.01, capacity: 1000 };
    const sampler = native.createSampler(
      [
        { ...base, id: 'hangs', read: { type: 'nvml', device: 0, quantity: 'temperature' } },
        { ...base, id: 'power', read: { type: 'nvml', device: 0, quantity: 'power' } },
        { ...base, id: 'file', read: { type: 'file', path: '/proc/uptime' } },
      ],
      [library],
    );
    sampler.start();
    await sleep(800);
    const begin = native.now();
    sampler.stop();
    expect(native.now() - begin).toBeLessThan(1.5);
    const readings = sampler.drain();
    expect(readings.hangs?.values.length).toBe(1);
    expect(readings.power?.values.length).toBeGreaterThan(5);
    expect(readings.file?.values.length).toBeGreaterThan(5);
  });
});
