import { describe, expect, it } from 'vitest';
import { UNFIT_CODES } from '../../../src/analysis/fitness.ts';
import { caseConditions } from '../../../src/host/conditions.ts';
import { assessFitness, type FitnessInput } from '../../../src/host/fitness.ts';
import { type Host, hostSchema, type Series, type SourceDescription } from '../../../src/results/schema.ts';

const QUIET: Host = {
  id: 'a',
  cpu: {
    vendor: 'GenuineIntel',
    brand: 'x',
    arch: 'x86_64',
    physicalCores: 8,
    logicalCores: 16,
    usableCores: 16,
    sockets: 1,
    numaNodes: 1,
    isas: [],
    flags: [],
    caches: [],
    maxHertz: null,
  },
  memory: { totalBytes: 1, availableBytes: 1, swapBytes: 0, limitBytes: null, modules: [] },
  accelerators: [],
  storage: [],
  network: [],
  os: { platform: 'linux', distribution: 'x', release: '1', kernel: '6', libc: null },
  virtualization: { virtual: false, hypervisor: null },
  container: null,
  versions: {},
  state: {
    governor: 'performance (acpi-cpufreq)',
    turbo: true,
    smt: true,
    loadAverage: [0.1, 0.1, 0.1],
    stealFraction: 0,
    hugepages: null,
    numaBalancing: false,
    temperatureCelsius: 45,
    uptimeSeconds: 1,
    environment: {},
  },
};

function verdictOf(
  host: { [K in keyof Host]?: Partial<Host[K]> | null },
  extra: Partial<FitnessInput> = {},
): [string, string[]] {
  const merged = { ...QUIET, ...host, cpu: { ...QUIET.cpu, ...host.cpu }, state: { ...QUIET.state, ...host.state } };
  const { verdict, findings } = assessFitness({
    host: hostSchema.parse(merged),
    foreignCores: 0,
    swapUsedBytes: 0,
    ...extra,
  });
  for (const finding of findings) {
    expect(finding.message).toMatch(/\.$/);
    expect(finding.remedy).toMatch(/\.$/);
  }
  return [verdict, findings.map(finding => finding.code)];
}

describe('fitness', () => {
  it('has nothing to say of a quiet machine', () => {
    expect(verdictOf({})).toEqual(['fit', []]);
    expect(
      verdictOf(
        { state: { stealFraction: null, governor: null, loadAverage: [], temperatureCelsius: null } },
        { foreignCores: null },
      ),
    ).toEqual(['fit', []]);
  });

  it.each<[string, Parameters<typeof verdictOf>, [string, string[]]]>([
    ['a little steal', [{ state: { stealFraction: 0.02 } }], ['fit', ['STEAL']]],
    ['much steal', [{ state: { stealFraction: 0.08 } }], ['unfit', ['STEAL_HIGH']]],
    ['one busy neighbour', [{}, { foreignCores: 1 }], ['fit', ['FOREIGN_LOAD']]],
    ['many busy neighbours', [{}, { foreignCores: 9 }], ['unfit', ['FOREIGN_LOAD_HIGH']]],
    ['load that has just ended', [{ state: { loadAverage: [14, 9, 3] } }], ['fit', ['LOAD_BEFORE_START']]],
    [
      'a quota below the CPUs',
      [{ container: { runtime: 'docker', cpuQuota: 4, memoryLimitBytes: null } }],
      ['fit', ['CPU_QUOTA']],
    ],
    ['a quota of all CPUs', [{ container: { runtime: 'docker', cpuQuota: 16, memoryLimitBytes: null } }], ['fit', []]],
    ['a slow governor', [{ state: { governor: 'powersave (acpi-cpufreq)' } }], ['fit', ['GOVERNOR']]],
    [
      'governors that differ',
      [{ state: { governor: 'performance, schedutil (acpi-cpufreq)' } }],
      ['fit', ['GOVERNOR']],
    ],
    ['heat before the start', [{ state: { temperatureCelsius: 93 } }], ['unfit', ['HOT_BEFORE_START']]],
    ['swap', [{}, { swapUsedBytes: 2 ** 30 }], ['fit', ['SWAP_IN_USE']]],
    ['balancing on one node', [{ state: { numaBalancing: true } }], ['fit', []]],
    ['balancing on two', [{ cpu: { numaNodes: 2 }, state: { numaBalancing: true } }], ['fit', ['NUMA_BALANCING']]],
    [
      'a forced code path',
      [{ state: { environment: { OPENBLAS_CORETYPE: 'Haswell', OMP_NUM_THREADS: '4' } } }],
      ['fit', ['ENVIRONMENT_OVERRIDE']],
    ],
    ['an id that others share', [{}, { identityBasis: 'image' }], ['fit', ['HOST_ID_WEAK']]],
  ])('%s', (_, input, expected) => {
    expect(verdictOf(...input)).toEqual(expected);
  });
});

describe('conditions of a case', () => {
  const times = Array.from({ length: 41 }, (_, index) => index * 0.5);
  const WINDOWS: [number, number][] = [
    [5, 8],
    [12, 15],
  ];

  function conditions(rows: [quantity: string, id: string, valueAt: (time: number) => number | null][]): string[] {
    const sources = rows.map(
      ([quantity, id]): SourceDescription => ({
        id,
        kind: 'gauge',
        scope: 'node',
        covers: [],
        quantity,
        unit: '1',
        status: 'ok',
      }),
    );
    const series = rows.map(
      ([quantity, source, valueAt]): Series => ({
        source,
        quantity,
        unit: '1',
        timeSeconds: times,
        values: times.map(valueAt),
      }),
    );
    return caseConditions({ sources, series, windows: WINDOWS }).map(warning => `${warning.code}: ${warning.message}`);
  }

  const inWindow = (time: number): boolean => WINDOWS.some(([start, end]) => time >= start && time <= end);

  it('says nothing without telemetry or trouble', () => {
    expect(conditions([])).toEqual([]);
    expect(
      conditions([
        ['totalTime', 'proc/total', time => 4 * time],
        ['stealTime', 'proc/steal', () => 7],
        ['throttledTime', 'cgroup/throttled', () => 3],
      ]),
    ).toEqual([]);
  });

  it('takes steal in the windows, not outside of them', () => {
    const total: [string, string, (time: number) => number] = ['totalTime', 'proc/total', time => 4 * time];
    expect(conditions([total, ['stealTime', 'proc/steal', time => 0.08 * time]])).toEqual([
      expect.stringMatching(/^STEAL: .* 2\.0 %/),
    ]);
    expect(conditions([total, ['stealTime', 'proc/steal', time => 0.4 * time]])).toEqual([
      expect.stringMatching(/^STEAL_HIGH: .* 10\.0 %/),
    ]);
    expect(conditions([total, ['stealTime', 'proc/steal', time => (time > 17 ? 3 : 0)]])).toEqual([]);
  });

  it('sees the quota of the control group', () => {
    expect(conditions([['throttledTime', 'cgroup/throttled', time => 0.1 * time]])).toEqual([
      expect.stringMatching(/^CPU_QUOTA_THROTTLED/),
    ]);
  });

  it('tells the power cap of a GPU from throttling', () => {
    expect(
      conditions([['throttleReasons', 'nvml/gpu-0/throttleReasons', time => (inWindow(time) ? 0x4 : 0x1)]]),
    ).toEqual([expect.stringMatching(/^GPU_POWER_CAP: gpu-0 .*100 %/)]);
    expect(conditions([['throttleReasons', 'nvml/gpu-0/throttleReasons', time => (time === 6 ? 0x40 : 0)]])).toEqual([
      expect.stringMatching(/^GPU_THROTTLED: gpu-0 .*hardware thermal slowdown/),
    ]);
    expect(conditions([['throttleReasons', 'nvml/gpu-0/throttleReasons', () => 0x1]])).toEqual([]);
  });

  it('goes by the counted times of a GPU before the mask, which may have looked away', () => {
    const mask: [string, string, (time: number) => number] = [
      'throttleReasons',
      'nvml/gpu-0/throttleReasons',
      () => 0x40,
    ];
    const counted = (share: number): [string, string, (time: number) => number] => [
      ...(['hardwareThermalTime', 'nvml/gpu-0/hardwareThermalTime'] as const),
      time => share * time,
    ];
    expect(conditions([counted(0.3)])).toEqual([
      expect.stringMatching(/^GPU_THROTTLED: gpu-0 .*hardware thermal slowdown \(3\d % of the time\)/),
    ]);
    expect(conditions([mask, counted(0)])).toEqual([]);
    // Another GPU's counter says nothing of this one.
    expect(conditions([mask, ['powerBrakeTime', 'nvml/gpu-1/powerBrakeTime', () => 0]])).toHaveLength(1);
  });

  it('tells of memory errors in the windows, and which of them put the result in doubt', () => {
    const errors = (quantity: string): string[] =>
      conditions([[quantity, `nvml/gpu-2/${quantity}`, time => (time > 6 ? 3 : 1)]]);
    expect(errors('eccUncorrected')).toEqual([
      expect.stringMatching(/^ECC_UNCORRECTED: gpu-2 had 2 memory errors that could not be corrected/),
    ]);
    expect(errors('eccCorrected')[0]).toMatch(/^ECC_CORRECTED/);
    expect(conditions([['eccCorrected', 'nvml/gpu-2/eccCorrected', () => 9]])).toEqual([]);
    expect(UNFIT_CODES).toContain('ECC_UNCORRECTED');
    expect(UNFIT_CODES).not.toContain('ECC_CORRECTED');
  });

  it('warns of heat and of clocks that fell, not of CPUs that were idle', () => {
    expect(conditions([['temperature', 'thermal/a', time => (inWindow(time) ? 97 : 40)]])).toEqual([
      expect.stringMatching(/^HOT: thermal\/a/),
    ]);
    const idle: [string, string, () => number] = ['clock', 'cpufreq/cpu1', () => 1e9];
    expect(conditions([['clock', 'cpufreq/cpu0', time => (inWindow(time) ? 2e9 : 3e9)]])).toEqual([
      expect.stringMatching(/^CLOCK_BELOW_HIGHEST: .* 33 %/),
    ]);
    expect(conditions([['clock', 'cpufreq/cpu0', time => (inWindow(time) ? 2e9 : 3e9)], idle])).toEqual([]);
  });

  it('leaves failed reads out', () => {
    expect(conditions([['temperature', 'thermal/a', () => null]])).toEqual([]);
  });
});
