/** GEMM on the libraries that are here, driven and verified like our own kernels. */
import { afterEach, describe, expect, test } from 'vitest';
import { loadAddon } from '../../src/native/addon.ts';
import type { GemmOptions, NativeProblem } from '../../src/native/types.ts';

const addon = loadAddon();
const peers = addon.gemmPeers();
const open: NativeProblem[] = [];
afterEach(() => {
  for (const problem of open.splice(0)) problem.dispose();
});

function gemm(options: Partial<GemmOptions>): NativeProblem {
  const problem = addon.createGemm({ dtype: 'f32', m: 65, n: 130, k: 67, threads: 1, seed: 3, ...options });
  open.push(problem);
  return problem;
}

test('every peer is found, or says why not and what to do', () => {
  expect(peers.map(({ name }) => name)).toEqual([
    'openblas',
    'blis',
    'mkl',
    'armpl',
    'accelerate',
    'onednn',
    'libxsmm',
  ]);
  for (const { found, reason, remedy, path, version, threading, dtypes } of peers) {
    if (found) expect([path, version, threading].every(text => text !== '') && dtypes.length > 0).toBe(true);
    else expect(reason !== '' && remedy !== '').toBe(true);
  }
});

const driven = peers
  .filter(({ found }) => found)
  .flatMap(({ name, dtypes }) => dtypes.map(dtype => [name, dtype] as const));
const reason = driven.length === 0 ? ' (skipped: no BLAS library found; see `aibench list backends`)' : '';

describe.skipIf(driven.length === 0)(`peers${reason}`, () => {
  test.each(driven)('%s %s is right before and after it is timed, and damage is caught', async (backend, dtype) => {
    for (const threads of backend === 'libxsmm' ? [1] : [1, 2]) {
      const problem = gemm({ backend, dtype: dtype as 'f32', threads, narrowWeights: true });
      await problem.prepare();
      expect((await problem.runAndVerify()).passed).toBe(true);
      await problem.measure({
        maxWarmupSeconds: 0,
        minSampleSeconds: 0,
        targetSeconds: 0,
        minSamples: 2,
        maxSamples: 2,
      });
      expect((await problem.verify()).passed).toBe(true);
      expect(problem.facts()).toMatchObject({ backend, threads: String(threads) });
      expect(problem.facts().library).toMatch(/\//);
      problem.injectFault('stale-tile');
      expect((await problem.verify()).passed).toBe(false);
    }
  });
});

const onednn = peers.find(({ name, found }) => name === 'onednn' && found);
describe.skipIf(onednn === undefined)('oneDNN (skipped where it is not here)', () => {
  test.each(onednn?.dtypes ?? [])('packs its weights in %s', async dtype => {
    const problem = gemm({ backend: 'onednn', dtype: dtype as 'f32', weights: 'packed', narrowWeights: true });
    await problem.prepare();
    expect((await problem.runAndVerify()).passed).toBe(true);
    expect(problem.facts().kernel).toContain('packed weights');
  });

  test('int8 over the full range is exact, or the verification says that it is not', async () => {
    const exact = addon.cpuFeatures().flags.some(flag => /vnni/.test(flag));
    for (const dtype of ['s8', 'u8'] as const) {
      const problem = gemm({ backend: 'onednn', dtype });
      await problem.prepare();
      expect((await problem.runAndVerify()).passed).toBe(exact);
    }
  });

  test('is not asked for what it is not driven for', () => {
    expect(() => gemm({ backend: 'onednn', dtype: 's8', alpha: 2 })).toThrow(/single products as they stand/);
    expect(() => gemm({ backend: 'onednn', dtype: 'f16' })).toThrow(/f16/);
  });
});

test('a backend that does not exist, and one that is not here', () => {
  const thrown = (backend: string): unknown => {
    try {
      return gemm({ backend });
    } catch (error) {
      return error;
    }
  };
  expect(thrown('cublasx')).toMatchObject({ code: 'BACKEND_UNKNOWN', remedy: expect.stringContaining('openblas') });
  const absent = peers.find(({ found }) => !found);
  if (absent !== undefined) expect(thrown(absent.name)).toMatchObject({ code: expect.stringMatching(/^LIBRARY_/) });
});

test('both sides of the roofline are looked at between the samples of a measurement', async () => {
  const problem = gemm({});
  await problem.prepare();
  await problem.runAndVerify();
  await problem.measure({ maxWarmupSeconds: 0, minSampleSeconds: 0, targetSeconds: 0, minSamples: 3, maxSamples: 3 });
  expect(Object.keys(problem.ceilings())).toEqual(['fma_flops_per_second', 'operand_bytes_per_second']);
  expect(Math.min(...Object.values(problem.ceilings()))).toBeGreaterThan(0);
});
