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
/** The same as times (NVML counts them in ns): what is counted is not looked for in the mask, which is only read now and then. */
const THROTTLE_TIMES: readonly [quantity: string, bits: number, name: string][] = [
  ['thermalTime', 0x20, 'software thermal slowdown'],
  ['hardwareThermalTime', 0x40, 'hardware thermal slowdown'],
  ['powerBrakeTime', 0x80, 'the power brake'],
];
const ECC: readonly [quantity: string, code: string, what: string, remedy: string][] = [
  [
    ...(['eccUncorrected', 'ECC_UNCORRECTED', 'that could not be corrected'] as const),
    'Results of this GPU are in doubt: reset it (nvidia-smi -r as root) and look at nvidia-smi -q -d ECC,ROW_REMAPPER.',
  ],
  [
    ...(['eccCorrected', 'ECC_CORRECTED', 'that was corrected'] as const),
    'One now and then is usual; many cost time and announce worse: look at nvidia-smi -q -d ECC.',
  ],
];

/** Warnings for a case, most harmful first. */
export function caseConditions(input: ConditionsInput): Warning[] {
  return [
    ...eccErrors(input),
    ...quota(input),
    ...gpuHeldBack(input),
    ...gpuThrottle(input),
    ...steal(input),
    ...heat(input),
    ...clocks(input),
  ];
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

/** Memory errors of a GPU while the case ran. */
function eccErrors(input: ConditionsInput): Warning[] {
  return ECC.flatMap(([quantity, code, what, remedy]) =>
    ofQuantity(input, quantity).flatMap(series => {
      const count = rise(series, input.windows) ?? 0;
      const errors = count === 1 ? 'one memory error' : `${count} memory errors`;
      if (count <= 0) return [];
      return [{ code, message: `${gpuOf(series)} had ${errors} ${what} while this case was measured.`, remedy }];
    }),
  );
}

const COOLING = 'Look at cooling and power supply: nvidia-smi -q -d PERFORMANCE,POWER,TEMPERATURE.';

function gpuOf(series: Series): string {
  return series.source.split('/')[1] ?? series.source;
}

/** By the counters of time. */
function gpuHeldBack(input: ConditionsInput): Warning[] {
  const seconds = input.windows.reduce((sum, [start, end]) => sum + end - start, 0);
  const causes = new Map<string, string[]>();
  for (const [quantity, , name] of THROTTLE_TIMES) {
    for (const series of ofQuantity(input, quantity)) {
      const share = Math.min(1, (rise(series, input.windows) ?? 0) / seconds);
      if (!(share > SHARE_LIMIT)) continue;
      const gpu = gpuOf(series);
      causes.set(gpu, [...(causes.get(gpu) ?? []), `${name} (${(100 * share).toFixed(0)} % of the time)`]);
    }
  }
  return [...causes].map(([gpu, names]) => ({
    code: 'GPU_THROTTLED',
    message: `${gpu} was held back by ${names.join(', ')}.`,
    remedy: COOLING,
  }));
}

/** By the bit mask, for what is not counted. */
function gpuThrottle(input: ConditionsInput): Warning[] {
  return ofQuantity(input, 'throttleReasons').flatMap(series => {
    const counted = THROTTLE_TIMES.filter(([quantity]) =>
      ofQuantity(input, quantity).some(one => gpuOf(one) === gpuOf(series) && rise(one, input.windows) !== null),
    ).reduce((bits, [, bit]) => bits | bit, 0);
    const values = inside(series, input.windows);
    const shareOf = (bit: number): number =>
      values.filter(value => (value & bit) !== 0).length / Math.max(1, values.length);
    const percent = (share: number): string => `${(100 * share).toFixed(0)} % of the readings`;
    const gpu = gpuOf(series);
    const out: Warning[] = [];
    const found = THROTTLE_REASONS.filter(([bit]) => (bit & counted) === 0 && shareOf(bit) > SHARE_LIMIT);
    if (found.length > 0) {
      out.push({
        code: 'GPU_THROTTLED',
        message: `${gpu} was held back by ${found.map(([bit, name]) => `${name} (${percent(shareOf(bit))})`).join(', ')}.`,
        remedy: COOLING,
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
