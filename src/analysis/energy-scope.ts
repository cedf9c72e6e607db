/**
 * Which sources may be added, and which of the sums is the widest. Pure.
 *
 * Only sources of one family (RAPL, NVML, one hwmon chip), one kind and one scope are added, only where what they cover is
 * disjoint, and only when every part of the same sort is there: two packages of which one is unreadable have no sum.
 */
import type { CaseEnergy, Scope, SourceDescription } from '../results/schema.ts';

/** Narrowest first. */
export const SCOPE_ORDER: readonly Scope[] = ['chip', 'package', 'board', 'module', 'node', 'wall'];

export interface SourceGroup {
  /** Ids joined by `+`. */
  id: string;
  scope: Scope;
  kind: 'counter' | 'gauge';
  members: SourceDescription[];
  covers: string[];
}

/** What covers ends in where a meter's owner adds up parts of one sort: `gpu-sum`, `package-sum`. */
export const SUM = '-sum';

/** A token of `covers` that says that others' use is in the reading: never a headline. */
export function hasOtherTenants(covers: readonly string[]): boolean {
  return covers.some(token => token.endsWith('-other-tenants'));
}

/** Energy or power, whatever its status. */
export function isEnergetic(source: SourceDescription): boolean {
  return (source.quantity === 'energy' && source.unit === 'J') || (source.quantity === 'power' && source.unit === 'W');
}

export function overlap(a: readonly string[], b: readonly string[]): boolean {
  return a.some(token => b.includes(token));
}

/** `package-1` → `package`: sources of one sort differ in the number only. */
function sortOf(source: SourceDescription): string {
  return (source.covers[0] ?? source.id).replace(/[-.]\d+(-die-\d+)?$/, '');
}

/** Sorts whose members are parts of a machine side by side. All else (rails, meters) may contain one another. */
const ADDITIVE = /^(package|core|dram|gpu|gpu-[a-z0-9]+|module|grace)$/;
/** Memory is added where it can be read; a sum without it is still the sum of the packages, and says so by its parts. */
const OPTIONAL = 'dram';

/** NVML gives one power as it is and one averaged: two families. How long a sensor was seen to average does not part it from its like. */
function familyOf(source: SourceDescription): string {
  const parts = source.id.split('/');
  if (parts[0] === 'hwmon') return `hwmon/${(parts[1] ?? '').replace(/\.\d+$/, '')}`;
  return parts[0] === 'nvml' ? `nvml/${parts[2] ?? ''}` : (parts[0] ?? source.id);
}

/**
 * The sums that may be formed, each group disjoint within itself. `usable` says whether a source has a valid reading. A
 * family, scope and kind of which a part is there but not usable has no sum: an understated one would look like a good one.
 */
export function disjointGroups(
  sources: readonly SourceDescription[],
  usable: (source: SourceDescription) => boolean,
): SourceGroup[] {
  const groups: SourceGroup[] = [];
  const shelves = new Map<string, SourceDescription[]>();
  for (const source of sources) {
    if (!isEnergetic(source) || source.covers.length === 0) continue;
    if (!ADDITIVE.test(sortOf(source))) {
      if (usable(source)) groups.push(groupOf([source]));
      continue;
    }
    const shelf = `${familyOf(source)} ${source.scope} ${source.kind}`;
    shelves.set(shelf, [...(shelves.get(shelf) ?? []), source]);
  }
  for (const shelf of shelves.values()) {
    const read = shelf.filter(usable);
    const broken = new Set(shelf.filter(source => isMissing(source, read)).map(sortOf));
    const parts = read.filter(source => !broken.has(sortOf(source)));
    const isWhole = [...broken].every(sort => sort === OPTIONAL);
    if (isWhole && parts.some(source => sortOf(source) !== OPTIONAL)) groups.push(groupOf(disjoint(parts)));
  }
  return groups.sort(byWidth);
}

/** Widest first, so that a reading which contains others is taken and the others are not added to it. */
function disjoint(parts: readonly SourceDescription[]): SourceDescription[] {
  const taken: SourceDescription[] = [];
  for (const source of [...parts].sort((a, b) => b.covers.length - a.covers.length)) {
    if (!taken.some(other => overlap(other.covers, source.covers))) taken.push(source);
  }
  return parts.filter(source => taken.includes(source));
}

function groupOf(members: SourceDescription[]): SourceGroup {
  return {
    id: members.map(source => source.id).join('+'),
    scope: members[0]?.scope ?? 'chip',
    kind: members[0]?.kind ?? 'gauge',
    members,
    covers: members.flatMap(source => source.covers),
  };
}

/** Not read, for whatever reason, and no other source reads what it covers; a repeat that is left out (`unsupported`) shares something with it. */
function isMissing(source: SourceDescription, read: readonly SourceDescription[]): boolean {
  if (read.includes(source)) return false;
  if (source.status === 'unsupported' && read.some(other => overlap(other.covers, source.covers))) return false;
  return !read.some(other => source.covers.every(token => other.covers.includes(token)));
}

/** Widest scope first; counters before gauges; more covered before less; instant before averaged. */
function byWidth(a: SourceGroup, b: SourceGroup): number {
  const averaging = (group: SourceGroup): number => group.members[0]?.averagingWindowSeconds ?? 0;
  return (
    SCOPE_ORDER.indexOf(b.scope) - SCOPE_ORDER.indexOf(a.scope) ||
    Number(b.kind === 'counter') - Number(a.kind === 'counter') ||
    b.covers.length - a.covers.length ||
    averaging(a) - averaging(b)
  );
}

/** What a case can be charged with. A rail of which nobody knows what it feeds is reported, never a headline. */
const KNOWN_PART = /^(core|package|psys|grace|module|gpu)(-|$)|^(node|wall)$/;

/**
 * Whether a group can stand for a case on this device: a GPU's power says nothing about a case on the CPU, and the CPU's
 * alone nothing about a case on a GPU. Readings that contain both stand for both.
 */
export function concernsDevice(covers: readonly string[], device: string): boolean {
  const known = covers.filter(token => KNOWN_PART.test(token));
  const isWhole = known.includes('node') || known.includes('wall');
  const hasGpu = known.some(token => token.startsWith('gpu-'));
  const hasCpu = known.some(token => !token.startsWith('gpu-'));
  return isWhole || (isCpuDevice(device) ? hasCpu : hasGpu);
}

/** The GPUs, by the tokens of `covers`, that a case ran on: its fact `sensors` (`gpu-0 gpu-3`). Empty where it has none. */
export function sensorsOf(facts: Readonly<Record<string, unknown>>): string[] {
  return typeof facts.sensors === 'string' ? facts.sensors.split(' ').filter(token => token !== '') : [];
}

/** How many hosts the ranks of an MPI case ran on, by its fact `rankHosts`; 1 for all other cases. */
export function hostsOf(facts: Readonly<Record<string, unknown>>): number {
  // The list ends after some thousand letters; the count, in newer documents, does not.
  const count = Number(facts.hostCount ?? Number.NaN);
  if (Number.isInteger(count) && count > 0) return count;
  return typeof facts.rankHosts === 'string' ? new Set(facts.rankHosts.split(',')).size : 1;
}

/** How the reason of an entry begins that holds another device, or a part of what did the work. */
export const OTHER_DEVICE = 'other-device';
export const PART = 'part';

/** Whether an entry's watts are those of the case: neither of another device nor of a part of what did the work. */
export function standsForCase({ status, reason }: Pick<CaseEnergy, 'status' | 'reason'>): boolean {
  return status === 'ok' && ![OTHER_DEVICE, PART].some(code => reason?.startsWith(`${code}:`));
}

/** Whether an entry is of what did none of the case's work: kept in the document, and of no use beside the case anywhere else. */
export function isOfOtherDevice({ reason }: Pick<CaseEnergy, 'reason'>): boolean {
  return reason?.startsWith(`${OTHER_DEVICE}:`) === true;
}

/** As NVML numbers it, or AMD SMI, or the kernel's driver. */
const WHOLE_GPU = /^gpu-(amdsmi-|amdgpu-)?\d+$/;

/** Without the readings of GPUs that a case on other GPUs left alone. What holds more than one GPU or a module stays. */
export function withoutOtherGpus<S extends Pick<SourceDescription, 'covers'>>(
  sources: readonly S[],
  sensors: readonly string[],
): S[] {
  if (sensors.length === 0) return [...sources];
  return sources.filter(({ covers }) => {
    const gpus = covers.filter(token => WHOLE_GPU.test(token));
    return gpus.length === 0 || overlap(gpus, sensors);
  });
}

/**
 * Whether a group that counts single GPUs leaves out some of those that the case ran on. One GPU may have several names
 * (`gpu-amdsmi-0`, `gpu-amdgpu-0`): those of the group's own kind count.
 */
export function lacksGpus(covers: readonly string[], sensors: readonly string[]): boolean {
  const kindOf = (token: string): string => token.replace(/\d+$/, '');
  const kinds = new Set(covers.filter(token => WHOLE_GPU.test(token)).map(kindOf));
  return sensors.some(token => kinds.has(kindOf(token)) && !covers.includes(token));
}

/**
 * Whether a sum holds several GPUs although the case ran on one of them, and nobody knows on which: a library that does not name its device
 * (OpenCL, PJRT), or a driver and sensors that name GPUs differently.
 */
export function holdsUnknownGpus(covers: readonly string[], device: string, sensors: readonly string[]): boolean {
  if (isCpuDevice(device) || device.endsWith(':all') || sensors.length > 0) return false;
  return covers.filter(token => WHOLE_GPU.test(token)).length > 1 && covers.every(token => WHOLE_GPU.test(token));
}

function isCpuDevice(device: string): boolean {
  return device === '' || device.startsWith('cpu');
}
