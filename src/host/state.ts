/** The state of the machine that changes what is measured: clock policy, load, steal, huge pages, temperature. */
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '../results/schema.ts';
import { type CpuTimes, parseCpuTimes } from './cpu-times.ts';
import { listNames, numberOrNull, parseNumber, textOrNull } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';

/** What else the machine is doing, over a stretch in which this process waits. */
export interface Activity {
  stealFraction: number | null;
  /** CPUs' worth of work done by others than this process. */
  foreignCores: number | null;
}

/** Looks at the CPU time of the whole machine twice. `seconds` of 1 resolve 1 % of one CPU. */
export async function sampleActivity(roots: HostRoots, seconds: number): Promise<Activity> {
  const read = async (): Promise<CpuTimes | null> =>
    parseCpuTimes((await textOrNull(path.join(roots.proc, 'stat'))) ?? '');
  const [before, ownBefore, started] = [await read(), process.cpuUsage(), process.hrtime.bigint()];
  await sleep(seconds * 1e3);
  const [after, own, ended] = [await read(), process.cpuUsage(ownBefore), process.hrtime.bigint()];
  if (!before || !after) return { stealFraction: null, foreignCores: null };
  return activityBetween(before, after, (own.user + own.system) * 1e-6, Number(ended - started) * 1e-9);
}

/** Pure: from two readings of the machine's CPU time and this process's own between them. Seconds. */
export function activityBetween(before: CpuTimes, after: CpuTimes, ownSeconds: number, wallSeconds: number): Activity {
  const total = after.total - before.total;
  if (!(total > 0) || !(wallSeconds > 0)) return { stealFraction: null, foreignCores: null };
  const idle = after.idle - before.idle + after.iowait - before.iowait;
  const steal = Math.max(0, after.steal - before.steal);
  const busy = Math.max(0, total - idle - steal);
  return { stealFraction: steal / total, foreignCores: Math.max(0, busy - ownSeconds) / wallSeconds };
}

/** Everything but `stealFraction` and `environment`, which the caller has. Never rejects. */
export async function readState(roots: HostRoots): Promise<Omit<Host['state'], 'stealFraction' | 'environment'>> {
  const cpu = path.join(roots.sys, 'devices/system/cpu');
  const [load, uptime] = [
    await textOrNull(path.join(roots.proc, 'loadavg')),
    await textOrNull(path.join(roots.proc, 'uptime')),
  ];
  const balancing = await numberOrNull(path.join(roots.proc, 'sys/kernel/numa_balancing'));
  const smt = await textOrNull(path.join(cpu, 'smt/active'));
  return {
    governor: await readGovernor(cpu),
    turbo: await readTurbo(cpu),
    smt: smt === null ? null : smt === '1',
    loadAverage: parseLoad(load ?? ''),
    hugepages: await readHugepages(roots),
    numaBalancing: balancing === null ? null : balancing > 0,
    temperatureCelsius: await hottest(roots),
    uptimeSeconds: parseNumber(uptime?.split(' ')[0] ?? ''),
  };
}

/** Pure: the three averages of /proc/loadavg; none where the text is something else. */
export function parseLoad(text: string): number[] {
  const parts = text.split(/\s+/).slice(0, 3).map(parseNumber);
  return parts.every((value): value is number => value !== null) ? parts : [];
}

/** One name, or all of them where CPUs differ; with the driver, since "powersave" of intel_pstate is no fixed low clock. */
async function readGovernor(cpu: string): Promise<string | null> {
  const governors = new Set<string>();
  let driver: string | null = null;
  for (const name of await listNames(cpu)) {
    if (!/^cpu\d+$/.test(name)) continue;
    const governor = await textOrNull(path.join(cpu, name, 'cpufreq/scaling_governor'));
    if (governor) governors.add(governor);
    driver ??= await textOrNull(path.join(cpu, name, 'cpufreq/scaling_driver'));
  }
  if (governors.size === 0) return null;
  return `${[...governors].sort().join(', ')}${driver ? ` (${driver})` : ''}`;
}

async function readTurbo(cpu: string): Promise<boolean | null> {
  const off = await textOrNull(path.join(cpu, 'intel_pstate/no_turbo'));
  if (off !== null) return off === '0';
  const boost = await textOrNull(path.join(cpu, 'cpufreq/boost'));
  return boost === null ? null : boost === '1';
}

/** Transparent: the policy in brackets. Reserved: pages of each size, where there are any. */
async function readHugepages(roots: HostRoots): Promise<string | null> {
  const enabled = await textOrNull(path.join(roots.sys, 'kernel/mm/transparent_hugepage/enabled'));
  const parts: string[] = [];
  const policy = /\[(\w+)\]/.exec(enabled ?? '')?.[1];
  if (policy) parts.push(`transparent ${policy}`);
  const folder = path.join(roots.sys, 'kernel/mm/hugepages');
  for (const name of await listNames(folder)) {
    const count = await numberOrNull(path.join(folder, name, 'nr_hugepages'));
    if (count) parts.push(`${count} x ${name.replace('hugepages-', '')}`);
  }
  return parts.length > 0 ? parts.join(', ') : null;
}

async function hottest(roots: HostRoots): Promise<number | null> {
  const out: number[] = [];
  const thermal = path.join(roots.sys, 'class/thermal');
  for (const zone of await listNames(thermal)) {
    if (zone.startsWith('thermal_zone')) out.push((await numberOrNull(path.join(thermal, zone, 'temp'))) ?? Number.NaN);
  }
  const hwmon = path.join(roots.sys, 'class/hwmon');
  for (const chip of await listNames(hwmon)) {
    const name = await textOrNull(path.join(hwmon, chip, 'name'));
    if (!/^(coretemp|k10temp|zenpower|cpu_thermal)$/.test(name ?? '')) continue;
    out.push((await numberOrNull(path.join(hwmon, chip, 'temp1_input'))) ?? Number.NaN);
  }
  // Zones that are unused report 0, negative or absurd values.
  const valid = out.map(value => value * 1e-3).filter(value => value > 0 && value < 150);
  return valid.length > 0 ? Math.max(...valid) : null;
}
