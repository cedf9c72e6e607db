/**
 * No source, however broken, stops a measurement: a library that hangs for 30 s, a FIFO, garbage, a file that goes away and
 * remote meters that hang, lie and disconnect, all beside a real product on all CPUs. What must hold is structural (launches end,
 * samples are all there, sound sources keep their pace); what watching costs is measured by `npm run bench:sampler`.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import type { SamplerChannel } from '../../src/native/types.ts';
import type { SourceDescription } from '../../src/results/schema.ts';
import { startRecorder } from '../../src/telemetry/recorder.ts';
import type { RemoteRow } from '../../src/telemetry/remote.ts';
import type { ProbedChannel } from '../../src/telemetry/source.ts';
import { ptdaemon } from '../../src/telemetry/sources/ptdaemon.ts';

const native = loadAddon();
const folder = mkdtempSync(path.join(tmpdir(), 'aibench-broken-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const fakeNvml = path.join(packageRoot, `build-native-${process.platform}-${process.arch}`, 'Release', 'fake_nvml.so');

function local(id: string, read: SamplerChannel['read'], periodSeconds = 0.02): ProbedChannel {
  const description: SourceDescription = {
    ...{ id, kind: 'gauge', scope: 'node', covers: ['node'], quantity: 'power', unit: 'W', status: 'ok' },
  };
  return { description, channel: { id, read, scale: 1, periodSeconds, capacity: 1000 } };
}

function file(name: string, text: string): { type: 'file'; path: string } {
  writeFileSync(path.join(folder, name), text);
  return { type: 'file', path: path.join(folder, name) };
}

function remote(id: string, read: () => Promise<Record<string, number | null>>): RemoteRow {
  return { descriptions: [local(id, { type: 'file', path: '' }).description], reader: { read } };
}

test('a measurement beside broken sources is whole, and so is what sound ones read', { timeout: 60_000 }, async () => {
  const hasFake = existsSync(fakeNvml);
  const library = path.join(folder, 'nvml.so');
  if (hasFake) {
    copyFileSync(fakeNvml, library);
    writeFileSync(`${library}.script`, 'field186 100000 H30000 100000\ntemperature 50\n');
  }
  execFileSync('mkfifo', [path.join(folder, 'fifo')]);
  // Answers once, then closes each connection half-way through a sample.
  let asked = 0;
  const meter = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', () => {
      asked += 1;
      const sample = 'Time,11-23-2026 12:00:01.000,Watts,231.5,Volts,230\r\n';
      socket.write(`Last 1 samples\r\n${asked === 1 ? sample : sample.slice(0, 30)}`);
      if (asked > 1) setTimeout(() => socket.destroy(), 20);
    });
  });
  await new Promise<void>(resolve => meter.listen(0, '127.0.0.1', resolve));
  const place = `127.0.0.1:${(meter.address() as AddressInfo).port}`;
  const disconnects = await ptdaemon.probe({ AIBENCH_PTDAEMON: place }, AbortSignal.timeout(5000));
  expect(disconnects[0]?.reader).not.toBeNull();

  const threads = native.affinity().length;
  const gemm = native.createGemm({ dtype: 'f32', m: 256, n: 256, k: 256, threads, seed: 1 });
  await gemm.prepare();
  const recorder = startRecorder({
    native,
    nvmlLibraries: [library],
    channels: [
      local('sound', { type: 'file', path: '/proc/uptime' }),
      local('garbage', file('garbage', '\u0000\u0001 watts\n')),
      local('fifo', { type: 'file', path: path.join(folder, 'fifo') }),
      local('gone', { type: 'file', path: path.join(folder, 'no-such') }),
      ...(hasFake
        ? [
            local('hangs', { type: 'nvml', device: 0, quantity: 'power' }),
            local('neighbour', { type: 'nvml', device: 0, quantity: 'temperature' }),
          ]
        : []),
    ],
    remote: [
      ...disconnects,
      remote('remote-hangs', () => new Promise(() => {})),
      remote('remote-lies', async () => ({ 'remote-lies': Number.POSITIVE_INFINITY, sound: 1 })),
    ],
  });
  const timing = {
    maxWarmupSeconds: 0.05,
    minSampleSeconds: 0.001,
    targetSeconds: 0.7,
    minSamples: 20,
    maxSamples: 1e6,
  };
  const launches = [];
  for (let launch = 0; launch < 3; launch++) launches.push(await gemm.measure(timing));
  const stopping = native.now();
  const telemetry = recorder.stop();
  expect(native.now() - stopping, 'stop() waits for no one').toBeLessThan(5);
  for (const { complete, samplesSeconds, windowStart, windowEnd } of launches) {
    expect(complete).toBe(true);
    expect(samplesSeconds.length).toBeGreaterThanOrEqual(20);
    const sampled = samplesSeconds.reduce((sum, seconds) => sum + seconds, 0);
    expect(sampled).toBeGreaterThanOrEqual(timing.targetSeconds);
    expect(sampled).toBeLessThanOrEqual(windowEnd - windowStart + 1e-6);
  }
  expect((await gemm.verify()).passed).toBe(true);
  gemm.dispose();
  meter.close();

  const values = (id: string) => telemetry.series.find(one => one.source === id)?.values ?? [];
  const status = (id: string) => telemetry.sources.find(one => one.id === id)?.status;
  expect(values('sound').filter(value => value !== null).length).toBeGreaterThan(30);
  expect(status('sound')).toBe('ok');
  for (const id of ['garbage', 'gone', 'fifo']) {
    expect(
      values(id).every(value => value === null),
      id,
    ).toBe(true);
    expect(status(id), id).toBe('stale');
  }
  expect(values('remote-lies').every(value => value === null)).toBe(true);
  expect(values('ptdaemon/analyser').every(value => value === null)).toBe(true);
  if (hasFake) {
    expect(values('hangs').length, 'one reading before it hangs').toBeLessThanOrEqual(2);
    expect(values('neighbour').length, 'the same library, other calls').toBeGreaterThan(10);
  }
});
