/**
 * RAPL energy counters through the kernel's powercap tree (documented in Documentation/power/powercap). Zones are matched
 * by their `name`, since the numbers in their ids are hexadecimal and shift when a zone is missing.
 *
 * What a zone contains (Intel SDM vol. 3B, "RAPL domains"): a package contains its cores and its uncore, not its memory,
 * although powercap hangs `dram` below the package; `psys` contains all of them.
 */
import path from 'node:path';
import { listNames, parseNumber, readText, textOrNull } from '../../host/kernel-files.ts';
import type { Scope } from '../../results/schema.ts';
import { measureUpdatePeriod } from '../calibrate.ts';
import { type Quantity, readable, slug, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'powercap';
const MICRO = 1e-6;
/** The registers behind the files have 32 bits, so that their range is 2³² − 1 quanta. */
const REGISTER_STEPS = 2 ** 32 - 1;

export interface PowercapZone {
  /** Folder name, `intel-rapl:0:2`. */
  folder: string;
  controlType: string;
  /** Hexadecimal indices: [0, 2]. */
  indices: number[];
  name: string;
}

/** Pure: a folder of the class, or null where it is no zone (the control types themselves have no index). */
export function parseZoneFolder(folder: string): { controlType: string; indices: number[] } | null {
  const match = /^([a-z][a-z0-9_-]*)((?::[0-9a-f]+)+)$/.exec(folder);
  if (!match?.[1] || !match[2]) return null;
  const indices = match[2].slice(1).split(':');
  return { controlType: match[1], indices: indices.map(index => Number.parseInt(index, 16)) };
}

/** Pure: what a zone is called and what it includes, from its name and the zones around it. */
export function classifyZone(zone: PowercapZone, all: PowercapZone[]): { id: string; scope: Scope; covers: string[] } {
  const peers = all.filter(other => other.controlType === zone.controlType);
  const prefix = zone.controlType.endsWith('-mmio') ? `${ID}/mmio/` : `${ID}/`;
  if (zone.indices.length === 1) {
    const id = prefix + slug(zone.name);
    if (zone.name === 'psys' || zone.name === 'platform') {
      const inside = peers.filter(other => other !== zone).map(other => tokenOf(other, all));
      return { id, scope: 'board', covers: ['psys', ...new Set(inside)] };
    }
    const inside = peers
      .filter(other => isInside(other, zone) && other.name !== 'dram')
      .map(other => tokenOf(other, all));
    return { id, scope: 'package', covers: [tokenOf(zone, all), ...new Set(inside)] };
  }
  const parent = parentOf(zone, all);
  const id = `${prefix}${slug(parent?.name ?? zone.folder)}/${slug(zone.name)}`;
  // Memory is no part of the package's reading, so it stands beside the package and may be added to it.
  return { id, scope: zone.name === 'dram' ? 'package' : 'chip', covers: [tokenOf(zone, all)] };
}

function parentOf(zone: PowercapZone, all: PowercapZone[]): PowercapZone | undefined {
  return all.find(
    other =>
      other.controlType === zone.controlType && other.indices.length === 1 && other.indices[0] === zone.indices[0],
  );
}

function isInside(zone: PowercapZone, parent: PowercapZone): boolean {
  return zone.indices.length > 1 && zone.indices[0] === parent.indices[0];
}

/** `package-1` for a package, `dram-1` for the memory below it, `core-0-die-1` below `package-0-die-1`. */
function tokenOf(zone: PowercapZone, all: PowercapZone[]): string {
  if (zone.indices.length === 1) return slug(zone.name);
  const parent = parentOf(zone, all);
  const suffix = parent ? slug(parent.name).replace(/^package-/, '') : slug(zone.folder);
  return `${slug(zone.name)}-${suffix}`;
}

/** Pure: value at which the counter starts again and its step, both in joules, from max_energy_range_uj. */
export function counterRange(maxEnergyRangeMicrojoules: number): { modulus: number; quantum: number } {
  const quantum = maxEnergyRangeMicrojoules / REGISTER_STEPS;
  return { modulus: (maxEnergyRangeMicrojoules + quantum) * MICRO, quantum: quantum * MICRO };
}

/** Pure: why an energy file could not be read, and what its owner can do. */
export function explainDenied(errno: string, inContainer: boolean): { reason: string; remedy: string } {
  const reason = `present but unreadable (${errno}): since Linux 5.10 energy_uj is readable by root alone (CVE-2020-8694)`;
  const host =
    'as root, until the next boot: chmod a+r /sys/class/powercap/*/energy_uj; ' +
    'for good: put SUBSYSTEM=="powercap", ACTION=="add", RUN+="/bin/chmod a+r /sys%p/energy_uj" into ' +
    '/etc/udev/rules.d/70-powercap.rules; or for this Node alone: ' +
    'setcap cap_dac_read_search+ep "$(readlink -f "$(command -v node)")" (any program that this Node runs then reads every file)';
  return { reason, remedy: inContainer ? `on the host, not in the container: ${host}` : host };
}

const WHAT: Omit<Quantity, 'id' | 'covers'> = { kind: 'counter', scope: 'package', quantity: 'energy', unit: 'J' };

export const powercap: TelemetrySource = {
  id: ID,
  summary: 'RAPL energy counters of packages, cores, memory and platform (/sys/class/powercap)',
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const folder = path.join(roots.sys, 'class/powercap');
    const names = await listNames(folder);
    const zones: PowercapZone[] = [];
    let masked = 0;
    for (const name of names) {
      const parsed = parseZoneFolder(name);
      if (!parsed) continue;
      const zoneName = await readText(path.join(folder, name, 'name'));
      if (zoneName.ok) zones.push({ folder: name, ...parsed, name: zoneName.text });
      else masked += 1;
    }
    const inContainer = await looksContained(roots);
    if (zones.length === 0) return [explainEmpty(names.length > 0, masked, inContainer)];
    const out: ProbedChannel[] = [];
    for (const zone of zones) {
      const row = await probeZone(folder, zone, zones, inContainer);
      if (row) out.push(row);
    }
    if (out.length === 0) return [explainEmpty(true, 0, inContainer)];
    return withoutRepeats(out);
  },
};

async function probeZone(
  folder: string,
  zone: PowercapZone,
  zones: PowercapZone[],
  inContainer: boolean,
): Promise<ProbedChannel | null> {
  const file = path.join(folder, zone.folder, 'energy_uj');
  const maxText = await textOrNull(path.join(folder, zone.folder, 'max_energy_range_uj'));
  const max = maxText === null ? null : parseNumber(maxText);
  const range = max !== null && max > 0 ? counterRange(max) : {};
  const cap = zone.indices.length === 1 ? await sustainedLimit(path.join(folder, zone.folder)) : {};
  const what: Quantity = { ...WHAT, ...classifyZone(zone, zones), ...range, ...cap };
  const energy = await readText(file);
  if (energy.ok) {
    if (parseNumber(energy.text) !== null) return readableZone(what, file, zones.length);
    return unreadable(
      what,
      'implausible',
      'energy_uj holds no number',
      'report the kernel version and the file as a bug',
    );
  }
  // A control type without energy counters (idle injection, dtpm) is none of ours.
  if (energy.errno === 'ENOENT') return null;
  const status = statusOfErrno(energy.errno);
  if (status === 'denied') {
    const { reason, remedy } = explainDenied(energy.errno, inContainer);
    return unreadable(what, status, reason, remedy);
  }
  const reason = `energy_uj cannot be read (${energy.errno})`;
  return unreadable(what, status, reason, 'look for RAPL messages in the kernel log (dmesg)');
}

/** The long-term limit of a zone that has one (Documentation/power/powercap: constraint_<N>_name, 0 stands for no limit). */
async function sustainedLimit(zoneFolder: string): Promise<{ capWatts?: number }> {
  for (const index of [0, 1, 2]) {
    const name = await textOrNull(path.join(zoneFolder, `constraint_${index}_name`));
    if (name === null) return {};
    if (name !== 'long_term') continue;
    const microwatts = parseNumber(
      (await textOrNull(path.join(zoneFolder, `constraint_${index}_power_limit_uw`))) ?? '',
    );
    return microwatts !== null && microwatts > 0 ? { capWatts: microwatts * MICRO } : {};
  }
  return {};
}

/** About a millisecond on most chips; 200 ms are spent on finding out, over all zones. */
function readableZone(what: Quantity, file: string, zones: number): ProbedChannel {
  const period = measureUpdatePeriod(file, Math.min(0.015, 0.2 / zones));
  const measured = period === null ? {} : { updatePeriodSeconds: period };
  return readable({ ...what, ...measured }, { type: 'file', path: file }, MICRO, 'counter');
}

function explainEmpty(classPresent: boolean, masked: number, inContainer: boolean): ProbedChannel {
  if (masked > 0) {
    return unreadable(
      { ...WHAT, id: ID, covers: [] },
      'denied',
      `${masked} zones are listed but their folders are hidden (ENOENT): the container runtime masks /sys/devices/virtual/powercap`,
      'measure on the host, or start the container with --security-opt systempaths=unconfined',
    );
  }
  const reason = classPresent
    ? 'powercap has no zone with an energy counter'
    : 'there is no /sys/class/powercap (ENOENT): no RAPL driver is loaded, or this is a virtual machine';
  const remedy = inContainer
    ? 'look on the host; a guest has no RAPL counters unless its hypervisor passes them on'
    : 'on bare metal: modprobe intel_rapl_msr (also for AMD); in a virtual machine: measure on its host';
  return unreadable({ ...WHAT, id: ID, covers: [] }, 'absent', reason, remedy);
}

/** The memory-mapped interface counts the same package again: kept in the list, sampled only where it is the only one. */
function withoutRepeats(rows: ProbedChannel[]): ProbedChannel[] {
  const isRepeat = (row: ProbedChannel): boolean => row.description.id.startsWith(`${ID}/mmio/`);
  const taken = new Set<string>();
  for (const row of rows) {
    if (row.channel && !isRepeat(row)) for (const token of row.description.covers) taken.add(token);
  }
  return rows.map(row => {
    const { description } = row;
    if (!isRepeat(row) || !description.covers.some(token => taken.has(token))) return row;
    const { status: _status, reason: _reason, remedy: _remedy, ...what } = description;
    return unreadable(
      what,
      'unsupported',
      'counts the same package as the MSR interface (intel-rapl-mmio); not read, so that it is not counted twice',
      'nothing to do',
    );
  });
}

async function looksContained(roots: TelemetryRoots): Promise<boolean> {
  const environ = await textOrNull(path.join(roots.proc, '1/environ'));
  const cgroup = await textOrNull(path.join(roots.proc, '1/cgroup'));
  return /(^|\0)container=/.test(environ ?? '') || /docker|kubepods|libpod|lxc|containerd/.test(cgroup ?? '');
}
