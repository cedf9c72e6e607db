import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../../src/host/inventory.ts';
import type { ResultDocument, Series } from '../../../src/results/schema.ts';
import type { RunEvent } from '../../../src/runner/events.ts';
import type { LaunchOptions, LaunchOutcome } from '../../../src/runner/launch.ts';
import { runSuite } from '../../../src/runner/run-suite.ts';
import { SampleTags } from '../../../src/runner/sample-tags.ts';
import { selectCases } from '../../../src/suite/select.ts';
import type { Recorder } from '../../../src/telemetry/recorder.ts';

const inventory = {
  host: {
    cpu: { logicalCores: 2, usableCores: 2, numaNodes: 1 },
    container: null,
    state: {
      stealFraction: 0,
      loadAverage: [0],
      governor: null,
      temperatureCelsius: null,
      numaBalancing: null,
      environment: {},
    },
  },
  machine: { usableCores: 2, memoryBytes: 8e9, caches: [] },
  observed: { foreignCores: 0, swapUsedBytes: 0, identityBasis: 'machine', unanswered: [] },
} as unknown as Inventory;

const recorder: Recorder = {
  pause: () => {},
  resume: () => {},
  setEffect: () => {},
  live: () => ({ watts: null, temperatureCelsius: null, latest: {} }),
  keep: () => {},
  coveredUntil: () => null,
  snapshot: () => ({ sources: [], series: [], observer: null }),
  stop: () => ({ sources: [], series: [], observer: null }),
};

function measured({ request }: LaunchOptions): LaunchOutcome {
  return {
    kind: 'measured',
    result: {
      pid: 1,
      windowSeconds: [1, 2],
      samplesSeconds: [0.5, 0.5],
      iterationsPerSample: 1,
      work: { flops: 10, bytes: 10, items: 10, tokens: 10 },
      warmup: { samplesSeconds: [], settled: true },
      complete: true,
      ceilings: { fma_flops_per_second: 100 },
      verification: { method: 'exact', passed: true, error: 0, tolerance: 0 },
      facts: { seed: request.seed },
      warnings: [],
      state: {},
    },
  };
}

/** One sensor, the clock of a CPU, read each second of the runs below. */
const clocked: Recorder = {
  ...recorder,
  snapshot: () => ({
    sources: [
      {
        ...{
          id: 'cpufreq/cpu0',
          kind: 'gauge',
          scope: 'chip',
          covers: [],
          quantity: 'clock',
          unit: 'Hz',
          status: 'ok',
        },
      },
    ],
    series: [
      {
        ...{ source: 'cpufreq/cpu0', quantity: 'clock', unit: 'Hz' },
        timeSeconds: [0, 1, 1.5, 2, 3, 4, 5],
        values: [3e9, 3e9, 2.5e9, 2e9, 2e9, 2e9, 2e9],
      },
    ],
    observer: null,
  }),
};

interface Script {
  recorder?: Recorder;
  launch(options: LaunchOptions, count: number): LaunchOutcome;
  controller?: AbortController;
  launches?: number;
  settings?: string[];
}

async function play(script: Script) {
  const { suite, cases } = selectCases('smoke', {
    settings: ['idleSeconds=0', ...(script.settings ?? [])],
    filters: ['gemm', 'peak'],
    models: [],
    launches: script.launches ?? 3,
  });
  const events: RunEvent[] = [];
  const written: ResultDocument[] = [];
  const seen: LaunchOptions[] = [];
  let clock = 0;
  const document = await runSuite({
    suite,
    cases,
    seed: 5,
    arguments: {},
    tool: { version: '0', node: '20', onnxruntime: null, addon: { compiler: '', kernels: [] } },
    inventory,
    recorder: script.recorder ?? recorder,
    writer: {
      file: 'r.json',
      checkpoint: one => written.push(structuredClone(one)),
      finish: one => ({ ...one, seal: { algorithm: 'test', digest: 'd' } }),
    },
    cacheDir: '.',
    now: () => {
      clock += 1;
      return clock;
    },
    signal: (script.controller ?? new AbortController()).signal,
    onEvent: event => events.push(event),
    launch: async options => {
      seen.push(options);
      return script.launch(options, seen.length);
    },
    presence: { others: () => [], leave: () => {} },
  });
  return { document, events, written, seen, cases };
}

describe('sustained cases', () => {
  it('ends when the slowest meter has told of the last launch, whose window ended at 2', async () => {
    const told = [1, 1.5, 2.5, 9];
    let stoppedAt = 0;
    const slow: Recorder = {
      ...recorder,
      coveredUntil: () => told.shift() ?? 9,
      stop: () => {
        stoppedAt = told.length;
        return recorder.stop();
      },
    };
    const { document, events } = await play({ launch: measured, recorder: slow, launches: 1 });
    expect(document.run.state).toBe('complete');
    expect([told, stoppedAt]).toEqual([[9], 1]);
    expect(events.filter(event => event.type === 'phase')).toHaveLength(1);
  });

  it('work unmeasured before each launch until steady, and are cases of their own', async () => {
    let count = 0;
    const { document, seen, cases } = await play({
      launch: options => {
        count += 1;
        return measured(options);
      },
      launches: 1,
      settings: ['regime=sustained'],
    });
    expect(cases.every(({ id }) => id.endsWith('/regime=sustained'))).toBe(true);
    // Without a sensor: by the rate, over half a minute of this clock that ticks once per look.
    const soaking = seen.filter(({ request }) => request.timing.targetSeconds === 10);
    expect(soaking.length).toBeGreaterThanOrEqual(3 * cases.length);
    expect(count - soaking.length).toBe(cases.length);
    for (const item of document.cases) {
      expect(item.thermal).toMatchObject({ regime: 'sustained', throttledFraction: null });
      expect(item.launches).toHaveLength(1);
      expect(item.launches[0]?.state).toMatchObject({ soakSteady: true, soakJudgedBy: 'rate' });
    }
  });
});

describe('tags of samples', () => {
  const tags = { samples: [1, 1], clockHertz: [3e9, 2.5e9], temperatureCelsius: [null, null], throttled: [null, null] };

  it('are in what lies on disk after every launch, so that a run that dies keeps them', async () => {
    const { document, written } = await play({ launch: measured, recorder: clocked, launches: 2 });
    for (const one of [...written.slice(1), document]) {
      const launches = one.cases.flatMap(item => item.launches);
      expect(launches.length).toBeGreaterThan(0);
      for (const launch of launches) expect(launch.conditions).toEqual(tags);
    }
  });

  it('are there after Ctrl-C', async () => {
    const controller = new AbortController();
    const { document } = await play({
      ...{ controller, recorder: clocked },
      launch: (options, count) => {
        if (count === 2) controller.abort();
        return measured(options);
      },
    });
    expect(document.run.state).toBe('interrupted');
    const launches = document.cases.flatMap(item => item.launches);
    expect(launches).toHaveLength(2);
    for (const launch of launches) expect(launch.conditions).toEqual(tags);
  });

  it('are gone through once per launch, and again where readings were merged', () => {
    const telemetry = clocked.snapshot();
    const [series] = telemetry.series;
    const launch = { windowSeconds: [1, 2], samplesSeconds: [0.5, 0.5] };
    const cases = [{ device: 'cpu', facts: {}, launches: [launch] }] as unknown as ResultDocument['cases'];
    const all = new SampleTags();
    const tag = (more: object, isLast = false) =>
      all.apply(cases, { ...telemetry, series: [{ ...series, ...more } as Series] }, isLast)[0]?.launches[0]
        ?.conditions;
    const first = tag({});
    expect(first).toEqual(tags);
    expect(tag({ values: [1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9] })).toBe(first);
    expect(tag({ values: [1e9, 1e9, 1e9, 1e9, 1e9, 1e9, 1e9], merged: 3 })?.clockHertz).toEqual([1e9]);
    expect(tag({ merged: 3 }, true)?.clockHertz).toEqual([3e9, 2.5e9]);
  });

  it('wait for readings after the launch: one that has just ended is gone through again', () => {
    const telemetry = clocked.snapshot();
    const launch = { windowSeconds: [1, 2], samplesSeconds: [0.5, 0.5] };
    const cases = [{ device: 'cpu', facts: {}, launches: [launch] }] as unknown as ResultDocument['cases'];
    const all = new SampleTags();
    const cut = (count: number): Series[] =>
      telemetry.series.map(one => ({
        ...one,
        timeSeconds: one.timeSeconds.slice(0, count),
        values: one.values.slice(0, count),
      }));
    const tag = (count: number) =>
      all.apply(cases, { ...telemetry, series: cut(count) }, false)[0]?.launches[0]?.conditions?.clockHertz;
    expect(tag(2)).toEqual([3e9]);
    expect(tag(7)).toEqual([3e9, 2.5e9]);
  });
});

describe('the loop', () => {
  it('gives every case its launches, each with a seed of its own, and writes after each', async () => {
    const { document, seen, written, cases } = await play({ launch: measured });
    expect(document.run.state).toBe('complete');
    expect(document.seal?.digest).toBe('d');
    expect(document.cases.map(item => item.launches.length)).toEqual(cases.map(() => 3));
    expect(new Set(seen.map(({ request }) => request.seed)).size).toBe(seen.length);
    expect(written).toHaveLength(seen.length + 1);
    expect(written.every(one => one.run.state === 'running' && one.seal === undefined)).toBe(true);
  });

  it('stops asking a case that would fail in the same way again, and goes on with the others', async () => {
    const { document, seen } = await play({
      launch: options =>
        options.request.workload === 'gemm'
          ? {
              kind: 'failed',
              failure: {
                code: 'ISA_UNSUPPORTED',
                message: 'No.',
                remedy: 'Other.',
                permanent: true,
                unavailable: false,
              },
            }
          : measured(options),
    });
    expect(seen.filter(({ request }) => request.workload === 'gemm')).toHaveLength(2);
    expect(document.cases.filter(({ workload }) => workload === 'gemm').map(({ status }) => status)).toEqual([
      'failed',
      'failed',
    ]);
    expect(document.cases.filter(({ workload }) => workload === 'peak').map(({ status }) => status)).toEqual([
      'measured',
      'measured',
    ]);
  });

  it('ends at Ctrl-C with what there is', async () => {
    const controller = new AbortController();
    const { document, seen } = await play({
      controller,
      launch: (options, count) => {
        if (count === 5) controller.abort();
        return measured(options);
      },
    });
    expect(seen).toHaveLength(5);
    expect(document.run.state).toBe('interrupted');
    expect(document.cases.reduce((sum, item) => sum + item.launches.length, 0)).toBe(5);
    expect(document.cases.every(({ status }) => status === 'measured')).toBe(true);
  });

  it('says how much is left, less with every launch', async () => {
    const { events } = await play({ launch: measured });
    const left = events.flatMap(event => (event.type === 'launch-started' ? [event.secondsLeft] : []));
    expect(left.length).toBe(12);
    expect(left.at(-1)).toBeLessThan(left[1] ?? 0);
    const totals = events.flatMap(event => (event.type === 'launch-ended' ? [`${event.done}/${event.total}`] : []));
    expect(totals.at(-1)).toBe('12/12');
  });
});
