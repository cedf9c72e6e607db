/** The amdgpu chips under /sys/class/hwmon and where each sits in the PCI tree. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import path from 'node:path';

/**
 * PCI addresses (`0000:c1:00.0`) of the chips in the order in which the telemetry source `hwmon` numbers them (`gpu-amdgpu-0`, ...); empty
 * where one has none. Never throws.
 */
export function amdgpuPlaces(sys = '/sys'): string[] {
  const folder = path.join(sys, 'class/hwmon');
  return names(folder)
    .filter(chip => textOf(path.join(folder, chip, 'name')) === 'amdgpu')
    .map(chip => placeOf(path.join(folder, chip, 'device')));
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder).sort((a, b) => a.localeCompare(b, 'en', { numeric: true }));
  } catch {
    return [];
  }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8').trim();
  } catch {
    return '';
  }
}

/** What the link `device` points at is named after the address. */
function placeOf(link: string): string {
  try {
    return path.basename(readlinkSync(link)).toLowerCase();
  } catch {
    return '';
  }
}
