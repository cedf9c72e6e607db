import { expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';

const native = loadAddon();
const QUICK = { maxWarmupSeconds: 0.02, minSampleSeconds: 1e-4, targetSeconds: 0.02, minSamples: 3, maxSamples: 200 };

test.each(['copy', 'scale', 'add', 'triad'] as const)(
  'STREAM %s is timed, right, and its damage is seen',
  async kernel => {
    const bytesPerArray = 8 * 10_007;
    const stream = native.createStream({ kernel, bytesPerArray, threads: 2, seed: 3 });
    await stream.prepare();
    expect(await stream.runAndVerify()).toMatchObject({ passed: true, error: 0 });
    const { samplesSeconds, complete } = await stream.measure(QUICK);
    expect(complete).toBe(true);
    expect(samplesSeconds.every(seconds => seconds > 0)).toBe(true);
    expect((await stream.verify()).passed).toBe(true);
    const arrays = kernel === 'copy' || kernel === 'scale' ? 2 : 3;
    expect(stream.work().bytes).toBe(arrays * bytesPerArray);
    expect(stream.facts()).toMatchObject({ kernel, nonTemporalStores: 'false', bytesPerArray: String(bytesPerArray) });
    expect(stream.faultKinds()).toEqual(['flip', 'stale', 'skipped-thread']);
    for (const kind of stream.faultKinds()) {
      stream.injectFault(kind);
      expect((await stream.verify()).passed, kind).toBe(false);
      expect((await stream.runAndVerify()).passed).toBe(true);
    }
    stream.dispose();
  },
);

test('arrays beyond the last-level cache are written with non-temporal stores where the ISA has them', async () => {
  const stream = native.createStream({ kernel: 'copy', bytesPerArray: 8, threads: 1, seed: 0 });
  const llc = Number(stream.facts().lastLevelCacheBytes);
  stream.dispose();
  const large = native.createStream({ kernel: 'copy', bytesPerArray: llc, threads: 1, seed: 0 });
  expect(large.facts().nonTemporalStores).toBe(large.facts().isa === 'scalar' ? 'false' : 'true');
  large.dispose();
});

test('reading counts the bytes of its threads and proves what it read', async () => {
  const read = native.createRead({ bytes: 3 * 10_000, threads: 3, seed: 5 });
  await read.prepare();
  expect((await read.runAndVerify()).passed).toBe(true);
  await read.measure(QUICK);
  expect(read.work().bytes).toBe(3 * 9984); // whole steps of 256 bytes
  for (const kind of read.faultKinds()) {
    read.injectFault(kind);
    expect((await read.verify()).passed, kind).toBe(false);
    expect((await read.runAndVerify()).passed).toBe(true);
  }
  read.dispose();
});

test('the pointer chase counts its loads and proves its walk', async () => {
  const chase = native.createPointerChase({ bytes: 2 ** 20, seed: 7 });
  await chase.prepare();
  expect((await chase.runAndVerify()).passed).toBe(true);
  const { samplesSeconds, iterationsPerSample } = await chase.measure(QUICK);
  const loads = chase.work().items * iterationsPerSample;
  // No load is faster than a tenth of a nanosecond.
  expect(Math.min(...samplesSeconds) / loads).toBeGreaterThan(1e-10);
  expect((await chase.verify()).passed).toBe(true);
  for (const kind of chase.faultKinds()) {
    await chase.prepare();
    expect((await chase.runAndVerify()).passed).toBe(true);
    chase.injectFault(kind);
    expect((await chase.verify()).passed, kind).toBe(false);
  }
  chase.dispose();
});

test('what cannot be is refused with a code and a remedy', async () => {
  const bad = expect.objectContaining({ code: 'BAD_OPTION', remedy: expect.stringMatching(/./) });
  expect(() => native.createStream({ kernel: 'copy', bytesPerArray: 12, threads: 1, seed: 0 })).toThrow(bad);
  expect(() => native.createStream({ kernel: 'copy', bytesPerArray: 64, threads: 0, seed: 0 })).toThrow(bad);
  expect(() => native.createPointerChase({ bytes: 64, seed: 0 })).toThrow(bad);
  const huge = native.createStream({ kernel: 'copy', bytesPerArray: 2 ** 50, threads: 1, seed: 0 });
  await expect(huge.prepare()).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
  huge.dispose();
});
