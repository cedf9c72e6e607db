/** perf, AMD SMI and Level Zero through the addon: a real counter of the kernel, and stand-in libraries compiled here. */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import type { EnergyVendor, SamplerChannel } from '../../src/native/types.ts';

const native = loadAddon();
const compiler = process.env.CXX ?? 'c++';
const missing = spawnSync(compiler, ['--version']).error !== undefined;
const reason = missing ? ` (skipped: ${compiler} is not on PATH)` : '';
const folder = mkdtempSync(path.join(tmpdir(), 'aibench-energy-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let machines = 0;
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

async function sampled(id: string, read: SamplerChannel['read'], scale = 1) {
  const sampler = native.createSampler([{ id, read, scale, periodSeconds: 0.01, capacity: 1000 }], []);
  sampler.start();
  await sleep(150);
  sampler.stop();
  return { values: [...(sampler.drain()[id]?.values ?? [])], stats: sampler.stats().channels[0] };
}

// PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK: nanoseconds of one CPU. The same path as a power counter, without its hardware.
const CPU_CLOCK = { pmu: 1, config: 0, cpu: native.affinity()[0] ?? 0 };
const refusal = native.probePerfEvent(CPU_CLOCK);

describe('perf', () => {
  test.skipIf(refusal !== '')(
    `counts system-wide from the first read on${refusal === '' ? '' : ` (skipped: perf refuses, ${refusal})`}`,
    async () => {
      const { values, stats } = await sampled('clock', { type: 'perf', ...CPU_CLOCK }, 1e-9);
      expect(stats).toMatchObject({ failures: 0 });
      expect(values.length).toBeGreaterThan(3);
      expect(values[0]).toBeLessThan(0.05);
      for (const [index, value] of values.entries())
        if (index > 0) expect(value).toBeGreaterThan(values[index - 1] ?? 0);
    },
  );

  test('names the errno of a counter that is not there', async () => {
    const wrong = { pmu: 0xfffffff, config: 2, cpu: 0 };
    expect(native.probePerfEvent(wrong)).toMatch(/^(E[A-Z]+|errno \d+)$/);
    const { values, stats } = await sampled('x', { type: 'perf', ...wrong });
    expect(values.every(Number.isNaN)).toBe(true);
    expect(stats?.lastError).toMatch(/^(E[A-Z]+|errno)/);
  });
});

describe.skipIf(missing)(`AMD SMI and Level Zero${reason}`, () => {
  test('list the devices with what their counters stand at', () => {
    const amd = machine('fake_amd_smi', 'sockets 3\nenergy0 1000000\nenergy2 7\nbdf0 49408\nbdf2 114944\n');
    expect(native.probeEnergyLibrary('amdsmi', ['libno-such.so', amd])).toEqual({
      status: 'ok',
      devices: [
        { ok: true, reason: '', joules: expect.closeTo(15.259, 4), pci: '0000:c1:00.0' },
        { ok: false, reason: 'AMDSMI_STATUS_NOT_SUPPORTED', joules: 0, pci: '' },
        { ok: true, reason: '', joules: expect.closeTo(7 * 15.259e-6, 9), pci: '0001:c1:00.0' },
      ],
    });
    const intel = machine('fake_level_zero', 'devices 2\nenergy0 5000000\ncard1 E0x70010000\n');
    expect(native.probeEnergyLibrary('levelzero', [intel])).toEqual({
      status: 'ok',
      devices: [
        { ok: true, reason: '', joules: 5, pci: '' },
        { ok: false, reason: 'ZE_RESULT_ERROR_INSUFFICIENT_PERMISSIONS', joules: 0, pci: '' },
      ],
    });
  });

  test.each<[EnergyVendor, string, () => string, RegExp]>([
    ['amdsmi', 'absent', () => 'libno-such-thing.so', /./],
    [
      'amdsmi',
      'absent',
      () => machine('fake_amd_smi', 'init E34\n'),
      /amdsmi_init failed: AMDSMI_STATUS_DRIVER_NOT_LOADED/,
    ],
    ['amdsmi', 'denied', () => machine('fake_amd_smi', 'init E10\n'), /AMDSMI_STATUS_NO_PERM/],
    ['levelzero', 'absent', () => machine('fake_level_zero', 'init E0x78000001\n'), /ZE_RESULT_ERROR_UNINITIALIZED/],
    ['levelzero', 'unsupported', () => machine('fake_level_zero', 'init E0x7ffffffe\n'), /ze_result_t 0x7ffffffe/],
    ['levelzero', 'unsupported', () => machine('fake_level_zero_old', ''), /zesDeviceGetCardPowerDomain/],
  ])('%s says %s, why and what to do', (vendor, status, library, why) => {
    const probe = native.probeEnergyLibrary(vendor, [library()]);
    if (probe.status === 'ok') throw new Error('must not be ok');
    expect(probe.status).toBe(status);
    expect(probe.reason).toMatch(why);
    expect(probe.remedy).toMatch(/\w/);
  });

  test('a counter that goes backwards is handed on; an error is NaN with the name that the library gives it', async () => {
    const amd = machine('fake_amd_smi', 'energy0 2000000 1000000 E40\nresolution 15.0\n');
    const read = {
      type: 'energyLibrary',
      vendor: 'amdsmi',
      libraries: [amd],
      device: 0,
    } satisfies SamplerChannel['read'];
    const { values, stats } = await sampled('e', read);
    expect(values.slice(0, 2)).toEqual([30, 15]);
    expect(values[2]).toBeNaN();
    expect(stats?.lastError).toBe('AMDSMI_STATUS_NO_DATA');
    const gone = {
      type: 'energyLibrary',
      vendor: 'levelzero',
      libraries: ['libno-such.so'],
      device: 0,
    } satisfies SamplerChannel['read'];
    expect((await sampled('gone', gone)).stats?.lastError).toBe('the library is not there');
  });
});
