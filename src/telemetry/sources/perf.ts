/**
 * RAPL energy counters through perf (Documentation/ABI/testing/sysfs-bus-event_source-devices-events): the same registers as
 * powercap, which the kernel extends to 64 bits. For machines where perf is allowed and powercap is not; where both can be
 * read powercap is, and these rows say so (registry.ts).
 */
import path from 'node:path';
import { listNames, numberOrNull, parseCpuList, textOrNull } from '../../host/kernel-files.ts';
import type { NativeAddon } from '../../native/types.ts';
import type { Scope } from '../../results/schema.ts';
import { nothingFound, type Quantity, readable, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'perf';
/** What the kernel calls an event, what powercap calls the zone of the same register, and how far it reaches. */
const EVENTS: readonly { event: string; zone: string; scope: Scope }[] = [
  { event: 'energy-pkg', zone: 'package', scope: 'package' },
  { event: 'energy-cores', zone: 'core', scope: 'chip' },
  { event: 'energy-gpu', zone: 'uncore', scope: 'chip' },
  { event: 'energy-ram', zone: 'dram', scope: 'package' },
  { event: 'energy-psys', zone: 'psys', scope: 'board' },
];
/**
 * The kernel counts in 2^-32 J, the register in a coarser step that is not told: 2^-14 J is the coarsest of usual parts (Intel
 * SDM vol. 3B, MSR_RAPL_POWER_UNIT). It is read and added up about every millisecond at most.
 */
const REGISTER_STEP = 2 ** -14;
const UPDATE_SECONDS = 1e-3;

/** Pure: the config of an event like `event=0x02`, whose field the format puts into the low bits (`config:0-7`). Null otherwise. */
export function parseEvent(event: string, format: string): number | null {
  const bits = /^config:0-(\d+)$/.exec(format.trim());
  const value = /^event=(0x[0-9a-f]+|\d+)$/i.exec(event.trim());
  if (!bits || !value) return null;
  const config = Number(value[1]);
  return config < 2 ** (Number(bits[1]) + 1) ? config : null;
}

/** Pure: `2.3283064365386962890625e-10`. */
export function parseScale(text: string): number | null {
  const scale = /^[\d.]+(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : Number.NaN;
  return Number.isFinite(scale) && scale > 0 ? scale : null;
}

/** What stands where a package's number goes: `0`, or `0-die-1` where packages have several dies with counters of their own. */
interface Place {
  cpu: number;
  name: string;
}

export const perf: TelemetrySource = {
  id: ID,
  summary: 'RAPL energy counters through perf (/sys/bus/event_source/devices/power)',
  async probe(roots: TelemetryRoots, native: NativeAddon): Promise<ProbedChannel[]> {
    const what = { kind: 'counter', scope: 'package', quantity: 'energy', unit: 'J' } as const;
    const pmuFolder = path.join(roots.sys, 'bus/event_source/devices/power');
    const pmu = await numberOrNull(path.join(pmuFolder, 'type'));
    if (pmu === null) {
      const remedy = 'on bare metal: modprobe intel_rapl_perf or rapl; a virtual machine has none';
      return nothingFound(ID, what, 'the kernel has no power counters for perf', remedy);
    }
    const places = await placesOf(roots.sys, pmuFolder);
    const format = (await textOrNull(path.join(pmuFolder, 'format/event'))) ?? '';
    const offered = await listNames(path.join(pmuFolder, 'events'));
    const known = EVENTS.filter(({ event }) => offered.includes(event));
    if (places === null || known.length === 0) {
      return nothingFound(ID, what, 'perf offers no energy event that is known', 'nothing to do', 'unsupported');
    }
    const out: ProbedChannel[] = [];
    for (const row of known) {
      const file = path.join(pmuFolder, 'events', row.event);
      const config = parseEvent((await textOrNull(file)) ?? '', format);
      const scale = parseScale((await textOrNull(`${file}.scale`)) ?? '');
      const unit = await textOrNull(`${file}.unit`);
      // The platform has one counter, whichever CPU is asked.
      for (const place of row.zone === 'psys' ? places.slice(0, 1) : places) {
        const quantity = describe(row, place, places, known);
        if (config === null || scale === null || unit?.toLowerCase() !== 'joules') {
          const reason = 'its event, scale or unit is not understood';
          out.push(unreadable(quantity, 'implausible', reason, 'report the kernel version as a bug'));
          continue;
        }
        out.push(probeEvent(quantity, { pmu, config, cpu: place.cpu }, scale, native));
      }
    }
    return out;
  },
};

/** One CPU of each package or die, as the kernel chose them. Null where the mask cannot be read. */
async function placesOf(sys: string, pmuFolder: string): Promise<Place[] | null> {
  const cpus = parseCpuList((await textOrNull(path.join(pmuFolder, 'cpumask'))) ?? '');
  if (cpus === null || cpus.length === 0) return null;
  const found: { cpu: number; package: number; die: number }[] = [];
  for (const cpu of cpus) {
    const topology = path.join(sys, `devices/system/cpu/cpu${cpu}/topology`);
    const physical = await numberOrNull(path.join(topology, 'physical_package_id'));
    const die = await numberOrNull(path.join(topology, 'die_id'));
    found.push({ cpu, package: physical ?? found.length, die: die ?? 0 });
  }
  return found.map(one => {
    const alone = found.filter(other => other.package === one.package).length === 1;
    return { cpu: one.cpu, name: alone ? `${one.package}` : `${one.package}-die-${one.die}` };
  });
}

/** A package contains its cores and its uncore, not its memory; psys contains all of them (powercap.ts). */
function describe(
  { zone, scope }: (typeof EVENTS)[number],
  place: Place,
  places: readonly Place[],
  known: readonly { zone: string }[],
): Quantity {
  const inside = known.map(row => row.zone).filter(name => name !== 'psys');
  const tokens = (names: readonly string[], of: Place): string[] => names.map(name => `${name}-${of.name}`);
  let [id, covers] = [`${ID}/package-${place.name}/${zone}`, [`${zone}-${place.name}`]];
  if (zone === 'package') {
    id = `${ID}/package-${place.name}`;
    covers = tokens(['package', ...inside.filter(name => name !== 'package' && name !== 'dram')], place);
  } else if (zone === 'psys') {
    id = `${ID}/psys`;
    covers = ['psys', ...places.flatMap(other => tokens(inside, other))];
  }
  return {
    ...{ id, kind: 'counter', scope, covers, quantity: 'energy', unit: 'J' },
    ...{ quantum: REGISTER_STEP, updatePeriodSeconds: UPDATE_SECONDS },
  };
}

function probeEvent(
  what: Quantity,
  event: { pmu: number; config: number; cpu: number },
  scale: number,
  native: Pick<NativeAddon, 'probePerfEvent'>,
): ProbedChannel {
  const errno = native.probePerfEvent(event);
  if (errno === '') return readable(what, { type: 'perf', ...event }, scale, 'counter');
  const status = statusOfErrno(errno);
  if (status !== 'denied') {
    return unreadable(
      what,
      status,
      `perf refuses the counter (${errno})`,
      'look for RAPL messages in the kernel log (dmesg)',
    );
  }
  return unreadable(
    what,
    status,
    `perf refuses system-wide counters to this user (${errno})`,
    'as root, until the next boot: sysctl kernel.perf_event_paranoid=0; in a container also --cap-add PERFMON',
  );
}
