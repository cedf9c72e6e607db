/** Cores, sockets and NUMA nodes from /sys/devices/system. */
import path from 'node:path';
import { listNames, numberOrNull, parseCpuList, textOrNull } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';

export interface Topology {
  logicalCores: number | null;
  physicalCores: number | null;
  sockets: number | null;
  numaNodes: number | null;
  maxHertz: number | null;
}

const KILO = 1e3;

/** Nulls where the kernel does not say. Offline CPUs do not count. */
export async function readTopology(roots: HostRoots): Promise<Topology> {
  const folder = path.join(roots.sys, 'devices/system/cpu');
  const cores = new Set<string>();
  const sockets = new Set<number>();
  let maxKilohertz = 0;
  for (const name of await listNames(folder)) {
    if (!/^cpu\d+$/.test(name)) continue;
    const socket = await numberOrNull(path.join(folder, name, 'topology/physical_package_id'));
    const core = await numberOrNull(path.join(folder, name, 'topology/core_id'));
    const kilohertz = await numberOrNull(path.join(folder, name, 'cpufreq/cpuinfo_max_freq'));
    maxKilohertz = Math.max(maxKilohertz, kilohertz ?? 0);
    if (core === null) continue;
    const die = (await numberOrNull(path.join(folder, name, 'topology/die_id'))) ?? 0;
    cores.add(`${socket ?? 0}.${die}.${core}`);
    // −1: the firmware of some Arm machines does not say.
    if (socket !== null && socket >= 0) sockets.add(socket);
  }
  const online = parseCpuList((await textOrNull(path.join(folder, 'online'))) ?? '');
  const nodes = parseCpuList((await textOrNull(path.join(roots.sys, 'devices/system/node/online'))) ?? '');
  return {
    logicalCores: online && online.length > 0 ? online.length : null,
    physicalCores: cores.size || null,
    sockets: sockets.size || null,
    numaNodes: nodes && nodes.length > 0 ? nodes.length : null,
    maxHertz: maxKilohertz > 0 ? maxKilohertz * KILO : null,
  };
}
