import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import type { SamplerChannel } from '../../src/native/types.ts';

const native = loadAddon();
const folder = mkdtempSync(path.join(tmpdir(), 'aibench-sampler-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const full = path.join(folder, name);
  writeFileSync(full, text);
  return full;
}

function channel(id: string, read: SamplerChannel['read'], more: Partial<SamplerChannel> = {}): SamplerChannel {
  return { id, read, scale: 1, periodSeconds: 0.005, capacity: 10_000, ...more };
}

test('every kind of file channel gives its number, scaled, at times on the clock of now()', async () => {
  const stat = file('stat', 'cpu  10 20 30 400 50 6 7 8 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\nctxt 1234\nprocs_running 3\n');
  const expected = new Map<string, number>();
  const channels: SamplerChannel[] = [];
  const add = (value: number, one: SamplerChannel): void => {
    expected.set(one.id, value);
    channels.push(one);
  };
  add(1.5, channel('energy', { type: 'file', path: file('energy_uj', '1500000\n') }, { scale: 1e-6 }));
  add(0.3, channel('user', { type: 'procStat', path: stat, field: 'user' }, { scale: 0.01 }));
  add(531, channel('total', { type: 'procStat', path: stat, field: 'total' }));
  add(8, channel('steal', { type: 'procStat', path: stat, field: 'steal' }));
  add(1234, channel('ctxt', { type: 'procStatLine', path: stat, key: 'ctxt' }));
  add(0.25, channel('load', { type: 'loadavg', path: file('loadavg', '0.25 0.5 0.75 1/200 4711\n') }));
  const cpuStat = file('cpu.stat', 'usage_usec 9\nnr_throttled 2\nthrottled_usec 77\n');
  add(77, channel('throttled', { type: 'keyedFile', path: cpuStat, key: 'throttled_usec' }));
  const [volts, amperes] = [file('in1_input', '19000\n'), file('curr1_input', '520\n')];
  add(9.88, channel('rail', { type: 'product', path: volts, otherPath: amperes }, { scale: 1e-6 }));
  const sampler = native.createSampler(channels, []);
  const begin = native.now();
  sampler.start();
  await sleep(200);
  sampler.stop();
  const end = native.now();
  const readings = sampler.drain();
  for (const [id, value] of expected) {
    const one = readings[id];
    expect(one?.values.length, id).toBeGreaterThan(1);
    expect(one?.timeSeconds.length).toBe(one?.values.length);
    for (const number of one?.values ?? []) expect(number).toBeCloseTo(value, 9);
    let last = begin;
    for (const time of one?.timeSeconds ?? []) {
      expect(time).toBeGreaterThanOrEqual(last);
      last = time;
    }
    expect(last).toBeLessThanOrEqual(end);
  }
  expect(readings.total?.timeSeconds).toEqual(readings.steal?.timeSeconds); // one read of the file serves both
  const stats = sampler.stats();
  expect(stats.channels.every(one => one.failures === 0 && one.lost === 0 && one.lastError === '')).toBe(true);
  expect(stats.cpuSeconds).toBeGreaterThan(0);
  expect(stats.cpuSeconds).toBeLessThan(end - begin);
  expect(Object.values(sampler.drain()).every(one => one.values.length === 0)).toBe(true);
});

test('a failed read is NaN, counted, with its reason; never 0', async () => {
  const missing = path.join(folder, 'missing');
  const fifo = path.join(folder, 'fifo');
  execFileSync('mkfifo', [fifo]);
  const sampler = native.createSampler(
    [
      channel('missing', { type: 'file', path: missing }),
      channel('words', { type: 'file', path: file('words', 'max\n') }),
      channel('no-key', { type: 'keyedFile', path: file('keys', 'a 1\n'), key: 'b' }),
      channel('fifo', { type: 'file', path: fifo }),
      channel('no-gpu', { type: 'nvml', device: 0, quantity: 'power' }),
      channel('half', { type: 'product', path: file('volts', '5000\n'), otherPath: missing }),
      channel('well', { type: 'file', path: file('well', '5\n') }),
    ],
    ['libno-such-nvml.so.1'],
  );
  sampler.start();
  await sleep(100);
  sampler.stop();
  const readings = sampler.drain();
  const stats = sampler.stats();
  for (const { id, reads, failures, lastError } of stats.channels) {
    expect(reads, id).toBeGreaterThan(0);
    expect(readings[id]?.values.length).toBe(reads);
    expect(failures, id).toBe(id === 'well' ? 0 : reads);
    expect(
      readings[id]?.values.every(value => Number.isNaN(value) === (id !== 'well')),
      id,
    ).toBe(true);
    if (id === 'missing' || id === 'half') expect(lastError).toMatch(/^ENOENT: /);
    if (id === 'fifo') expect(lastError).toMatch(/^ESPIPE: /);
    if (id === 'words') expect(lastError).toBe('the text holds no such number');
    if (id === 'no-gpu') expect(lastError).toBe('NVML_ERROR_UNINITIALIZED');
  }
});

test('what is not drained in time is lost and counted, the newest kept', async () => {
  const uptime = { type: 'file', path: '/proc/uptime' } as const;
  const sampler = native.createSampler([channel('c', uptime, { periodSeconds: 0.001, capacity: 5 })], []);
  sampler.start();
  await sleep(150);
  sampler.stop();
  const values = sampler.drain().c?.values ?? new Float64Array();
  const stats = sampler.stats().channels[0];
  expect(values.length).toBe(5);
  expect(stats?.lost).toBe((stats?.reads ?? 0) - 5);
});

test('start, drain and stop may come in any order, and a sampler may be dropped while it runs', async () => {
  const make = () => native.createSampler([channel('c', { type: 'file', path: '/proc/uptime' })], []);
  const sampler = make();
  sampler.stop();
  expect(sampler.drain().c?.values.length).toBe(0);
  for (let i = 0; i < 5; ++i) {
    sampler.start();
    sampler.start();
    sampler.drain();
    sampler.stop();
    sampler.stop();
  }
  for (let i = 0; i < 20; ++i) make().start();
  await sleep(50);
});

test('channels that make no sense are refused', () => {
  const bad = expect.objectContaining({ code: 'BAD_OPTION', remedy: expect.stringMatching(/./) });
  const uptime = { type: 'file', path: '/proc/uptime' } as const;
  const create = (channels: SamplerChannel[]) => () => native.createSampler(channels, []);
  expect(create([channel('twice', uptime), channel('twice', uptime)])).toThrow(bad);
  expect(create([channel('c', uptime, { periodSeconds: 0 })])).toThrow(bad);
  expect(create([channel('c', uptime, { capacity: 0 })])).toThrow(bad);
  expect(create([{ ...channel('c', uptime), read: JSON.parse('{"type":"socket","path":"x"}') }])).toThrow(bad);
});
