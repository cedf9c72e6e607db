/**
 * Sources that are broken in every way that was thought of: a driver that hangs for 30 s in each call, a FIFO, garbage, a file that
 * is gone, a controller that answers half, never, wrongly or with an endless page, a program that does not end. For the test that
 * they stop nothing and the benchmark that they slow nothing.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { SamplerChannel } from '../../src/native/types.ts';
import type { SourceDescription } from '../../src/results/schema.ts';
import type { RemoteRow } from '../../src/telemetry/remote.ts';
import type { ProbedChannel } from '../../src/telemetry/source.ts';
import { dcmi } from '../../src/telemetry/sources/dcmi.ts';
import { ptdaemon } from '../../src/telemetry/sources/ptdaemon.ts';
import { smartPlug } from '../../src/telemetry/sources/smart-plug.ts';
import { buildFakeLibrary, noCompiler } from './fake-library.ts';

export interface BrokenSources {
  channels: ProbedChannel[];
  remote: RemoteRow[];
  nvmlLibraries: string[];
  /** Whether the hanging driver is among them: it takes a C++ compiler. */
  hangs: boolean;
  close(): void;
}

export function localRow(id: string, read: SamplerChannel['read'], periodSeconds = 0.02): ProbedChannel {
  const description: SourceDescription = {
    ...{ id, kind: 'gauge', scope: 'node', covers: ['node'], quantity: 'power', unit: 'W', status: 'ok' },
  };
  return { description, channel: { id, read, scale: 1, periodSeconds, capacity: 1000 } };
}

function remoteRow(id: string, read: () => Promise<Record<string, number | null>>): RemoteRow {
  return { descriptions: [localRow(id, { type: 'file', path: '' }).description], reader: { read } };
}

async function listen(server: net.Server): Promise<number> {
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** Answers once, then closes each connection half-way through a sample. */
function meterThatDisconnects(): net.Server {
  let asked = 0;
  return net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', () => {
      asked += 1;
      const sample = 'Time,11-23-2026 12:00:01.000,Watts,231.5,Volts,230\r\n';
      socket.write(`Last 1 samples\r\n${asked === 1 ? sample : sample.slice(0, 30)}`);
      if (asked > 1) setTimeout(() => socket.destroy(), 20);
    });
  });
}

/** Says that it is a plug, then sends its first page for ever. */
function plugWithoutEnd(): http.Server {
  let asked = 0;
  return http.createServer((_, response) => {
    asked += 1;
    if (asked === 1) return response.end(JSON.stringify({ apower: 230 }));
    const timer = setInterval(() => response.write(' '.repeat(65_536)), 1);
    response.on('error', () => {}).on('close', () => clearInterval(timer));
    return response;
  });
}

/** @param programs whether a program that does not end is among them: it is killed every five seconds */
export async function brokenSources({ programs = true } = {}): Promise<BrokenSources> {
  const folder = mkdtempSync(path.join(tmpdir(), 'aibench-broken-'));
  const place = (name: string): string => path.join(folder, name);
  const [meter, plug] = [meterThatDisconnects(), plugWithoutEnd()];
  const [meterPort, plugPort] = [await listen(meter), await listen(plug)];
  execFileSync('mkfifo', [place('fifo')]);
  writeFileSync(place('garbage'), '\u0000\u0001 watts\n');
  writeFileSync(place('flag'), '');
  // Answers its probe, and hangs from then on.
  writeFileSync(
    place('ipmitool'),
    `#!/bin/sh\n[ -s ${place('flag')} ] && exec sleep 30\necho x > ${place('flag')}\necho "Instantaneous power reading: 318 Watts"\n`,
  );
  chmodSync(place('ipmitool'), 0o755);
  const channels = [
    localRow('garbage', { type: 'file', path: place('garbage') }),
    localRow('fifo', { type: 'file', path: place('fifo') }),
    localRow('gone', { type: 'file', path: place('no-such') }),
  ];
  const driver = noCompiler ? null : buildFakeLibrary('fake_nvml', 'AIBENCH_FAKE_UNUSED');
  if (driver) {
    copyFileSync(driver.path, place('nvml.so'));
    writeFileSync(`${place('nvml.so')}.script`, 'field186 100000 H30000 100000\ntemperature 50\n');
    channels.push(localRow('hangs', { type: 'nvml', device: 0, quantity: 'power' }));
    channels.push(localRow('neighbour', { type: 'nvml', device: 0, quantity: 'temperature' }));
  }
  const asking = AbortSignal.timeout(5000);
  const remote = [
    ...(await ptdaemon.probe({ AIBENCH_PTDAEMON: `127.0.0.1:${meterPort}` }, asking)),
    ...(await smartPlug.probe({ AIBENCH_PLUG_URL: `http://127.0.0.1:${plugPort}` }, asking)),
    ...(programs ? await dcmi.probe({ AIBENCH_IPMITOOL: place('ipmitool') }, asking) : []),
    remoteRow('remote-hangs', () => new Promise(() => {})),
    remoteRow('remote-lies', async () => ({ 'remote-lies': Number.POSITIVE_INFINITY, sound: 1 })),
    remoteRow('remote-throws', () => {
      throw new Error('at once');
    }),
  ];
  return {
    channels,
    remote,
    nvmlLibraries: [place('nvml.so')],
    hangs: driver !== null,
    close() {
      meter.close();
      plug.closeAllConnections();
      plug.close();
      driver?.remove();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
