/**
 * Time that packages were held back by heat, as Intel's thermal interrupt counts it
 * (/sys/devices/system/cpu/cpu<N>/thermal_throttle, Documentation/admin-guide/sysfs): one counter per package.
 */
import path from 'node:path';
import { listNames, numberOrNull, parseNumber, readText } from '../../host/kernel-files.ts';
import { nothingFound, type Quantity, readable, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'throttle';
const MILLI = 1e-3;

export const cpuThrottle: TelemetrySource = {
  id: ID,
  summary: 'time that CPU packages were held back by heat (thermal_throttle)',
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const folder = path.join(roots.sys, 'devices/system/cpu');
    const cpus = (await listNames(folder)).filter(name => /^cpu\d+$/.test(name));
    const seen = new Set<number>();
    const out: ProbedChannel[] = [];
    for (const cpu of cpus) {
      const number = (await numberOrNull(path.join(folder, cpu, 'topology/physical_package_id'))) ?? 0;
      if (seen.has(number)) continue;
      const file = path.join(folder, cpu, 'thermal_throttle/package_throttle_total_time_ms');
      const read = await readText(file);
      if (!read.ok && (read.errno === 'ENOENT' || read.errno === 'ENOTDIR')) continue;
      seen.add(number);
      const what: Quantity = {
        ...{ id: `${ID}/package-${number}`, kind: 'counter', scope: 'package', covers: [] },
        ...{ quantity: 'throttleTime', unit: 's', quantum: MILLI },
      };
      if (read.ok && parseNumber(read.text) !== null) {
        out.push(readable(what, { type: 'file', path: file }, MILLI, 'throttle'));
      } else {
        const reason = `the counter cannot be read (${read.ok ? 'no number' : read.errno})`;
        const status = read.ok ? 'implausible' : statusOfErrno(read.errno);
        out.push(unreadable(what, status, reason, 'look for thermal messages in the kernel log (dmesg)'));
      }
    }
    if (out.length > 0) return out;
    return nothingFound(
      ID,
      { kind: 'counter', scope: 'package', quantity: 'throttleTime', unit: 's' },
      'no CPU counts the time that heat held it back',
      'only Intel CPUs under Linux 5.7 or later do, and only on bare metal',
    );
  },
};
