/**
 * Where this process stands in the control groups, and what they allow it: version 2 (Documentation/admin-guide/cgroup-v2)
 * and version 1, also both at once.
 */
import path from 'node:path';
import { parseCpuList, parseNumber, textOrNull } from './kernel-files.ts';

export interface CgroupPlace {
  version: 1 | 2;
  /** Folders from the process's own group up to the root, nearest first; a limit anywhere on the way holds. */
  cpu: string[];
  memory: string[];
  cpuset: string[];
}

export interface CgroupLimits {
  version: 1 | 2;
  /** CPUs' worth of time; null without a quota. */
  cpuQuota: number | null;
  memoryLimitBytes: number | null;
  /** What the group with the tightest limit has taken already, bytes. */
  memoryUsedBytes: number | null;
  cpusetCpus: number | null;
}

export interface CgroupRoots {
  sys: string;
  proc: string;
}

/** Pure: /proc/self/cgroup as controller list to path. Version 2 has the empty controller list. */
export function parseCgroupLines(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    if (match?.[2] === undefined) continue;
    for (const controller of (match[1] ?? '').split(',')) out.set(controller, match[2]);
  }
  return out;
}

/** Pure: a folder and all folders above it, down to `root`. */
export function upwards(root: string, relative: string): string[] {
  const parts = relative.split('/').filter(part => part !== '' && part !== '.' && part !== '..');
  const out: string[] = [];
  for (let count = parts.length; count >= 0; count--) out.push(path.join(root, ...parts.slice(0, count)));
  return out;
}

/** Null where no control groups are mounted. */
export async function findCgroup(roots: CgroupRoots): Promise<CgroupPlace | null> {
  const text = await textOrNull(path.join(roots.proc, 'self/cgroup'));
  if (text === null) return null;
  const places = parseCgroupLines(text);
  const mount = path.join(roots.sys, 'fs/cgroup');
  if ((await textOrNull(path.join(mount, 'cgroup.controllers'))) !== null) {
    const folders = upwards(mount, places.get('') ?? '/');
    return { version: 2, cpu: folders, memory: folders, cpuset: folders };
  }
  const under = (controller: string): string[] => {
    const place = places.get(controller);
    return place === undefined ? [] : upwards(path.join(mount, controller), place);
  };
  const found: CgroupPlace = { version: 1, cpu: under('cpu'), memory: under('memory'), cpuset: under('cpuset') };
  return found.cpu.length + found.memory.length + found.cpuset.length > 0 ? found : null;
}

/** The tightest limit on the way up for each of CPU time, memory and CPU set; nulls where nothing limits. */
export async function readCgroupLimits(place: CgroupPlace): Promise<CgroupLimits> {
  const limits: CgroupLimits = {
    version: place.version,
    cpuQuota: null,
    memoryLimitBytes: null,
    memoryUsedBytes: null,
    cpusetCpus: null,
  };
  for (const folder of place.cpu) limits.cpuQuota = tighter(limits.cpuQuota, await cpuQuotaOf(folder, place.version));
  for (const folder of place.memory) {
    const limit = await memoryLimitOf(folder, place.version);
    if (limit === null || (limits.memoryLimitBytes !== null && limit >= limits.memoryLimitBytes)) continue;
    limits.memoryLimitBytes = limit;
    const usage = place.version === 2 ? 'memory.current' : 'memory.usage_in_bytes';
    const text = await textOrNull(path.join(folder, usage));
    limits.memoryUsedBytes = text === null ? null : parseNumber(text);
  }
  for (const folder of place.cpuset) {
    const name = place.version === 2 ? 'cpuset.cpus.effective' : 'cpuset.cpus';
    const cpus = parseCpuList((await textOrNull(path.join(folder, name))) ?? '');
    if (cpus && cpus.length > 0) limits.cpusetCpus = tighter(limits.cpusetCpus, cpus.length);
  }
  return limits;
}

function tighter(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b;
  return Math.min(a, b);
}

async function cpuQuotaOf(folder: string, version: 1 | 2): Promise<number | null> {
  if (version === 2) return parseCpuMax((await textOrNull(path.join(folder, 'cpu.max'))) ?? '');
  const quota = parseNumber((await textOrNull(path.join(folder, 'cpu.cfs_quota_us'))) ?? '');
  const period = parseNumber((await textOrNull(path.join(folder, 'cpu.cfs_period_us'))) ?? '');
  return quota !== null && quota > 0 && period !== null && period > 0 ? quota / period : null;
}

/** Pure: `max 100000` or `50000 100000` as CPUs' worth of time. */
export function parseCpuMax(text: string): number | null {
  const match = /^(\d+)\s+(\d+)$/.exec(text.trim());
  return match && Number(match[2]) > 0 ? Number(match[1]) / Number(match[2]) : null;
}

async function memoryLimitOf(folder: string, version: 1 | 2): Promise<number | null> {
  const name = version === 2 ? 'memory.max' : 'memory.limit_in_bytes';
  const limit = parseNumber((await textOrNull(path.join(folder, name))) ?? '');
  // Version 1 says "no limit" with the largest page-aligned signed number.
  return limit !== null && limit < 2 ** 62 ? limit : null;
}
