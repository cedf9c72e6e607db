/**
 * Energy counters of GPUs through vendors' management libraries other than NVML, opened at run time by the addon: AMD SMI and
 * Intel's Level Zero Sysman. One counter per device; what else these libraries tell is read from sysfs (hwmon.ts).
 */
import type { EnergyLibraryProbe, EnergyVendor, NativeAddon } from '../../native/types.ts';
import type { Scope } from '../../results/schema.ts';
import { nothingFound, type Quantity, readable, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

interface Vendor {
  vendor: EnergyVendor;
  summary: string;
  /** The narrowest that is certainly true of the counter. */
  scope: Scope;
  /** Joules; nominal, since the library does not state it before a reading. */
  quantum: number;
  note: string;
}

const AMD: Vendor = {
  vendor: 'amdsmi',
  summary: 'energy counters of AMD GPUs (libamd_smi)',
  scope: 'chip',
  quantum: 15.259e-6,
  note: 'the accumulator has been seen stuck and going backwards on some firmware: such stretches are lost, not counted',
};
const INTEL: Vendor = {
  vendor: 'levelzero',
  summary: 'energy counters of Intel GPUs (Level Zero Sysman, libze_loader)',
  scope: 'board',
  quantum: 1e-6,
  note: 'the power domain of the card',
};

/** Pure: what a probe of the library turns into. A counter that stands at zero belongs to a part that is counted elsewhere. */
export function libraryRows(
  { vendor, scope, quantum, note }: Vendor,
  probe: EnergyLibraryProbe,
  libraries: string[],
): ProbedChannel[] {
  const what = { kind: 'counter', scope, quantity: 'energy', unit: 'J' } as const;
  if (probe.status !== 'ok') return nothingFound(vendor, what, probe.reason, probe.remedy, probe.status);
  if (probe.devices.length === 0) return nothingFound(vendor, what, 'the library lists no GPU', 'nothing to do');
  return probe.devices.map((device, index): ProbedChannel => {
    const row: Quantity = { ...what, id: `${vendor}/gpu-${index}/energy`, covers: [`gpu-${vendor}-${index}`], quantum };
    if (!device.ok) return unreadable(row, 'unsupported', device.reason, 'a newer driver or library may offer it');
    if (device.joules === 0) {
      const reason = 'the counter stands at 0: on chips of two dies or of partitions the first counts for all';
      // It covers nothing of its own: the sum of the others is whole without it.
      return unreadable({ ...row, covers: [] }, 'unsupported', reason, 'nothing to do');
    }
    return readable(row, { type: 'energyLibrary', vendor, libraries, device: index }, 1, 'counter', note);
  });
}

function sourceOf(vendor: Vendor): TelemetrySource {
  return {
    id: vendor.vendor,
    summary: vendor.summary,
    async probe(roots: TelemetryRoots, native: NativeAddon): Promise<ProbedChannel[]> {
      const libraries = roots.energyLibraries?.[vendor.vendor] ?? [];
      return libraryRows(vendor, native.probeEnergyLibrary(vendor.vendor, libraries), libraries);
    },
  };
}

export const amdSmi = sourceOf(AMD);
export const levelZero = sourceOf(INTEL);
