import { spawnSync } from 'node:child_process';
import path from 'node:path';
import process from 'node:process';
import { afterEach, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import {
  GEMM_DTYPES,
  type GemmOptions,
  type MeasureOptions,
  type NativeError,
  type NativeProblem,
} from '../../src/native/types.ts';

const addon = loadAddon();
const quick: MeasureOptions = {
  maxWarmupSeconds: 0.05,
  minSampleSeconds: 0.0002,
  targetSeconds: 0.02,
  minSamples: 3,
  maxSamples: 1000,
};
const small: GemmOptions = { dtype: 'f32', m: 65, n: 67, k: 63, threads: 2, seed: 7 };

const open: NativeProblem[] = [];
function gemm(options: Partial<GemmOptions> = {}): NativeProblem {
  const problem = addon.createGemm({ ...small, ...options });
  open.push(problem);
  return problem;
}
afterEach(() => {
  for (const problem of open.splice(0)) problem.dispose();
});

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'resolved',
    (error: NativeError) => {
      expect(error.message).not.toContain('\n');
      expect(error.message.length).toBeGreaterThan(10);
      return error.code;
    },
  );
}
function thrown(call: () => unknown): NativeError {
  try {
    call();
  } catch (error) {
    return error as NativeError;
  }
  throw new Error('nothing was thrown');
}

describe.each(GEMM_DTYPES)('gemm %s', dtype => {
  const isas = addon.buildInfo().kernels.filter(kernel => kernel.supported && kernel.dtype === dtype);

  test.each([...new Set(isas.map(kernel => kernel.isa))])('is right on %s, before and after it is timed', async isa => {
    const problem = gemm({ dtype, isa });
    await problem.prepare();
    expect((await problem.runAndVerify()).passed).toBe(true);
    const measurement = await problem.measure(quick);
    expect(measurement.complete).toBe(true);
    expect(measurement.samplesSeconds.length).toBeGreaterThanOrEqual(3);
    const verification = await problem.verify();
    expect(verification.passed).toBe(true);
    expect(verification.error).toBeLessThanOrEqual(verification.tolerance);
    expect(problem.facts().isa).toBe(isa);
    expect(problem.work().flops).toBe(2 * 65 * 67 * 63);
  });

  const narrow = isas.filter(kernel => kernel.name.includes('narrow'));
  test.each(narrow.map(kernel => kernel.name))('has %s for weights in [-64, 63], and for no others', async name => {
    const isa = narrow.find(kernel => kernel.name === name)?.isa ?? 'scalar';
    const problem = gemm({ dtype, isa, narrowWeights: true });
    await problem.prepare();
    expect(problem.facts().kernel).toBe(name);
    expect((await problem.runAndVerify()).passed).toBe(true);
    expect(gemm({ dtype, isa }).facts().kernel).not.toBe(name);
  });

  test('every kind of damage is caught and mended by the next run', async () => {
    const problem = gemm({ dtype });
    await problem.prepare();
    expect(problem.faultKinds()).toEqual(['flip', 'value', 'stale-tile']);
    for (const kind of problem.faultKinds()) {
      expect((await problem.runAndVerify()).passed).toBe(true);
      problem.injectFault(kind);
      expect((await problem.verify()).passed, kind).toBe(false);
    }
  });

  test('the peak probe ends at the closed form of its accumulators', async () => {
    const problem = addon.createPeak({ dtype, threads: 2 });
    open.push(problem);
    await problem.prepare();
    expect(await problem.runAndVerify()).toMatchObject({ passed: true, error: 0, tolerance: 0 });
    await problem.measure(quick);
    expect((await problem.verify()).passed).toBe(true);
    problem.injectFault('value');
    expect((await problem.verify()).passed).toBe(false);
  });
});

test.each(['2:4', 'block', 'int4'] as const)(
  'weights %s: right, and the work that is done is counted',
  async weights => {
    const problem = gemm({ weights, k: 256 });
    await problem.prepare();
    expect((await problem.runAndVerify()).passed).toBe(true);
    const { flops, items } = problem.work();
    expect(items).toBe(2 * 65 * 67 * 256);
    expect(flops).toBe(weights === 'int4' ? items : items / 2);
    await problem.measure(quick);
    expect((await problem.verify()).passed).toBe(true);
    expect(thrown(() => gemm({ weights, dtype: 'f64' }))).toMatchObject({ code: 'DTYPE_UNSUPPORTED' });
  },
);

const optionCases: Partial<GemmOptions>[] = [
  { transposeA: true, transposeB: true, alpha: -3 },
  { transposeB: true, beta: 1, alpha: 2 },
  { beta: -1 },
  { batch: 5 },
  { batch: 7, scattered: true, transposeA: true, beta: 1 },
  { weights: 'packed', transposeB: true },
];
describe.each(['f32', 's8'] as const)('options of gemm in %s', dtype => {
  test.each(optionCases)('%o: right after one run and after many, and damage is caught', async options => {
    const problem = gemm({ dtype, ...options });
    await problem.prepare();
    expect((await problem.runAndVerify()).passed).toBe(true);
    expect(problem.work().flops).toBe(2 * 65 * 67 * 63 * (options.batch ?? 1));
    await problem.measure(quick);
    expect((await problem.verify()).passed).toBe(true);
    problem.injectFault('value');
    expect((await problem.verify()).passed).toBe(false);
  });
});

test('options that do not go together are refused with a reason', () => {
  expect(thrown(() => gemm({ weights: 'packed', batch: 2 }))).toMatchObject({ code: 'BAD_OPTION' });
  expect(thrown(() => gemm({ weights: '2:4', transposeB: true }))).toMatchObject({ code: 'BAD_OPTION' });
  expect(thrown(() => gemm({ beta: 1.5 }))).toMatchObject({ code: 'BAD_OPTION' });
  expect(thrown(() => gemm({ alpha: 0 }))).toMatchObject({ code: 'BAD_OPTION' });
  expect(thrown(() => gemm({ dtype: 's8', alpha: 0.5 }))).toMatchObject({ code: 'BAD_OPTION' });
});

describe('the timed loop', () => {
  test('samples are batches and lie in the window', async () => {
    const problem = gemm({ threads: 1 });
    await problem.prepare();
    const m = await problem.measure(quick);
    const sum = m.samplesSeconds.reduce((a, b) => a + b, 0);
    expect(Math.min(...m.samplesSeconds)).toBeGreaterThan(0);
    expect(m.windowEnd - m.windowStart).toBeGreaterThanOrEqual(sum * 0.999);
    expect(m.windowEnd).toBeLessThanOrEqual(addon.now());
    // A product of this size takes microseconds: a sample of 0.2 ms is a batch.
    expect(m.iterationsPerSample).toBeGreaterThan(1);
  });

  test('stop() ends it early with what there is, and the event loop stays free', async () => {
    const problem = gemm({ m: 256, n: 256, k: 256 });
    await problem.prepare();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const running = problem.measure({ ...quick, targetSeconds: 60 });
    await new Promise(resolve => setTimeout(resolve, 150));
    problem.stop();
    const measurement = await running;
    clearInterval(timer);
    expect(measurement.complete).toBe(false);
    expect(measurement.samplesSeconds.length).toBeGreaterThan(0);
    expect(ticks).toBeGreaterThan(5);
    expect((await problem.verify()).passed).toBe(true);
  });

  test('dispose() while measuring returns at once and the promise still settles', async () => {
    const problem = gemm({ m: 512, n: 512, k: 512 });
    await problem.prepare();
    const running = problem.measure({ ...quick, targetSeconds: 60 });
    await new Promise(resolve => setTimeout(resolve, 50));
    problem.dispose();
    problem.dispose();
    expect((await running).complete).toBe(false);
    expect(await codeOf(problem.prepare())).toBe('PROBLEM_DISPOSED');
  });
});

describe('what cannot be done says so', () => {
  test('calls out of order and overlapping calls', async () => {
    const problem = gemm();
    expect(await codeOf(problem.measure(quick))).toBe('PROBLEM_NOT_PREPARED');
    const first = problem.prepare();
    expect(await codeOf(problem.prepare())).toBe('PROBLEM_BUSY');
    await first;
    expect(await codeOf(problem.verify())).toBe('PROBLEM_NOT_RUN');
    expect(thrown(() => problem.injectFault('flip')).code).toBe('PROBLEM_NOT_RUN');
    await problem.runAndVerify();
    expect(thrown(() => problem.injectFault('no-such-kind'))).toMatchObject({ code: 'UNKNOWN_FAULT' });
    expect(await codeOf(problem.measure({ ...quick, targetSeconds: Number.NaN }))).toBe('BAD_OPTION');
  });

  test.each([
    ['a negative size', { m: -1 }, 'BAD_OPTION'],
    ['half an element', { n: 1.5 }, 'BAD_OPTION'],
    ['no depth', { k: 0 }, 'BAD_OPTION'],
    ['no threads', { threads: 0 }, 'BAD_OPTION'],
    ['an unknown dtype', { dtype: 'f7' as 'f32' }, 'DTYPE_UNKNOWN'],
    ['int8 so deep that s32 could overflow', { dtype: 's8' as const, k: 65536 }, 'BAD_OPTION'],
    ['an unknown ISA', { isa: 'sse9' as 'avx2' }, 'ISA_UNKNOWN'],
  ])('%s', (_name, options, code) => {
    expect(thrown(() => gemm(options)).code).toBe(code);
  });

  test('an ISA that this CPU lacks', () => {
    const { isas } = addon.cpuFeatures();
    const lacking = (['neon', 'avx2', 'avx512f'] as const).find(isa => !isas.includes(isa));
    if (lacking === undefined) throw new Error('a CPU with every ISA');
    const error = thrown(() => gemm({ isa: lacking }));
    expect(error).toMatchObject({ code: 'ISA_UNSUPPORTED' });
    expect(error.message).toContain(lacking);
    expect(error.message).toContain('scalar');
    expect(error.remedy).toContain('scalar');
  });

  test('a size that cannot fit in memory, before any of it is touched', async () => {
    const problem = gemm({ m: 1 << 20, n: 1 << 20, k: 1 << 20 });
    const before = process.memoryUsage().rss;
    await expect(problem.prepare()).rejects.toMatchObject({ code: 'OUT_OF_MEMORY' });
    expect(process.memoryUsage().rss - before).toBeLessThan(64 << 20);
  });
});

test('AIBENCH_ISA forces the path, and a path that the CPU lacks is an error', () => {
  // In a process of its own, which finds the addon as this one did.
  const built = path.join(packageRoot, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');
  const script = `
    const addon = require(${JSON.stringify(path.resolve(process.env.AIBENCH_ADDON ?? built))});
    try {
      const problem = addon.createGemm(${JSON.stringify(small)});
      console.log(problem.facts().isa);
      problem.dispose();
    } catch (error) { console.log(error.code, error.message); }`;
  const run = (isa: string) =>
    spawnSync(process.execPath, ['-e', script], { env: { ...process.env, AIBENCH_ISA: isa }, encoding: 'utf8' });
  const scalar = run('scalar');
  expect(scalar.stdout.trim()).toBe('scalar');
  expect(run('neon9').stdout).toContain('ISA_UNKNOWN');
});
