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
 * NVML's reasons that mean less speed than the device could give (nvml.h, nvmlClocksEventReason*). Idle, application clocks and
 * sync boost do not. A GPU at full load stands at its power cap by design: that is said, but is no defect.
 */
const POWER_CAP = 0x4;
const THROTTLE_REASONS: readonly [number, string][] = [
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

/** Index of the first reading at or after a time. */
function firstAt(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((times[mid] ?? 0) < time) low = mid + 1;
    else high = mid;
  }
  return low;
}

const isNumber = (value: number | null): value is number => value !== null;

/** Readings inside the windows. */
function inside(series: Series, windows: ConditionsInput['windows']): number[] {
  return windows.flatMap(([start, end]) => {
    const [first, last] = [firstAt(series.timeSeconds, start), firstAt(series.timeSeconds, end)];
    return series.values.slice(first, last).filter(isNumber);
  });
}

/** How much a counter rose over the windows, between the readings next to their ends; null where it has no two. */
function rise(series: Series | undefined, windows: ConditionsInput['windows']): number | null {
  if (!series) return null;
  let total: number | null = null;
  for (const [start, end] of windows) {
    const first = Math.max(0, firstAt(series.timeSeconds, start) - 1);
    const values = series.values.slice(first, firstAt(series.timeSeconds, end) + 1).filter(isNumber);
    const [before, after] = [values[0], values[values.length - 1]];
    if (values.length < 2 || before === undefined || after === undefined) continue;
    total = (total ?? 0) + Math.max(0, after - before);
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
    const shareOf = (bit: number): number =>
      values.filter(value => (value & bit) !== 0).length / Math.max(1, values.length);
    const percent = (share: number): string => `${(100 * share).toFixed(0)} % of the readings`;
    const gpu = series.source.split('/')[1] ?? series.source;
    const out: Warning[] = [];
    const found = THROTTLE_REASONS.filter(([bit]) => shareOf(bit) > SHARE_LIMIT);
    if (found.length > 0) {
      out.push({
        code: 'GPU_THROTTLED',
        message: `${gpu} was held back by ${found.map(([bit, name]) => `${name} (${percent(shareOf(bit))})`).join(', ')}.`,
        remedy: 'Look at cooling and power supply: nvidia-smi -q -d PERFORMANCE,POWER,TEMPERATURE.',
      });
    }
    if (shareOf(POWER_CAP) > SHARE_LIMIT) {
      out.push({
        code: 'GPU_POWER_CAP',
        message: `${gpu} stood at its power cap (${percent(shareOf(POWER_CAP))}).`,
        remedy: 'Usual at full load; compare only with runs under the same cap (nvidia-smi -q -d POWER shows it).',
      });
    }
    return out;
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
