/**
 * How hot, how fast and how held back the device was while a case was measured: per case, and per sample. Pure, from the
 * document's telemetry alone, so that `aibench verify` works it out again. docs/methodology.md.
 */
import type { CaseResult, Launch, Series, SourceDescription } from '../results/schema.ts';

export interface ThermalInput {
  sources: readonly SourceDescription[];
  series: readonly Series[];
  /** The case's: `cpu`, `cuda:0`, ... */
  device: string;
  /** The GPUs that it ran on, as tokens of `covers` (energy-scope.ts, sensorsOf); the number in `cuda:N` where empty. */
  sensors?: readonly string[];
}

type Window = readonly [number, number];

/** NVML's reasons that mean heat or a power brake (nvml.h, nvmlClocksEventReason*), and the one that means the power cap. */
const HELD_BACK = 0x8 | 0x20 | 0x40 | 0x80;
const POWER_CAP = 0x4;
/** Counters of seconds held back: by heat or a brake, and by the power cap. */
const HELD_BACK_TIMES = ['throttleTime', 'thermalTime', 'hardwareThermalTime', 'powerBrakeTime'];
const POWER_CAP_TIMES = ['powerCapTime'];

/** The series that speak of the device: those of one GPU, or all that are no GPU's. */
function ofDevice(input: ThermalInput, quantities: readonly string[]): Series[] {
  const readable = new Set(input.sources.filter(source => source.status === 'ok').map(source => source.id));
  const belongs = belongsTo(input);
  return input.series.filter(
    one => quantities.includes(one.quantity) && readable.has(one.source) && belongs(one.source),
  );
}

/** Whether a source, by its id, is a part of the case's device. */
function belongsTo({ device, sensors = [] }: Pick<ThermalInput, 'device' | 'sensors'>): (id: string) => boolean {
  if (isCpu(device)) return id => isOfProcessor(id) && !OF_GPUS.test(id);
  const named = /^cuda:?(\d*)/.exec(device);
  const gpus = sensors.length > 0 ? sensors : named ? [`gpu-${named[1] || 0}`] : [];
  return id => gpus.some(gpu => id.startsWith(idPrefixOf(gpu)));
}

/** What is measured of single devices; all else (steal, quota, load) is of the machine. */
const OF_SINGLE_DEVICES = [
  ...['clock', 'memoryClock', 'temperature', 'memoryTemperature', 'throttleReasons', 'eccUncorrected', 'eccCorrected'],
  ...[...HELD_BACK_TIMES, ...POWER_CAP_TIMES, 'syncBoostTime'],
];

/**
 * The telemetry of a case without that of devices which did not do its work: another job's hot GPU says nothing of it. Of a device of which nothing
 * is known, the series stay as they are.
 */
export function withoutOtherDevices(input: ThermalInput): readonly Series[] {
  const belongs = belongsTo(input);
  const isKnown = isCpu(input.device) || input.series.some(one => belongs(one.source));
  if (!isKnown) return input.series;
  return input.series.filter(one => !OF_SINGLE_DEVICES.includes(one.quantity) || belongs(one.source));
}

/** Drives, network cards and memory modules have sensors of their own, hotter than a processor at times. */
const OF_PERIPHERALS =
  /^(hwmon|thermal)\/(nvme|drivetemp|jc42|spd5118|mlx\d|bnxt|ice\b|i40e|ixgbe|igb|igc|r8169|iwlwifi|ath\d|mt\d|phy)/;
const OF_GPUS = /^nvml\/|^(hwmon|thermal)\/(amdgpu|radeon|nouveau|xe\b|i915)/;

/** Whether a source, by its id, is of a processor or an accelerator, as far as ids tell: not of a drive, a network card or a memory module. */
export function isOfProcessor(id: string): boolean {
  return !OF_PERIPHERALS.test(id);
}

/** How the ids of a GPU's sources begin: NVML's, or those of the kernel's driver for AMD. */
function idPrefixOf(gpu: string): string {
  const chip = /^gpu-amdgpu-(\d+)$/.exec(gpu)?.[1];
  if (chip !== undefined) return `hwmon/amdgpu${chip === '0' ? '' : `.${chip}`}/`;
  return `nvml/${gpu}/`;
}

function isCpu(device: string): boolean {
  return device === '' || device.startsWith('cpu');
}

/** Index of the last reading at or before a time; -1 where there is none. */
function lastAt(times: readonly number[], time: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const mid = (low + high) >>> 1;
    if ((times[mid] ?? 0) <= time) low = mid + 1;
    else high = mid;
  }
  return low - 1;
}

function valueAt(series: Series, time: number): number | null {
  return series.values[lastAt(series.timeSeconds, time)] ?? null;
}

function highest(values: readonly (number | null)[]): number | null {
  return values.reduce<number | null>((top, value) => (value === null ? top : Math.max(top ?? value, value)), null);
}

/**
 * What the sensors said during each sample, as runs of samples with the same readings: temperature of the hottest sensor, clock
 * of the fastest sampled CPU (others may idle), whether the device was held back. A sample's time is its place in the window,
 * stretched by what lay between samples. Undefined where no sensor speaks of the device.
 */
export function launchConditions(
  launch: Pick<Launch, 'windowSeconds' | 'samplesSeconds'>,
  input: ThermalInput,
): Launch['conditions'] {
  const { windowSeconds, samplesSeconds } = launch;
  const [clocks, temperatures] = [ofDevice(input, ['clock']), ofDevice(input, ['temperature'])];
  const [times, reasons] = [ofDevice(input, HELD_BACK_TIMES), ofDevice(input, ['throttleReasons'])];
  const speaks = [clocks, temperatures, times, reasons].some(list => list.length > 0);
  if (!speaks || windowSeconds === undefined || samplesSeconds.length === 0) return undefined;
  const [start, end] = windowSeconds;
  const total = samplesSeconds.reduce((sum, seconds) => sum + seconds, 0);
  const stretch = total > 0 ? (end - start) / total : 0;
  const tagAt = (time: number) => ({
    clockHertz: highest(clocks.map(one => valueAt(one, time))),
    temperatureCelsius: highest(temperatures.map(one => valueAt(one, time))),
    throttled:
      times.length + reasons.length === 0 ? null : times.some(one => risesAt(one, time)) || anyBit(reasons, time),
  });
  const out: NonNullable<Launch['conditions']> = { samples: [], clockHertz: [], temperatureCelsius: [], throttled: [] };
  let [before, last] = [0, null as ReturnType<typeof tagAt> | null];
  for (const seconds of samplesSeconds) {
    const tag = tagAt(start + (before + seconds / 2) * stretch);
    before += seconds;
    const isSame =
      last?.clockHertz === tag.clockHertz &&
      last.temperatureCelsius === tag.temperatureCelsius &&
      last.throttled === tag.throttled;
    if (isSame) {
      out.samples.push((out.samples.pop() ?? 0) + 1);
      continue;
    }
    out.samples.push(1);
    out.clockHertz.push(tag.clockHertz);
    out.temperatureCelsius.push(tag.temperatureCelsius);
    out.throttled.push(tag.throttled);
    last = tag;
  }
  return out;
}

/** Whether a counter of time held back moved over the stretch between two readings in which the moment lies. */
function risesAt({ timeSeconds, values }: Series, time: number): boolean {
  const index = lastAt(timeSeconds, time);
  const [from, to] = [values[index] ?? null, values[index + 1] ?? null];
  return from !== null && to !== null && to > from;
}

function anyBit(reasons: readonly Series[], time: number): boolean {
  return reasons.some(one => ((valueAt(one, time) ?? 0) & HELD_BACK) !== 0);
}

/** Over all launch windows. Undefined for a peak case of whose device no sensor speaks. */
export function caseThermal(
  launches: readonly Pick<Launch, 'status' | 'windowSeconds'>[],
  regime: 'peak' | 'sustained',
  input: ThermalInput,
): CaseResult['thermal'] {
  const windows = launches.flatMap(({ status, windowSeconds }) =>
    status === 'ok' && windowSeconds !== undefined ? [windowSeconds] : [],
  );
  const inside = (series: Series): number[] =>
    windows.flatMap(([start, end]) => {
      const [first, last] = [lastAt(series.timeSeconds, start) + 1, lastAt(series.timeSeconds, end)];
      return series.values.slice(first, last + 1).filter(value => value !== null);
    });
  const meanClocks = ofDevice(input, ['clock']).map(series => mean(inside(series)));
  const thermal = {
    throttledFraction: heldBack(input, windows, HELD_BACK_TIMES, HELD_BACK),
    powerCappedFraction: heldBack(input, windows, POWER_CAP_TIMES, POWER_CAP),
    maxTemperatureCelsius: highest(ofDevice(input, ['temperature']).map(series => highest(inside(series)))),
    meanClockHertz: highest(meanClocks),
  };
  const speaks = Object.values(thermal).some(value => value !== null);
  return speaks || regime === 'sustained' ? { regime, ...thermal } : undefined;
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Counters of time before the bit mask, which is only looked at now and then. Causes may overlap: at most all of the time. */
function heldBack(
  input: ThermalInput,
  windows: readonly Window[],
  quantities: readonly string[],
  bits: number,
): number | null {
  const seconds = windows.reduce((sum, [start, end]) => sum + end - start, 0);
  // One package or GPU that is held back holds back all that wait for it: the worst counts. Causes of one part add up.
  const held = byPart(ofDevice(input, quantities)).map(series => {
    const rises = series.map(one => riseOver(one, windows)).filter(rise => rise !== null);
    return rises.length === 0 ? null : rises.reduce((sum, rise) => sum + rise, 0);
  });
  const longest = highest(held);
  if (longest !== null && seconds > 0) return Math.min(1, longest / seconds);
  const shares = ofDevice(input, ['throttleReasons']).map(reasons => {
    const values = windows.flatMap(window => readingsIn(reasons, window));
    return values.length === 0 ? null : values.filter(value => (value & bits) !== 0).length / values.length;
  });
  return highest(shares);
}

/** Series of one package or GPU together, by how their sources are called: `nvml/gpu-1/thermalTime`, `throttle/package-0`. */
function byPart(series: readonly Series[]): Series[][] {
  const parts = new Map<string, Series[]>();
  for (const one of series) {
    const part = one.source.split('/').slice(0, 2).join('/');
    parts.set(part, [...(parts.get(part) ?? []), one]);
  }
  return [...parts.values()];
}

function readingsIn({ timeSeconds, values }: Series, [start, end]: Window): number[] {
  return values.slice(lastAt(timeSeconds, start) + 1, lastAt(timeSeconds, end) + 1).filter(value => value !== null);
}

/** Between the readings next to the windows' ends; null where a window has no two. */
function riseOver({ timeSeconds, values }: Series, windows: readonly Window[]): number | null {
  let total: number | null = null;
  for (const [start, end] of windows) {
    const from = values[Math.max(0, lastAt(timeSeconds, start))] ?? null;
    const to = values[Math.min(values.length - 1, lastAt(timeSeconds, end) + 1)] ?? null;
    if (from !== null && to !== null) total = (total ?? 0) + Math.max(0, to - from);
  }
  return total;
}
