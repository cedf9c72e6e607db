/**
 * A power analyser behind SPEC's PTDaemon, as its client: `RL` asks for the samples since the last one asked for. The daemon is
 * the user's own; it is not started, stopped or ranged here, and a measurement must be under way (`Go,1000,0`).
 */
import net from 'node:net';
import { errnoOf } from '../../host/kernel-files.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'ptdaemon';
const VARIABLE = 'AIBENCH_PTDAEMON';
const DEFAULT_PORT = 8888;
const MAX_CHARACTERS = 1 << 16;

export interface LastSamples {
  /** Not yet all of the answer. */
  complete: boolean;
  watts: number | null;
  /** Of that sample, seconds by the daemon's own clock; null where it is not understood. */
  takenSeconds: number | null;
}

/** Pure: `11-23-2026 12:00:01.000`. The zone does not matter: what counts is how far it is from our clock. */
export function parseStamp(text: string): number | null {
  const found = /^(\d\d)-(\d\d)-(\d{4}) (\d\d):(\d\d):(\d\d(?:\.\d+)?)$/.exec(text.trim());
  if (!found) return null;
  const [month, day, year, hour, minute] = found.slice(1, 6).map(Number) as [number, number, number, number, number];
  return Date.UTC(year, month - 1, day, hour, minute) / 1e3 + Number(found[6]);
}

/** Pure: `Last 2 samples` and the lines after it; the newest sample. */
export function parseLastSamples(text: string): LastSamples {
  const lines = text.split(/\r?\n/);
  const count = /^Last (\d+) samples?/i.exec(lines[0] ?? '')?.[1];
  const nothing = { watts: null, takenSeconds: null };
  if (count === undefined) return { complete: lines.length > 1, ...nothing };
  const samples = lines.slice(1, -1).filter(line => line.startsWith('Time,'));
  if (samples.length < Number(count)) return { complete: false, ...nothing };
  const fields = (samples[samples.length - 1] ?? '').split(',');
  const watts = Number(fields[fields.indexOf('Watts') + 1]);
  if (!fields.includes('Watts') || !(watts > 0)) return { complete: true, ...nothing };
  return { complete: true, watts, takenSeconds: parseStamp(fields[1] ?? '') };
}

/** Pure: `host` or `host:port`. */
export function parsePlace(text: string): { host: string; port: number } | null {
  const found = /^(\[[0-9a-f:]+\]|[\w.-]+)(?::(\d{1,5}))?$/i.exec(text);
  const port = Number(found?.[2] ?? DEFAULT_PORT);
  return found?.[1] && port > 0 && port < 65536 ? { host: found[1].replace(/^\[|\]$/g, ''), port } : null;
}

export const ptdaemon: RemoteSource = {
  id: ID,
  summary: `a power analyser behind your own SPEC PTDaemon (${VARIABLE})`,
  async probe(environment, signal): Promise<RemoteRow[]> {
    const text = environment[VARIABLE];
    if (!text)
      return [missingRow(ID, 'absent', `${VARIABLE} is not set`, `set ${VARIABLE} to host:port of the daemon`)];
    const place = parsePlace(text);
    if (!place) return [missingRow(ID, 'unsupported', `${VARIABLE} is no host:port`, 'for example 10.0.0.5:8888')];
    const id = `${ID}/analyser`;
    try {
      // The first answer holds all samples since the measurement began; the second only what came meanwhile.
      if ((await lastSample(place, signal)).watts === null) {
        const remedy = 'start a measurement on the daemon (Go,1000,0) before the run';
        return [missingRow(ID, 'unsupported', 'the daemon has no sample', remedy)];
      }
    } catch (error) {
      const reason = `the daemon does not answer (${errnoOf(error)})`;
      return [
        missingRow(ID, 'unsupported', reason, 'look at the address, and whether PTDaemon runs with its network port'),
      ];
    }
    const description = {
      ...{ id, kind: 'gauge' as const, scope: 'wall' as const, covers: ['wall', 'node'], quantity: 'power', unit: 'W' },
      ...{ status: 'ok' as const, reason: 'what the analyser is wired to is the word of its owner' },
    };
    let taken: number | null = null;
    const reader = {
      async read(abort: AbortSignal) {
        const sample = await lastSample(place, abort);
        taken = sample.takenSeconds;
        return { [id]: sample.watts };
      },
      meterTime: () => ({ takenSeconds: taken, nowSeconds: null }),
    };
    return [{ descriptions: [description], reader }];
  },
};

function lastSample(place: { host: string; port: number }, signal: AbortSignal): Promise<LastSamples> {
  return new Promise((resolve, reject) => {
    const socket = net.connect({ ...place, signal });
    let text = '';
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write('RL\r\n'));
    socket.on('data', chunk => {
      text += chunk;
      const last = parseLastSamples(text);
      if (last.complete) resolve(last);
      else if (text.length > MAX_CHARACTERS) reject(new Error('the answer is too long'));
      else return;
      socket.destroy();
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ complete: true, watts: null, takenSeconds: null }));
  });
}
