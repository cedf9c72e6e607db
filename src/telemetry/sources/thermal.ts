/** Thermal zones (Documentation/driver-api/thermal/sysfs-api): a type and a temperature in millidegrees. */
import path from 'node:path';
import { listNames, parseNumber, readText, textOrNull } from '../../host/kernel-files.ts';
import { nothingFound, type Quantity, readable, slug, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'thermal';
const MILLI = 1e-3;
/** Servers have a handful, some boards dozens; the hottest parts come first in every tree seen. */
const AT_MOST = 8;

/** Pure: zone folders in order, without cooling devices. */
export function zoneFolders(names: readonly string[]): string[] {
  return names.filter(name => /^thermal_zone\d+$/.test(name));
}

export const thermal: TelemetrySource = {
  id: ID,
  summary: `temperatures of the first ${AT_MOST} thermal zones (/sys/class/thermal)`,
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const folder = path.join(roots.sys, 'class/thermal');
    const zones = zoneFolders(await listNames(folder));
    const out: ProbedChannel[] = [];
    for (const [index, zone] of zones.slice(0, AT_MOST).entries()) {
      const type = (await textOrNull(path.join(folder, zone, 'type'))) ?? zone;
      const file = path.join(folder, zone, 'temp');
      const what: Quantity = {
        id: `${ID}/${slug(type)}.${index}`,
        kind: 'gauge',
        scope: 'chip',
        covers: [],
        quantity: 'temperature',
        unit: 'degC',
        quantum: MILLI,
      };
      const read = await readText(file);
      if (read.ok && parseNumber(read.text) !== null) {
        const note = zones.length > AT_MOST ? `${zones.length - AT_MOST} more zones are not sampled` : undefined;
        out.push(readable(what, { type: 'file', path: file }, MILLI, 'temperature', note));
      } else {
        const errno = read.ok ? 'no number' : read.errno;
        const reason = `the zone gives no temperature (${errno})`;
        out.push(
          unreadable(
            what,
            read.ok ? 'implausible' : statusOfErrno(errno),
            reason,
            'nothing to do: the zone is asleep or unused',
          ),
        );
      }
    }
    if (out.length > 0) return out;
    return nothingFound(
      ID,
      { kind: 'gauge', scope: 'chip', quantity: 'temperature', unit: 'degC' },
      'there is no thermal zone under /sys/class/thermal',
      'a virtual machine has none; on bare metal look for thermal drivers in the kernel configuration',
    );
  },
};
