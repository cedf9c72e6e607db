import { expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import { COLLECTIVES, type CollectiveOptions } from '../../src/native/types.ts';

const native = loadAddon();
const QUICK = { maxWarmupSeconds: 0.01, minSampleSeconds: 1e-4, targetSeconds: 0.01, minSamples: 3, maxSamples: 200 };
const base = { collective: 'allreduce', dtype: 'f32', op: 'sum', bytes: 4096, ranks: 2, seed: 1 } as const;

test('the table names each algorithm once, and has one for each collective', () => {
  const rows = native.collectiveAlgorithms().map(({ collective, name }) => `${collective} ${name}`);
  expect(new Set(rows).size).toBe(rows.length);
  for (const collective of COLLECTIVES) {
    expect(rows).toEqual(expect.arrayContaining([`${collective} direct`, `${collective} staged`]));
  }
});

test.each(COLLECTIVES)('%s is exact at every rank, and damage is seen', async collective => {
  for (const options of [
    { ranks: 2, bytes: 2048 },
    { ranks: 3, bytes: 12 * 1001, dtype: 'bf16' },
    { ranks: 2, bytes: 80_000, processes: true, privateBuffers: true },
  ] as const) {
    const problem = native.createCollective({ ...base, ...options, collective });
    await problem.prepare();
    expect(await problem.runAndVerify(), collective).toMatchObject({ passed: true, error: 0 });
    const measured = await problem.measure(QUICK);
    expect(measured.rankSamplesSeconds.map(samples => samples.length)).toEqual(
      Array.from({ length: options.ranks }, () => measured.samplesSeconds.length),
    );
    expect((await problem.verify()).passed).toBe(true);
    for (const kind of problem.faultKinds()) {
      problem.injectFault(kind);
      expect((await problem.verify()).passed, `${collective} ${kind}`).toBe(false);
      expect((await problem.runAndVerify()).passed).toBe(true);
    }
    expect(problem.facts()).toMatchObject({ collective, ranks: String(options.ranks) });
    problem.dispose();
  }
});

test('ceilings are above what was reached, and the placement is in the facts', async () => {
  const problem = native.createCollective({ ...base, bytes: 1 << 20 });
  await problem.prepare();
  await problem.runAndVerify();
  const ceilings = await problem.measureCeilings();
  const facts = problem.facts();
  problem.dispose();
  if (facts.oversubscribed === 'true') return expect(ceilings).toEqual({});
  expect(ceilings.algorithm_bandwidth_bound).toBeGreaterThan(0);
  expect(Number(facts.oneWayNanosecondsBefore)).toBeGreaterThan(1);
});

test('what cannot be is refused with a code and a remedy', () => {
  const create = (change: Partial<CollectiveOptions>) => () => native.createCollective({ ...base, ...change });
  const bad = expect.objectContaining({ code: 'BAD_OPTION', remedy: expect.stringMatching(/./) });
  expect(create({ bytes: 6 })).toThrow(bad);
  expect(create({ ranks: 0 })).toThrow(bad);
  expect(create({ algorithm: 'gossip' })).toThrow(bad);
  expect(create({ algorithm: 'direct', privateBuffers: true })).toThrow(bad);
});
