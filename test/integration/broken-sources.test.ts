/**
 * No source, however broken, stops or slows a measurement: a library that hangs for 30 s, a FIFO, garbage, a file that goes away and
 * meters that hang, lie, disconnect and send pages without end, all beside a real product on all CPUs. What must hold whatever the
 * machine is doing is here: launches end, samples are all there, sound sources keep their pace, no thread spins on a broken source and
 * none is added for each try. That the median of the product does not move is measured by `npm run bench:broken-sources`.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import { startRecorder } from '../../src/telemetry/recorder.ts';
import { type BrokenSources, brokenSources, localRow } from '../support/broken-sources.ts';

const native = loadAddon();
let broken: BrokenSources;
beforeAll(async () => {
  broken = await brokenSources();
}, 60_000);
afterAll(() => broken?.close());

/** Threads of this process that read sensors. */
function samplerThreads(): number {
  if (process.platform !== 'linux') return 0;
  const names = readdirSync('/proc/self/task').map(task => {
    try {
      return readFileSync(`/proc/self/task/${task}/comm`, 'utf8');
    } catch {
      return '';
    }
  });
  return names.filter(name => name.startsWith('aibench-sampler')).length;
}

test('a measurement beside broken sources is whole, and so is what sound ones read', { timeout: 60_000 }, async () => {
  const threads = native.affinity().length;
  const gemm = native.createGemm({ dtype: 'f32', m: 256, n: 256, k: 256, threads, seed: 1 });
  await gemm.prepare();
  const recorder = startRecorder({
    native,
    nvmlLibraries: broken.nvmlLibraries,
    channels: [localRow('sound', { type: 'file', path: '/proc/uptime' }), ...broken.channels],
    remote: broken.remote,
  });
  const timing = {
    maxWarmupSeconds: 0.05,
    minSampleSeconds: 0.001,
    targetSeconds: 0.7,
    minSamples: 20,
    maxSamples: 1e6,
  };
  const launches = [];
  let mostThreads = 0;
  for (let launch = 0; launch < 3; launch++) {
    launches.push(await gemm.measure(timing));
    mostThreads = Math.max(mostThreads, samplerThreads());
  }
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

  // One for files, one for NVML, the one that hangs, the watchdog, and what a busy machine isolates by mistake; not one for each of
  // hundreds of tries. A thread that spins would take a good part of a core.
  expect(mostThreads).toBeLessThanOrEqual(8);
  const { cpuSeconds = 0, wallSeconds = 0 } = telemetry.observer ?? {};
  expect(cpuSeconds).toBeGreaterThan(0);
  expect(cpuSeconds / wallSeconds).toBeLessThan(0.1);

  const values = (id: string) => telemetry.series.find(one => one.source === id)?.values ?? [];
  const status = (id: string) => telemetry.sources.find(one => one.id === id)?.status;
  expect(values('sound').filter(value => value !== null).length).toBeGreaterThan(30);
  expect(status('sound')).toBe('ok');
  for (const id of ['garbage', 'gone', 'fifo', 'remote-lies', 'remote-throws', 'ptdaemon/analyser']) {
    expect(
      values(id).every(value => value === null),
      id,
    ).toBe(true);
  }
  for (const id of ['garbage', 'gone', 'fifo']) expect(status(id), id).toBe('stale');
  if (broken.hangs) {
    expect(values('hangs').length, 'one reading before it hangs').toBeLessThanOrEqual(2);
    expect(values('neighbour').length, 'the same library, other calls').toBeGreaterThan(10);
  }
});
