/** Clock of the CPUs as the frequency driver gives it, in kilohertz. A sample of the CPUs on machines with many. */
import path from 'node:path';
import { listNames, parseNumber, readText } from '../../host/kernel-files.ts';
import { nothingFound, type Quantity, readable, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'cpufreq';
const KILO = 1e3;
/** Each reading can interrupt the CPU that it asks about: 8 CPUs at 4 Hz are 32 reads a second. */
export const AT_MOST = 8;

/** Pure: `count` of the CPUs, spread evenly, the first always among them. */
export function spread(cpus: readonly number[], count: number): number[] {
  if (cpus.length <= count) return [...cpus];
  return Array.from({ length: count }, (_, index) => cpus[Math.floor((index * cpus.length) / count)] ?? 0);
}

export const cpufreq: TelemetrySource = {
  id: ID,
  summary: `clock of up to ${AT_MOST} CPUs (/sys/devices/system/cpu/cpu*/cpufreq)`,
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const folder = path.join(roots.sys, 'devices/system/cpu');
    const cpus = (await listNames(folder)).flatMap(name => (/^cpu\d+$/.test(name) ? [Number(name.slice(3))] : []));
    const chosen = spread(cpus, AT_MOST);
    const out: ProbedChannel[] = [];
    for (const cpu of chosen) {
      const file = path.join(folder, `cpu${cpu}/cpufreq/scaling_cur_freq`);
      const what: Quantity = {
        id: `${ID}/cpu${cpu}`,
        kind: 'gauge',
        scope: 'chip',
        covers: [],
        quantity: 'clock',
        unit: 'Hz',
        quantum: KILO,
      };
      const read = await readText(file);
      if (!read.ok && read.errno === 'ENOENT') continue;
      if (read.ok && parseNumber(read.text) !== null) {
        const note = chosen.length < cpus.length ? `${chosen.length} of ${cpus.length} CPUs are sampled` : undefined;
        out.push(readable(what, { type: 'file', path: file }, KILO, 'clock', note));
      } else {
        const errno = read.ok ? 'no number' : read.errno;
        const reason = `scaling_cur_freq cannot be read (${errno})`;
        out.push(
          unreadable(
            what,
            read.ok ? 'unsupported' : statusOfErrno(errno),
            reason,
            'look for cpufreq messages in dmesg',
          ),
        );
      }
    }
    if (out.length > 0) return out;
    return nothingFound(
      ID,
      { kind: 'gauge', scope: 'chip', quantity: 'clock', unit: 'Hz' },
      'no CPU has a cpufreq folder: no frequency driver is loaded',
      'usual in a virtual machine, where the host sets the clock; on bare metal load intel_pstate, amd_pstate or acpi_cpufreq',
    );
  },
};
