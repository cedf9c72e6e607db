import { mkdtempSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { AibenchError } from '../../../src/errors.ts';
import { runSeconds } from '../../../src/runner/expected-time.ts';
import { caseId } from '../../../src/suite/expand.ts';
import { builtinSuites, loadSuite } from '../../../src/suite/load.ts';
import { selectCases } from '../../../src/suite/select.ts';

const nothing = { settings: [], filters: [], models: [], launches: undefined };
const twoCores = { usableCores: 2, memoryBytes: 16e9, caches: [] };

function suiteFile(yaml: string): string {
  const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'aibench-suite-')), 'my.yaml');
  writeFileSync(file, yaml);
  return file;
}

function errorOf(action: () => unknown): AibenchError {
  try {
    action();
  } catch (error) {
    return error as AibenchError;
  }
  throw new Error('nothing was thrown');
}

const head = 'schema: aibench.suite/1\nname: my\nsummary: mine\n';

describe('the suites that come with aibench', () => {
  it.each(builtinSuites())('%s loads and expands into cases with ids of their own', name => {
    const { cases } = selectCases(name, nothing);
    expect(cases.length).toBeGreaterThan(0);
    expect(new Set(cases.map(item => item.id)).size).toBe(cases.length);
  });

  it.each(builtinSuites())('%s: the id of a case does not depend on how its suite writes it', name => {
    for (const { id, workload, params, backend } of selectCases(name, nothing).cases) {
      const otherWay = Object.fromEntries(Object.entries(params).reverse());
      expect(caseId(workload.name, workload.params.parse(otherWay), backend)).toBe(id);
    }
  });

  it.each([
    ['smoke', 20],
    ['quick', 90],
    ['node', 660],
  ])('%s is expected to take at most %d s on 2 cores', (name, seconds) => {
    const { suite, cases } = selectCases(name, nothing);
    expect(runSeconds(cases, twoCores, suite.value.idleSeconds)).toBeLessThanOrEqual(seconds);
  });

  it.each(builtinSuites())('%s says in its header what it answers', name => {
    expect(loadSuite(name).source).toMatch(/^# [\w-]+: /);
  });
});

describe('expansion', () => {
  it('takes every combination of a matrix, and sets that belong together', () => {
    const file = suiteFile(
      `${head}cases:\n  - workload: gemm\n    each: [{ m: 8, n: 8, k: 8 }, { m: 16, n: 4, k: 2 }]\n    matrix: { dtype: [f32, f64], threads: [1, all] }\n`,
    );
    const { cases } = selectCases(file, nothing);
    expect(cases).toHaveLength(8);
    expect(cases[0]?.id).toBe('gemm/dtype=f32,m=8,n=8,k=8,threads=1/backend=native');
  });

  it('gives the same id for a default that is written out and one that is not', () => {
    const short = suiteFile(`${head}cases:\n  - { workload: gemm, params: { m: 8, n: 8, k: 8 } }\n`);
    const long = suiteFile(
      `${head}cases:\n  - { workload: gemm, params: { k: 8, threads: all, n: 8, m: 8, dtype: f32 } }\n`,
    );
    expect(selectCases(short, nothing).cases[0]?.id).toBe(selectCases(long, nothing).cases[0]?.id);
  });

  it('lets an override change parameters, timing and launches of what it names, and leave cases out', () => {
    const file = suiteFile(
      `${head}launches: 2
cases:
  - workload: gemm
    params: { n: 8, k: 8, threads: 1 }
    matrix: { m: [1, 2, 3] }
    overrides:
      - { when: { m: 2 }, launches: 7, timing: { targetSeconds: 9 }, params: { k: 16 } }
      - { when: { m: 3 }, skip: true }
`,
    );
    const { cases } = selectCases(file, nothing);
    expect(cases.map(({ launches, timing, params }) => [launches, timing.targetSeconds, params.k])).toEqual([
      [2, 0.5, 8],
      [7, 9, 16],
    ]);
  });

  it('reads sizes with binary units', () => {
    const file = suiteFile(`${head}cases:\n  - { workload: allreduce, params: { bytes: 64KiB } }\n`);
    expect(selectCases(file, nothing).cases[0]?.params.bytes).toBe(65_536);
  });
});

describe('what is wrong is said with file, line and a hint', () => {
  it.each([
    [
      'a misspelt key',
      `${head}launchs: 3\ncases: [{ workload: peak }]\n`,
      /my\.yaml:4:1: unknown key `launchs`; did you mean `launches`\?/,
    ],
    [
      'a misspelt workload',
      `${head}cases:\n  - workload: gem\n`,
      /my\.yaml:5:\d+: unknown workload `gem`; did you mean `gemm`\?/,
    ],
    [
      'a misspelt parameter',
      `${head}cases:\n  - workload: gemm\n    params: { m: 8, n: 8, k: 8, thread: 1 }\n`,
      /my\.yaml:6:\d+: gemm: unknown key `thread`; did you mean `threads`\?/,
    ],
    [
      'a negative size',
      `${head}cases:\n  - workload: gemm\n    params: { m: -8, n: 8, k: 8 }\n`,
      /my\.yaml:6:\d+: gemm: `m`/,
    ],
    [
      'a backend that it does not have',
      `${head}cases:\n  - { workload: gemm, backend: cuda, params: { m: 8, n: 8, k: 8 } }\n`,
      /no backend `cuda`/,
    ],
    ['a case twice', `${head}cases: [{ workload: peak }, { workload: peak }]\n`, /stands in the suite twice/],
    ['a duplicate key', `${head}name: other\ncases: [{ workload: peak }]\n`, /my\.yaml:4:1: .*unique/i],
    ['broken YAML', `${head}cases: [\n`, /my\.yaml:\d+:\d+: /],
    ['no cases', `${head}cases: []\n`, /cases/],
    ['another schema', 'schema: aibench.suite/9\nname: x\nsummary: y\ncases: [{ workload: peak }]\n', /schema/],
    [
      'a size that is none',
      `${head}cases:\n  - { workload: allreduce, params: { bytes: 5 parsecs } }\n`,
      /is not a size in bytes/,
    ],
  ])('%s', (_name, yaml, message) => {
    const error = errorOf(() => selectCases(suiteFile(yaml), nothing));
    expect(error).toMatchObject({ name: 'AibenchError', exitCode: 2 });
    expect(error.message).toMatch(message);
    expect(error.remedy).not.toBe('');
  });

  it('an unknown suite names the nearest', () => {
    expect(errorOf(() => loadSuite('quik'))).toMatchObject({
      code: 'SUITE_UNKNOWN',
      message: expect.stringContaining('did you mean `quick`?'),
    });
  });
});

describe('--set, --filter, --launches, --model', () => {
  it('--set changes timing, launches and parameters, over what a case says for itself', () => {
    const { cases } = selectCases('smoke', {
      ...nothing,
      settings: ['timing.targetSeconds=2', 'launches=4', 'params.threads=1'],
    });
    expect(cases.every(({ timing, launches }) => timing.targetSeconds === 2 && launches === 4)).toBe(true);
    expect(cases.filter(({ workload }) => workload.name === 'gemm').every(({ params }) => params.threads === 1)).toBe(
      true,
    );
  });

  it.each([
    ['timing.targetSecond=2', /did you mean `timing.targetSeconds`\?/],
    ['params.thread=2', /did you mean `threads`\?/],
    ['nonsense', /key=value/],
    ['launches=-1', /launches=-1: it must be at least 1\./],
    ['launches=0.5', /it must be a whole number\./],
    ['parms.threads=2', /did you mean `params.threads`\?/],
    ['params.threads=-2', /^--set params\.threads=-2: for \w+ /],
  ])('--set %s is refused', (setting, message) => {
    const error = errorOf(() => selectCases('smoke', { ...nothing, settings: [setting] }));
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(2);
  });

  it('a model that is named twice is refused by its own name', () => {
    const models = ['package.json', './package.json'];
    expect(errorOf(() => selectCases('smoke', { ...nothing, models }))).toMatchObject({
      ...{ code: 'MODEL_REPEATED', exitCode: 2 },
      message: '--model ./package.json is given twice.',
    });
  });

  it('--filter keeps what matches any pattern, and refuses to leave nothing', () => {
    const { cases } = selectCases('smoke', { ...nothing, filters: ['gemm/*f64', 'latency'] });
    expect(cases.map(({ workload }) => workload.name).sort()).toEqual(['gemm', 'memory']);
    expect(errorOf(() => selectCases('smoke', { ...nothing, filters: ['tpu'] }))).toMatchObject({
      code: 'FILTER_EMPTY',
      exitCode: 2,
    });
  });

  it('--launches wins over every entry', () => {
    expect(selectCases('node', { ...nothing, launches: 2 }).cases.every(item => item.launches === 2)).toBe(true);
  });

  it('--model adds an inference case for the file', () => {
    const file = path.join(mkdtempSync(path.join(os.tmpdir(), 'aibench-model-')), 'my.onnx');
    writeFileSync(file, '');
    const { cases } = selectCases('smoke', { ...nothing, models: [file], filters: ['my.onnx'] });
    expect(cases).toHaveLength(1);
    expect(cases[0]?.workload.name).toBe('inference');
  });
});
