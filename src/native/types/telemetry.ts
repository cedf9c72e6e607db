/** The sampler, NVML and the other vendors' management libraries. */
/** One quantity that the sampler thread reads on its own clock. */
export interface SamplerChannel {
  id: string;
  /** What to read: a file that holds a number, a field of a /proc file, or an NVML field. */
  read:
    | { type: 'file'; path: string }
    | { type: 'procStat'; path: string; field: 'user' | 'system' | 'idle' | 'iowait' | 'steal' | 'total' }
    | { type: 'loadavg'; path: string }
    | { type: 'procStatLine'; path: string; key: 'ctxt' | 'procs_running' | 'procs_blocked' }
    | { type: 'keyedFile'; path: string; key: string }
    /** The product of two numbers, read one right after the other: volts and amperes of a rail. */
    | { type: 'product'; path: string; otherPath: string }
    | { type: 'nvml'; device: number; quantity: NvmlQuantity }
    /** A counter of perf, system-wide on one CPU; raw, from the first read on. */
    | ({ type: 'perf' } & PerfEvent)
    /** A device's energy counter, joules. */
    | { type: 'energyLibrary'; vendor: EnergyVendor; libraries: string[]; device: number };
  /** Multiplies the raw number into the unit of the series. */
  scale: number;
  periodSeconds: number;
  /** Ring capacity in readings; the oldest are lost, and counted, when it is not drained in time. */
  capacity: number;
}

/** What perf_event_open takes: numbers of /sys/bus/event_source/devices. */
export interface PerfEvent {
  pmu: number;
  config: number;
  cpu: number;
}

/** Libraries that have an energy counter for each of their devices: AMD SMI, Intel's Level Zero Sysman. */
export type EnergyVendor = 'amdsmi' | 'levelzero';

export type EnergyLibraryProbe =
  /**
   * Per device whether its counter answered, the library's error where not, what it stood at, and its PCI address
   * (`0000:c1:00.0`; empty where the library does not say).
   */
  | { status: 'ok'; devices: { ok: boolean; reason: string; joules: number; pci: string }[] }
  | { status: 'absent' | 'unsupported' | 'denied'; reason: string; remedy: string };

export type NvmlQuantity =
  | 'energy'
  | 'power'
  | 'powerAverage'
  | 'temperature'
  | 'smClock'
  | 'memoryClock'
  | 'throttleReasons'
  | 'utilization'
  | 'moduleEnergy'
  | 'modulePower'
  | 'memoryPower'
  | 'memoryTemperature'
  | 'powerCapTime'
  | 'thermalTime'
  | 'hardwareThermalTime'
  | 'powerBrakeTime'
  | 'syncBoostTime'
  | 'eccUncorrected'
  | 'eccCorrected'
  | 'nvlinkTx'
  | 'nvlinkRx'
  | 'pcieTx'
  | 'pcieRx';

export interface SamplerReadings {
  /** CLOCK_MONOTONIC seconds, taken half-way between before and after the read. */
  timeSeconds: Float64Array;
  /** NaN where a read failed: a failed read is never 0. */
  values: Float64Array;
}

export interface SamplerStats {
  channels: { id: string; reads: number; failures: number; lost: number; lastError: string }[];
  /** Deadlines that were missed by more than one period. */
  overruns: number;
  /** CPU time that the sampler's thread has used, seconds. */
  cpuSeconds: number;
}

export interface NativeSampler {
  start(): void;
  /** Takes what has come in since the last call, by channel id. */
  drain(): Record<string, SamplerReadings>;
  stats(): SamplerStats;
  stop(): void;
}

export interface NvmlDevice {
  index: number;
  name: string;
  uuid: string;
  memoryBytes: number;
  /** At the time of asking, by all processes; NaN where the device does not say. */
  memoryUsedBytes: number;
  /** Quantities that answered, and the reason for each that did not. */
  quantities: Partial<Record<NvmlQuantity, { ok: boolean; reason: string }>>;
  powerLimitWatts: number;
  migEnabled: boolean;
  /** A share of a GPU that a hypervisor hands out. */
  vgpu: boolean;
  /** `8.6`; absent where the device does not say. */
  computeCapability?: string;
}

export type NvmlProbe =
  | { status: 'ok'; library: string; driverVersion: string; devices: NvmlDevice[] }
  | { status: 'absent' | 'unsupported' | 'denied'; reason: string; remedy: string };
