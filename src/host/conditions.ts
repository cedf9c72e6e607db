/**
 * What happened to the machine while a case was measured: steal, quota, throttling, falling clocks, foreign load. Pure, from the
 * document's telemetry alone. docs/methodology.md §3.
 */
import type { Series, SourceDescription, Warning } from '../results/schema.ts';

export interface ConditionsInput {
  sources: readonly SourceDescription[];
  series: readonly Series[];
  /** Launch windows of the case. */
  windows: readonly (readonly [number, number])[];
}

const STEAL_LIMIT = 0.01;
const STEAL_HIGH = 0.05;
const QUOTA_LIMIT = 0.001;
const CLOCK_DROP = 0.15;
const HOT_CELSIUS = 95;

/**
 * NVML's reasons that mean less speed than the device could give (nvml.h, nvmlClocksEventReason*): software power cap, hardware
 * slowdown, software and hardware thermal slowdown, hardware power brake. Idle, application clocks and sync boost do not.
 */
const THROTTLE_REASONS: readonly [number, string][] = [
  [0x4, 'the power cap'],
  [0x8, 'a hardware slowdown'],
  [0x20, 'software thermal slowdown'],
  [0x40, 'hardware thermal slowdown'],
  [0x80, 'the power brake'],
];
const SHARE_LIMIT = 0.01;

/** Warnings for a case, most harmful first. */
export function caseConditions(input: ConditionsInput): Warning[] {
  return [...quota(input), ...gpuThrottle(input), ...steal(input), ...heat(input), ...clocks(input)];
}

function ofQuantity(input: ConditionsInput, quantity: string): Series[] {
  const readable = new Set(input.sources.filter(source => source.status === 'ok').map(source => source.id));
  return input.series.filter(one => one.quantity === quantity && readable.has(one.source));
}

/** Readings inside the windows. */
function inside(series: Series, windows: ConditionsInput['windows']): number[] {
  const out: number[] = [];
  for (const [index, time] of series.timeSeconds.entries()) {
    const value = series.values[index];
    if (typeof value === 'number' && windows.some(([start, end]) => time >= start && time <= end)) out.push(value);
  }
  return out;
}

/** How much a counter rose over the windows, between the readings next to their ends; null where it has no two. */
function rise(series: Series | undefined, windows: ConditionsInput['windows']): number | null {
  if (!series) return null;
  let total: number | null = null;
  for (const window of windows) {
    const [start, end] = window;
    const values: number[] = [];
    for (const [index, value] of series.values.entries()) {
      const next = series.timeSeconds[index + 1] ?? Number.POSITIVE_INFINITY;
      const previous = series.timeSeconds[index - 1] ?? Number.NEGATIVE_INFINITY;
      if (typeof value === 'number' && next > start && previous < end) values.push(value);
    }
    const [first, last] = [values[0], values[values.length - 1]];
    if (values.length < 2 || first === undefined || last === undefined) continue;
    total = (total ?? 0) + Math.max(0, last - first);
  }
  return total;
}

function steal(input: ConditionsInput): Warning[] {
  const stolen = rise(ofQuantity(input, 'stealTime')[0], input.windows);
  const total = rise(ofQuantity(input, 'totalTime')[0], input.windows);
  if (stolen === null || total === null || total <= 0 || stolen / total <= STEAL_LIMIT) return [];
  return [
    {
      code: stolen / total > STEAL_HIGH ? 'STEAL_HIGH' : 'STEAL',
      message: `The hypervisor took ${((100 * stolen) / total).toFixed(1)} % of the CPU time while this case was measured.`,
      remedy: 'Use a dedicated or bare-metal machine; more launches average over it but do not remove it.',
    },
  ];
}

function quota(input: ConditionsInput): Warning[] {
  const throttled = rise(ofQuantity(input, 'throttledTime')[0], input.windows);
  const seconds = input.windows.reduce((sum, [start, end]) => sum + end - start, 0);
  if (throttled === null || throttled <= QUOTA_LIMIT * seconds) return [];
  return [
    {
      code: 'CPU_QUOTA_THROTTLED',
      message: `The CPU quota of the control group held threads back for ${throttled.toFixed(2)} s while this case was measured.`,
      remedy: 'Give the container whole CPUs (--cpuset-cpus), or run with fewer threads than the quota allows.',
    },
  ];
}

function gpuThrottle(input: ConditionsInput): Warning[] {
  return ofQuantity(input, 'throttleReasons').flatMap(series => {
    const values = inside(series, input.windows);
    const found = THROTTLE_REASONS.flatMap(([bit, name]) => {
      const share = values.filter(value => (value & bit) !== 0).length / Math.max(1, values.length);
      return share > SHARE_LIMIT ? [`${name} (${(100 * share).toFixed(0)} % of the readings)`] : [];
    });
    if (found.length === 0) return [];
    return {
      code: 'GPU_THROTTLED',
      message: `${series.source.split('/')[1] ?? series.source} was held back by ${found.join(', ')}.`,
      remedy:
        'Compare only with runs under the same power cap and cooling; nvidia-smi -q -d PERFORMANCE,POWER shows both.',
    };
  });
}

function heat(input: ConditionsInput): Warning[] {
  const hottest = ofQuantity(input, 'temperature').map(series => ({
    id: series.source,
    celsius: inside(series, input.windows).reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY),
  }));
  const worst = hottest.sort((a, b) => b.celsius - a.celsius)[0];
  if (!worst || worst.celsius < HOT_CELSIUS) return [];
  return [
    {
      code: 'HOT',
      message: `${worst.id} reached ${worst.celsius.toFixed(0)} °C while this case was measured.`,
      remedy: 'Look at cooling: close to its limit a chip lowers its clock.',
    },
  ];
}

/**
 * The clock's median in the windows against the highest that the same CPU or GPU had in the run. The device that kept up
 * best counts: CPUs that a case left idle say nothing.
 */
function clocks(input: ConditionsInput): Warning[] {
  let best: { id: string; drop: number } | null = null;
  for (const series of ofQuantity(input, 'clock')) {
    const values = inside(series, input.windows).sort((a, b) => a - b);
    const median = values[Math.floor(values.length / 2)];
    const highest = series.values.reduce<number>((a, b) => Math.max(a, b ?? 0), 0);
    if (median === undefined || highest <= 0) continue;
    const drop = 1 - median / highest;
    if (best === null || drop < best.drop) best = { id: series.source, drop };
  }
  if (!best || best.drop <= CLOCK_DROP) return [];
  return [
    {
      code: 'CLOCK_BELOW_HIGHEST',
      message: `Half of the time the clock of ${best.id} was ${(100 * best.drop).toFixed(0)} % or more below its highest of the run.`,
      remedy:
        'Usual with all cores or wide vectors at work; otherwise look at the governor, temperature and power limits.',
    },
  ];
}
