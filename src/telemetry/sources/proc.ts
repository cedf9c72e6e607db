/** What the kernel counts for the whole machine: CPU time by kind, load, context switches. */
import path from 'node:path';
import { parseCpuTimes, TICK_SECONDS } from '../../host/cpu-times.ts';
import { readText } from '../../host/kernel-files.ts';
import type { SamplerChannel } from '../../native/types.ts';
import { nothingFound, type Quantity, readable, statusOfErrno, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'proc';
const STAT_FIELDS = ['user', 'system', 'idle', 'iowait', 'steal', 'total'] as const;
const STAT_LINES = [
  { key: 'ctxt', quantity: 'contextSwitches', kind: 'counter' },
  { key: 'procs_running', quantity: 'runnable', kind: 'gauge' },
  { key: 'procs_blocked', quantity: 'blocked', kind: 'gauge' },
] as const;

export const proc: TelemetrySource = {
  id: ID,
  summary: 'CPU time, steal, load and context switches of the machine (/proc/stat, /proc/loadavg)',
  async probe(roots: TelemetryRoots): Promise<ProbedChannel[]> {
    const stat = path.join(roots.proc, 'stat');
    const loadavg = path.join(roots.proc, 'loadavg');
    const [statText, loadText] = [await readText(stat), await readText(loadavg)];
    if (!statText.ok && !loadText.ok) {
      return nothingFound(
        ID,
        { kind: 'counter', scope: 'node', quantity: 'cpuTime', unit: 's' },
        `/proc/stat and /proc/loadavg cannot be read (${statText.errno})`,
        'mount proc (mount -t proc proc /proc); without it steal and load are not seen',
        statusOfErrno(statText.errno),
      );
    }
    const out: ProbedChannel[] = [];
    const add = (
      what: Pick<Quantity, 'id' | 'kind' | 'quantity' | 'unit'>,
      read: SamplerChannel['read'],
      scale: number,
    ): void => {
      out.push(readable({ ...what, id: `${ID}/${what.id}`, scope: 'node', covers: [] }, read, scale, 'proc'));
    };
    if (statText.ok && parseCpuTimes(statText.text)) {
      for (const field of STAT_FIELDS) {
        const what = { id: field, kind: 'counter', quantity: `${field}Time`, unit: 's' } as const;
        add(what, { type: 'procStat', path: stat, field }, TICK_SECONDS);
      }
      for (const { key, quantity, kind } of STAT_LINES) {
        if (!new RegExp(`^${key} \\d+`, 'm').test(statText.text)) continue;
        add({ id: key, kind, quantity, unit: '1' }, { type: 'procStatLine', path: stat, key }, 1);
      }
    } else {
      const errno = statText.ok ? 'no cpu line' : statText.errno;
      const what: Quantity = {
        id: `${ID}/total`,
        kind: 'counter',
        scope: 'node',
        covers: [],
        quantity: 'totalTime',
        unit: 's',
      };
      out.push(
        unreadable(
          what,
          statText.ok ? 'implausible' : statusOfErrno(errno),
          `/proc/stat: ${errno}`,
          'mount the real /proc',
        ),
      );
    }
    if (loadText.ok)
      add({ id: 'load', kind: 'gauge', quantity: 'load', unit: '1' }, { type: 'loadavg', path: loadavg }, 1);
    return out;
  },
};
