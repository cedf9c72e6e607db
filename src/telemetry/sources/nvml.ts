/**
 * NVIDIA GPUs through libnvidia-ml, opened at run time by the addon. What each quantity means and how far it can be trusted
 * (methodology §4): total energy counts millijoules since the driver was loaded (Volta on); power is instantaneous, the
 * average runs over one second on Ampere and later except GA100.
 */
import { NVML_PATIENCE_SECONDS, probeNvmlSafely } from '../../native/nvml-probe.ts';
import type { NativeAddon, NvmlDevice, NvmlProbe, NvmlQuantity } from '../../native/types.ts';
import type { SourceDescription } from '../../results/schema.ts';
import { nothingFound, type Quantity, type RateClass, readable, unreadable } from '../channel.ts';
import type { ProbedChannel, TelemetryRoots, TelemetrySource } from '../source.ts';

const ID = 'nvml';

interface QuantityRow {
  quantity: NvmlQuantity;
  kind: SourceDescription['kind'];
  name: string;
  unit: string;
  /** From NVML's own unit. */
  scale: number;
  rate: RateClass;
  averagingWindowSeconds?: number;
  /** The superchip's module: the GPU with its CPU. Only such machines have it, so that others get no row for its absence. */
  isModule?: true;
  /** The device's memory alone: listed, never charged to a case. */
  isMemory?: true;
  /** Left out where it does not answer: what most devices lack is no finding. */
  isExtra?: true;
}

const NANO = 1e-9;
const KIBI = 1024;
/** nvml.h: "in KB/s", what went over the link in the 20 ms before the answer. */
const PCIE = { unit: 'B/s', scale: 1e3, rate: 'slow', averagingWindowSeconds: 0.02 } as const;

const ROWS: QuantityRow[] = [
  { quantity: 'energy', kind: 'counter', name: 'energy', unit: 'J', scale: 1e-3, rate: 'counter' },
  { quantity: 'power', kind: 'gauge', name: 'power', unit: 'W', scale: 1e-3, rate: 'gauge' },
  {
    quantity: 'powerAverage',
    kind: 'gauge',
    name: 'power',
    unit: 'W',
    scale: 1e-3,
    rate: 'gauge',
    averagingWindowSeconds: 1,
  },
  { quantity: 'temperature', kind: 'gauge', name: 'temperature', unit: 'degC', scale: 1, rate: 'temperature' },
  { quantity: 'smClock', kind: 'gauge', name: 'clock', unit: 'Hz', scale: 1e6, rate: 'clock' },
  { quantity: 'memoryClock', kind: 'gauge', name: 'memoryClock', unit: 'Hz', scale: 1e6, rate: 'clock' },
  { quantity: 'throttleReasons', kind: 'gauge', name: 'throttleReasons', unit: 'bitmask', scale: 1, rate: 'throttle' },
  { quantity: 'utilization', kind: 'gauge', name: 'utilization', unit: '1', scale: 1e-2, rate: 'proc' },
  ...extras([
    {
      quantity: 'moduleEnergy',
      kind: 'counter',
      name: 'energy',
      unit: 'J',
      scale: 1e-3,
      rate: 'counter',
      isModule: true,
    },
    { quantity: 'modulePower', kind: 'gauge', name: 'power', unit: 'W', scale: 1e-3, rate: 'gauge', isModule: true },
    { quantity: 'memoryPower', kind: 'gauge', name: 'power', unit: 'W', scale: 1e-3, rate: 'gauge', isMemory: true },
    {
      quantity: 'memoryTemperature',
      kind: 'gauge',
      name: 'memoryTemperature',
      unit: 'degC',
      scale: 1,
      rate: 'temperature',
    },
    { quantity: 'powerCapTime', kind: 'counter', name: 'powerCapTime', unit: 's', scale: NANO, rate: 'throttle' },
    { quantity: 'thermalTime', kind: 'counter', name: 'thermalTime', unit: 's', scale: NANO, rate: 'throttle' },
    {
      quantity: 'hardwareThermalTime',
      kind: 'counter',
      name: 'hardwareThermalTime',
      unit: 's',
      scale: NANO,
      rate: 'throttle',
    },
    { quantity: 'powerBrakeTime', kind: 'counter', name: 'powerBrakeTime', unit: 's', scale: NANO, rate: 'throttle' },
    { quantity: 'syncBoostTime', kind: 'counter', name: 'syncBoostTime', unit: 's', scale: NANO, rate: 'throttle' },
    { quantity: 'eccUncorrected', kind: 'counter', name: 'eccUncorrected', unit: '1', scale: 1, rate: 'slow' },
    { quantity: 'eccCorrected', kind: 'counter', name: 'eccCorrected', unit: '1', scale: 1, rate: 'slow' },
    { quantity: 'nvlinkTx', kind: 'counter', name: 'nvlinkTx', unit: 'B', scale: KIBI, rate: 'proc' },
    { quantity: 'nvlinkRx', kind: 'counter', name: 'nvlinkRx', unit: 'B', scale: KIBI, rate: 'proc' },
    { quantity: 'pcieTx', kind: 'gauge', name: 'pcieTx', ...PCIE },
    { quantity: 'pcieRx', kind: 'gauge', name: 'pcieRx', ...PCIE },
  ]),
];

function extras(rows: QuantityRow[]): QuantityRow[] {
  return rows.map(row => ({ ...row, isExtra: true }));
}

/** Pure: the rows of one device. Under MIG and as a vGPU the counters are those of the whole device, which others may be using. */
export function deviceRows(device: NvmlDevice): ProbedChannel[] {
  const gpu = `gpu-${device.index}`;
  const isShared = device.migEnabled || device.vgpu;
  const covers = isShared ? [gpu, `${gpu}-other-tenants`] : [gpu];
  // A module's reading holds the GPU and the CPU beside it, Grace as its own meters have it.
  const module = [`module-${device.index}`, `grace-${device.index}`, `package-${device.index}`, ...covers];
  const coversOf = (row: QuantityRow): string[] => {
    if (row.isMemory) return [`hbm-${device.index}`, ...covers.slice(1)];
    return row.isModule ? module : covers;
  };
  const asked = ROWS.filter(row => row.isExtra === undefined || device.quantities[row.quantity]?.ok === true);
  return asked.map(row => {
    const energetic = row.name === 'energy' || row.name === 'power';
    const what: Quantity = {
      id: `${ID}/${gpu}/${row.quantity}`,
      kind: row.kind,
      scope: row.isModule ? 'module' : row.isMemory ? 'chip' : 'board',
      covers: energetic ? coversOf(row) : [],
      quantity: row.name,
      unit: row.unit,
      ...(row.name === 'energy' || row.name === 'power' ? { quantum: 1e-3 } : {}),
      ...(energetic && !row.isModule && !row.isMemory && device.powerLimitWatts > 0
        ? { capWatts: device.powerLimitWatts }
        : {}),
      ...averagingOf(row, device),
    };
    const answer = device.quantities[row.quantity];
    if (!answer?.ok) {
      const reason = answer?.reason || 'this driver was not asked for it';
      return unreadable(
        what,
        'unsupported',
        reason,
        'a newer driver may offer it; older GPUs do not have every quantity',
      );
    }
    const sharing = device.migEnabled ? 'MIG is on' : 'this is a vGPU';
    // Which of NVML's numbers a joule comes from, and on which generation: what they mean has changed between these.
    const way = `${answer.reason}${device.computeCapability === undefined ? '' : `, compute capability ${device.computeCapability}`}`;
    const shared = isShared ? [`${sharing}: this is the whole device, with other tenants in it`] : [];
    const note = energetic ? [...shared, way].join('; ') : undefined;
    return readable(what, { type: 'nvml', device: device.index, quantity: row.quantity }, row.scale, row.rate, note);
  });
}

/**
 * nvml.h, nvmlDeviceGetPowerUsage, which stands in where a driver lacks field 186: an average over one second on Ampere and later but for GA100 (compute
 * capability 8.0), the power at the moment before.
 */
function averagingOf(
  row: QuantityRow,
  { quantities, computeCapability }: NvmlDevice,
): { averagingWindowSeconds?: number } {
  if (row.averagingWindowSeconds !== undefined) return { averagingWindowSeconds: row.averagingWindowSeconds };
  const isUsage = row.quantity === 'power' && quantities.power?.reason === 'nvmlDeviceGetPowerUsage';
  if (!isUsage || computeCapability === undefined || computeCapability === '8.0') return {};
  return Number.parseInt(computeCapability, 10) >= 8 ? { averagingWindowSeconds: 1 } : {};
}

/** Pure: what a probe of the library turns into. */
export function nvmlRows(probe: NvmlProbe): ProbedChannel[] {
  const what = { kind: 'counter', scope: 'board', quantity: 'energy', unit: 'J' } as const;
  if (probe.status !== 'ok') return nothingFound(ID, what, probe.reason, probe.remedy, probe.status);
  if (probe.devices.length === 0) {
    const remedy = 'in a container start it with --gpus all; otherwise look at nvidia-smi -L';
    return nothingFound(ID, what, `NVML of driver ${probe.driverVersion} lists no GPU`, remedy);
  }
  return probe.devices.flatMap(deviceRows);
}

export const nvml: TelemetrySource = {
  id: ID,
  summary: 'energy, power, temperature, clocks and throttle reasons of NVIDIA GPUs (libnvidia-ml)',
  limitSeconds: NVML_PATIENCE_SECONDS + 2,
  async probe(roots: TelemetryRoots, native: NativeAddon): Promise<ProbedChannel[]> {
    return nvmlRows(await probeNvmlSafely(native, roots.nvmlLibraries));
  },
};
