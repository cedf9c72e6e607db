/** Accelerators and network cards as the kernel lists them, without addresses, names or serial numbers. */
import path from 'node:path';
import type { NvmlProbe } from '../native/types.ts';
import { linkName, listNames, numberOrNull, textOrNull } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';
import type { Facts } from './slow-facts.ts';

/** PCI classes: display controllers, processing accelerators, co-processors (PCI Code and ID Assignment Specification). */
const ACCELERATOR_CLASS = /^0x(0300|0302|0380|1200|0b40)/;
/** Display adapters of management controllers and of virtual machines: no accelerators. */
const DISPLAY_ONLY_VENDORS = new Set([
  '0x1a03',
  '0x102b',
  '0x1013',
  '0x1234',
  '0x1af4',
  '0x1b36',
  '0x15ad',
  '0x1414',
  '0x80ee',
]);
const NVIDIA = '0x10de';
const VENDORS: Record<string, string> = {
  '0x10de': 'NVIDIA',
  '0x1002': 'AMD',
  '0x8086': 'Intel',
  '0x1da3': 'Habana Labs',
};

/** `names`: models by PCI address, where lspci knew them. With NVML, NVIDIA's devices are listed as NVML sees them. */
export async function readAccelerators(
  roots: HostRoots,
  nvml: NvmlProbe,
  names: ReadonlyMap<string, string>,
): Promise<Facts[]> {
  const out = nvml.status === 'ok' ? nvml.devices.map(device => nvmlFacts(device, nvml.driverVersion)) : [];
  const folder = path.join(roots.sys, 'bus/pci/devices');
  for (const address of await listNames(folder)) {
    const device = path.join(folder, address);
    const vendor = (await textOrNull(path.join(device, 'vendor'))) ?? '';
    const kind = (await textOrNull(path.join(device, 'class'))) ?? '';
    if (!ACCELERATOR_CLASS.test(kind) || DISPLAY_ONLY_VENDORS.has(vendor)) continue;
    if (vendor === NVIDIA && out.length > 0 && nvml.status === 'ok') continue;
    const name = names.get(address) ?? names.get(address.replace(/^0000:/, ''));
    out.push({
      vendor: VENDORS[vendor] ?? vendor,
      ...(name ? { name } : {}),
      pciId: `${vendor.slice(2)}:${((await textOrNull(path.join(device, 'device'))) ?? '').slice(2)}`,
      driver: await linkName(path.join(device, 'driver')),
      linkSpeed: await textOrNull(path.join(device, 'current_link_speed')),
      linkWidth: await numberOrNull(path.join(device, 'current_link_width')),
    });
  }
  return out;
}

function nvmlFacts(device: Extract<NvmlProbe, { status: 'ok' }>['devices'][number], driver: string): Facts {
  return {
    vendor: 'NVIDIA',
    name: device.name,
    index: device.index,
    memoryBytes: device.memoryBytes,
    // NaN where the device gives none: no number is better than a wrong one.
    powerLimitWatts:
      Number.isFinite(device.powerLimitWatts) && device.powerLimitWatts > 0 ? device.powerLimitWatts : null,
    mig: device.migEnabled,
    vgpu: device.vgpu,
    driver: `nvidia ${driver}`,
  };
}

const MEGABIT = 1e6;

/** Cards with a device behind them. Interface names may hold a hardware address (`enx...`) and are left out. */
export async function readNetworkCards(roots: HostRoots): Promise<Facts[]> {
  const folder = path.join(roots.sys, 'class/net');
  const out: Facts[] = [];
  for (const name of await listNames(folder)) {
    const card = path.join(folder, name);
    if ((await linkName(path.join(card, 'device'))) === null) continue;
    const megabits = await numberOrNull(path.join(card, 'speed'));
    const type = await numberOrNull(path.join(card, 'type'));
    out.push({
      kind: type === 32 ? 'infiniband' : 'ethernet',
      driver: await linkName(path.join(card, 'device/driver')),
      state: await textOrNull(path.join(card, 'operstate')),
      bitsPerSecond: megabits !== null && megabits > 0 ? megabits * MEGABIT : null,
      maxTransferUnitBytes: await numberOrNull(path.join(card, 'mtu')),
    });
  }
  return out;
}
