import { expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';

const native = loadAddon();
const QUICK = { maxWarmupSeconds: 0.02, minSampleSeconds: 1e-4, targetSeconds: 0.02, minSamples: 3, maxSamples: 200 };

test('the table names each algorithm once', () => {
  const names = native.allreduceAlgorithms();
  expect(new Set(names).size).toBe(names.length);
  expect(names).toEqual(expect.arrayContaining(['mailbox', 'direct', 'recursive-doubling', 'ring']));
});

test.each(native.allreduceAlgorithms())('%s is exact at every rank, and damage is seen', async algorithm => {
  for (const [ranks, bytes] of [
    [1, 40],
    [2, 4],
    [3, 4 * 1001],
    [5, 12],
    [4, 4 * 70_001],
  ] as const) {
    const problem = native.createAllreduce({ dtype: 'f32', op: 'sum', bytes, ranks, seed: bytes, algorithm });
    await problem.prepare();
    expect(await problem.runAndVerify(), `${ranks} ranks, ${bytes} B`).toMatchObject({ passed: true, error: 0 });
    await problem.measure(QUICK);
    expect((await problem.verify()).passed).toBe(true);
    for (const kind of ['flip', 'skipped-rank', 'stale-chunk']) {
      problem.injectFault(kind);
      expect((await problem.verify()).passed, kind).toBe(false);
      expect((await problem.runAndVerify()).passed).toBe(true);
    }
    expect(problem.work().bytes).toBe(bytes);
    expect(problem.facts()).toMatchObject({ algorithm, ranks: String(ranks), messageBytes: String(bytes) });
    expect(Number(problem.facts().busFactor)).toBeCloseTo((2 * (ranks - 1)) / ranks, 5);
    problem.dispose();
  }
});

test('small messages go by mailbox, large ones directly', () => {
  for (const [bytes, algorithm] of [
    [8, 'mailbox'],
    [2 ** 20, 'direct'],
  ] as const) {
    const problem = native.createAllreduce({ dtype: 'f32', op: 'sum', bytes, ranks: 2, seed: 0 });
    expect(problem.facts().algorithm).toBe(algorithm);
    problem.dispose();
  }
});

test('an empty message is exchanged by doing nothing', async () => {
  const problem = native.createAllreduce({ dtype: 'f32', op: 'sum', bytes: 0, ranks: 3, seed: 0 });
  await problem.prepare();
  expect((await problem.runAndVerify()).passed).toBe(true);
  problem.dispose();
});

test('what cannot be is refused with a code and a remedy', () => {
  const create = (bytes: number, ranks: number, algorithm: string) => () =>
    native.createAllreduce({ dtype: 'f32', op: 'sum', bytes, ranks, seed: 0, algorithm });
  const bad = expect.objectContaining({ code: 'BAD_OPTION', remedy: expect.stringMatching(/./) });
  expect(create(6, 2, 'direct')).toThrow(bad);
  expect(create(8, 0, 'direct')).toThrow(bad);
  expect(create(8, 2, 'gossip')).toThrow(bad);
});
