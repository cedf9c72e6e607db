/** Time that this process's control group was held back, and the memory that it holds. */
import path from 'node:path';
import { type CgroupPlace, findCgroup } from '../../host/cgroup.ts';
import { parseKeyed, textOrNull } from '../../host/kernel-files.ts';
import { nothingFound, type Quantity, readable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'cgroup';
const MICRO = 1e-6;
const NANO = 1e-9;

/** Pure: how each version names the time throttled, and its unit. */
export function throttledKey(stat: ReadonlyMap<string, number>): { key: string; scale: number } | null {
  if (stat.has('throttled_usec')) return { key: 'throttled_usec', scale: MICRO };
  if (stat.has('throttled_time')) return { key: 'throttled_time', scale: NANO };
  return null;
}

export const cgroup: TelemetrySource = {
  id: ID,
  summary: 'time throttled by a CPU quota and memory in use of the own control group (versions 1 and 2)',
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const place = await findCgroup(roots);
    const out = place ? [...(await throttling(place)), ...(await memory(place))] : [];
    if (out.length > 0) return out;
    return nothingFound(
      ID,
      { kind: 'counter', scope: 'node', quantity: 'throttledTime', unit: 's' },
      place
        ? 'the own control group has no quota counters and no memory counter'
        : 'no control group file system is mounted',
      'nothing to do: nothing limits this process',
    );
  },
};

/** The nearest group with the counter: the root group has none. */
async function throttling(place: CgroupPlace): Promise<ProbedChannel[]> {
  for (const folder of place.cpu) {
    const file = path.join(folder, 'cpu.stat');
    const stat = parseKeyed((await textOrNull(file)) ?? '');
    const throttled = throttledKey(stat);
    if (!throttled) continue;
    const base = { kind: 'counter', scope: 'node' } as const;
    return [
      readable(
        { ...base, covers: [], id: `${ID}/throttled`, quantity: 'throttledTime', unit: 's' },
        { type: 'keyedFile', path: file, key: throttled.key },
        throttled.scale,
        'throttle',
      ),
      readable(
        { ...base, covers: [], id: `${ID}/throttled-periods`, quantity: 'throttledPeriods', unit: '1' },
        { type: 'keyedFile', path: file, key: 'nr_throttled' },
        1,
        'throttle',
      ),
    ];
  }
  return [];
}

async function memory(place: CgroupPlace): Promise<ProbedChannel[]> {
  for (const folder of place.memory) {
    const file = path.join(folder, place.version === 2 ? 'memory.current' : 'memory.usage_in_bytes');
    if ((await textOrNull(file)) === null) continue;
    const what: Quantity = {
      id: `${ID}/memory`,
      kind: 'gauge',
      scope: 'node',
      covers: [],
      quantity: 'memory',
      unit: 'B',
    };
    return [readable(what, { type: 'file', path: file }, 1, 'proc')];
  }
  return [];
}
