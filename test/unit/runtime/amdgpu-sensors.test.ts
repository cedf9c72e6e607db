import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { amdgpuPlaces } from '../../../src/runtime/amdgpu-sensors.ts';
import { hwmon } from '../../../src/telemetry/sources/hwmon.ts';

const sys = mkdtempSync(path.join(tmpdir(), 'aibench-amdgpu-'));
afterAll(() => rmSync(sys, { recursive: true, force: true }));

it('numbers the chips as the telemetry source does, and knows where each sits', async () => {
  // hwmon10 comes after hwmon2, and another chip between them does not count.
  for (const [chip, name, place] of [
    ['hwmon10', 'amdgpu', '0000:c1:00.0'],
    ['hwmon2', 'amdgpu', '0000:03:00.0'],
    ['hwmon3', 'coretemp', ''],
  ] as const) {
    const folder = path.join(sys, 'class/hwmon', chip);
    mkdirSync(folder, { recursive: true });
    writeFileSync(path.join(folder, 'name'), `${name}\n`);
    writeFileSync(path.join(folder, 'power1_average'), place === '0000:03:00.0' ? '3000000\n' : '193000000\n');
    if (place !== '') symlinkSync(`../../../devices/pci0000:00/${place}`, path.join(folder, 'device'));
  }
  expect(amdgpuPlaces(sys)).toEqual(['0000:03:00.0', '0000:c1:00.0']);
  const rows = await hwmon.probe({ sys, proc: sys, nvmlLibraries: [] } as never, {} as never);
  const files = rows
    .filter(({ description }) => description.covers[0]?.startsWith('gpu-amdgpu'))
    .map(({ description, channel }) => [description.covers[0], (channel as { read: { path: string } }).read.path]);
  expect(files).toEqual([
    ['gpu-amdgpu-0', path.join(sys, 'class/hwmon/hwmon2/power1_average')],
    ['gpu-amdgpu-1', path.join(sys, 'class/hwmon/hwmon10/power1_average')],
  ]);
  expect(amdgpuPlaces('/nowhere')).toEqual([]);
});
