/**
 * The whole native surface: plain objects, numbers, typed arrays and opaque handles. The addon's exports and this file
 * change in one commit; a test compares them.
 */

/** Instruction-set paths that a kernel may need, weakest first. `scalar` is always there. */
export const ISAS = [
  'scalar',
  'avx2',
  'avxvnni',
  'avx512f',
  'avx512vnni',
  'avx512bf16',
  'neon',
  'neondot',
  'neonbf16',
  'neoni8mm',
] as const;
export type Isa = (typeof ISAS)[number];

export interface CpuFeatures {
  arch: 'x86_64' | 'aarch64' | 'other';
  vendor: string;
  brand: string;
  family: number;
  model: number;
  stepping: number;
  /** Paths that this CPU and this operating system can run. */
  isas: Isa[];
  /** Every extension found, in the vendors' spelling (avx512_bf16, vnni, amx_tile, sve2, ...). */
  flags: string[];
  hypervisor: boolean;
}

export interface CpuCache {
  level: number;
  type: 'data' | 'instruction' | 'unified';
  sizeBytes: number;
  lineBytes: number;
  ways: number;
  /** Logical CPUs that share this cache, as seen from the first CPU that this process may use. */
  sharedBy: number;
}

/**
 * Dtypes of a product: bf16 and f16 give f32; s8 times s8 and u8 (A) times s8 (B) give s32.
 */
export const GEMM_DTYPES = ['f32', 'f64', 'bf16', 'f16', 's8', 'u8'] as const;
export type GemmDtype = (typeof GEMM_DTYPES)[number];

/** One row of native/gemm/kernels.inc. */
export interface KernelInfo {
  name: string;
  dtype: GemmDtype;
  mr: number;
  nr: number;
  isa: Isa;
  /** This CPU and OS can run it. */
  supported: boolean;
}

export interface BuildInfo {
  version: string;
  compiler: string;
  target: string;
  kernels: KernelInfo[];
}

export interface ClockInfo {
  /** Smallest step seen, seconds. */
  resolutionSeconds: number;
  /** Cost of one reading, seconds. */
  overheadSeconds: number;
}

export interface NativeVerification {
  method: string;
  passed: boolean;
  error: number;
  tolerance: number;
}

export interface MeasureOptions {
  /** A warm-up ends when it is detected to have ended, at the latest after this. */
  maxWarmupSeconds: number;
  /** A sample is a batch of iterations at least this long (raised when the clock needs more). */
  minSampleSeconds: number;
  /** Stop after this much measured time ... */
  targetSeconds: number;
  /** ... but not before this many samples ... */
  minSamples: number;
  /** ... nor after this many. */
  maxSamples: number;
}

export interface NativeMeasurement {
  /** Start and end of the measured window, CLOCK_MONOTONIC seconds. */
  windowStart: number;
  windowEnd: number;
  /** Duration of each sample, seconds; every sample is `iterationsPerSample` iterations. */
  samplesSeconds: Float64Array;
  iterationsPerSample: number;
  /** The same samples as each rank measured them; empty where there are no ranks. */
  rankSamplesSeconds: Float64Array[];
  warmup: { samplesSeconds: Float64Array; settled: boolean };
  /** False when stop() ended it early. */
  complete: boolean;
}

/** One thing to be timed; see native/core/problem.h. All promises settle on the event loop; the work is on own threads. */
export interface NativeProblem {
  /** Allocates and fills. Rejects with a NativeError. */
  prepare(): Promise<void>;
  /** Runs once, then checks the output. */
  runAndVerify(): Promise<NativeVerification>;
  /** Times. Leaves the last output in place. */
  measure(options: MeasureOptions): Promise<NativeMeasurement>;
  /** Checks the output as it lies, without running. */
  verify(): Promise<NativeVerification>;
  /** Ceilings of the machine for this work, measured now: rates by name. Empty where there are none. */
  measureCeilings(): Promise<Record<string, number>>;
  /** Damages the output as a defect would; for tests of the verifier. */
  injectFault(kind: string): void;
  faultKinds(): string[];
  /** What one iteration does. */
  work(): { flops: number; bytes: number; items: number };
  /** Facts for the record: kernel, isa, blocking, bytesAllocated, ... */
  facts(): Record<string, string>;
  /**
   * Ceilings that measure() saw between its samples, by name (`fma_flops_per_second`): best of many looks, as of the last
   * call that ended. Empty for a problem that has none.
   */
  ceilings(): Record<string, number>;
  /** Asks a running measure() to end after the sample in hand. */
  stop(): void;
  /** Frees memory and threads. */
  dispose(): void;
}

/** Errors that the addon throws carry these two beside `message`. */
export interface NativeError extends Error {
  code: string;
  remedy: string;
}

export interface GemmOptions {
  dtype: GemmDtype;
  m: number;
  n: number;
  k: number;
  threads: number;
  seed: number;
  /** Force a path; otherwise the best that the CPU and AIBENCH_ISA allow. */
  isa?: Isa;
  /** f32 on our own kernels alone: `flops` of work() are then those that are done, `items` those of the dense product. */
  weights?: 'dense' | '2:4' | 'block' | 'int4';
  /** A name of gemmPeers(), or `native` (the default): our own kernels. */
  backend?: string;
}

/** A library that gemm can be run on, opened at run time. */
export interface GemmPeer {
  name: string;
  found: boolean;
  /** Why not, and what to do; empty where it was found. */
  reason: string;
  remedy: string;
  /** The file that the loader took. */
  path: string;
  version: string;
  /** pthreads, OpenMP, sequential, ... */
  threading: string;
  /** The kernels that the library chose for this CPU, in its own words. */
  kernel: string;
  dtypes: string[];
}

export interface PeakOptions {
  dtype: GemmDtype;
  threads: number;
  isa?: Isa;
}

export interface StreamOptions {
  kernel: 'copy' | 'scale' | 'add' | 'triad';
  /** Bytes of each of the arrays. */
  bytesPerArray: number;
  threads: number;
  seed: number;
}

export interface ReadOptions {
  /** Of all threads together; each reads its own share again and again. */
  bytes: number;
  threads: number;
  seed: number;
}

export interface PointerChaseOptions {
  bytes: number;
  seed: number;
}

/** `shift` and `ping-pong` are what collectives are made of: see native/collective/algorithm.h. */
export const COLLECTIVES = [
  'allreduce',
  'reduce-scatter',
  'all-gather',
  'broadcast',
  'all-to-all',
  'shift',
  'ping-pong',
] as const;
export type CollectiveName = (typeof COLLECTIVES)[number];
export const COLLECTIVE_DTYPES = ['f64', 'f32', 'f16', 'bf16', 's32', 's8'] as const;
export type CollectiveDtype = (typeof COLLECTIVE_DTYPES)[number];

export interface CollectiveOptions {
  collective: CollectiveName;
  dtype: CollectiveDtype;
  /** Where it reduces. */
  op: 'sum' | 'min' | 'max';
  /** Message size as in nccl-tests: bytes of the larger of a rank's two vectors. */
  bytes: number;
  ranks: number;
  seed: number;
  /** Force one algorithm; otherwise chosen by size and rank count. */
  algorithm?: string;
  /** Ranks are processes over POSIX shared memory, else threads. */
  processes?: boolean;
  /** Ranks do not see each other's vectors, as with MPI. */
  privateBuffers?: boolean;
  inPlace?: boolean;
  /** OSU's method (barrier, one timed call), else calls back to back. */
  perCall?: boolean;
  /** A rank that has not moved for so long has failed. */
  patienceSeconds?: number;
}

export interface CollectiveAlgorithmInfo {
  collective: CollectiveName;
  name: string;
  /** It reaches into other ranks' buffers. */
  sharedBuffers: boolean;
}

/** This process as a rank of an MPI job. */
export interface NativeMpi {
  info(): {
    rank: number;
    size: number;
    abi: string;
    library: string;
    version: string;
    launcher: string;
    oversubscribed: boolean;
    ranks: { host: string; pid: number }[];
  };
  /** On rank 0, while the others follow. */
  createCollective(
    options: Pick<CollectiveOptions, 'collective' | 'dtype' | 'op' | 'bytes' | 'seed' | 'inPlace' | 'perCall'>,
  ): NativeProblem;
  /** On the other ranks: does what rank 0 commands; gets the exit code at the end. */
  follow(): Promise<number>;
  /** How long the MPI call under way has taken, seconds; 0 when there is none. */
  busySeconds(): number;
  /** Ranks of this host that have stopped or died, in words; empty when all run. */
  silentRanks(): string;
  /** On rank 0: the others leave with this exit code. */
  endFollowers(exitCode: number): void;
  /** MPI_Finalize; every rank must call it. */
  finalize(): void;
  /** Ends the whole job at once; does not return. */
  abort(exitCode: number): void;
}

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
  /** Per device whether its counter answered, the library's error where not, and what it stood at. */
  | { status: 'ok'; devices: { ok: boolean; reason: string; joules: number }[] }
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
  | 'eccUncorrected'
  | 'nvlinkTx'
  | 'nvlinkRx';

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
  /** Quantities that answered, and the reason for each that did not. */
  quantities: Partial<Record<NvmlQuantity, { ok: boolean; reason: string }>>;
  powerLimitWatts: number;
  migEnabled: boolean;
  /** A share of a GPU that a hypervisor hands out. */
  vgpu: boolean;
}

export type NvmlProbe =
  | { status: 'ok'; library: string; driverVersion: string; devices: NvmlDevice[] }
  | { status: 'absent' | 'unsupported' | 'denied'; reason: string; remedy: string };

export const GPU_VENDORS = ['cuda', 'rocm'] as const;
export type GpuVendor = (typeof GPU_VENDORS)[number];

/** Where the libraries of a GPU vendor may be: paths or sonames to try, in order. */
export interface GpuLibraries {
  vendor: GpuVendor;
  /** libcuda, libamdhip64. */
  driver: string[];
  /** cuBLASLt, hipBLASLt. */
  matmul: string[];
  /** NCCL, RCCL. */
  collective: string[];
}

/** A GPU as the driver lists it. */
export interface GpuDevice {
  index: number;
  name: string;
  /** Of the board, as NVML writes it; empty where the driver does not say. */
  uuid: string;
  /** Of the MIG instance that this device is; empty where it is a whole GPU. */
  instanceUuid: string;
  /** `0000:1b:00.0` */
  pciBusId: string;
  numaNode: number | null;
  memoryBytes: number;
  multiprocessors: number;
  computeCapability: string;
  /** Highest. */
  clockHz: number;
  memoryClockHz: number;
  memoryBusBits: number;
  l2Bytes: number;
  ecc: boolean;
}

/** absent: nothing is there. unsupported: it is there and cannot be used. broken: it is there and fails. */
export type GpuStatus = 'ok' | 'absent' | 'unsupported' | 'broken';

export interface GpuLibraryState {
  status: GpuStatus;
  reason: string;
  remedy: string;
  library: string;
  version: string;
}

export interface GpuProbe {
  vendor: GpuVendor;
  status: GpuStatus;
  reason: string;
  remedy: string;
  library: string;
  driverVersion: string;
  devices: GpuDevice[];
  matmul: GpuLibraryState;
  collective: GpuLibraryState;
}

export const GPU_DTYPES = ['f64', 'f32', 'tf32', 'f16', 'bf16', 'f8e4m3', 'f8e5m2', 's8'] as const;
export type GpuDtype = (typeof GPU_DTYPES)[number];

export interface GpuGemmOptions {
  libraries: GpuLibraries;
  /** The driver's numbers; several work at the same time. */
  devices: number[];
  dtype: GpuDtype;
  m: number;
  n: number;
  k: number;
  /** `tn`: both operands have k as their fastest dimension; `nn`: A has m. */
  layout: 'tn' | 'nn';
  workspaceBytes: number;
  /** How many algorithms the library is asked for; each is tried. */
  algorithms: number;
  /** Products that take less are replayed as a graph of many. */
  graphBelowSeconds: number;
  seed: number;
}

/** Where the libraries may be: paths or sonames to try, in order. */
export interface OpenclLibraries {
  /** libOpenCL, the ICD loader. */
  opencl: string[];
  clblast: string[];
}

export interface OpenclDevice {
  /** Over all platforms, in the loader's order. */
  index: number;
  name: string;
  vendor: string;
  type: 'gpu' | 'cpu' | 'accelerator' | 'other';
  /** It computes on the host's CPU. */
  software: boolean;
  platform: string;
  platformVersion: string;
  driverVersion: string;
  /** All of it: OpenCL does not say what is free. */
  memoryBytes: number;
  /** Of one buffer. */
  maxAllocationBytes: number;
  computeUnits: number;
  clockHz: number;
  /** In which CLBlast can multiply there. */
  dtypes: string[];
  /** It compiles OpenCL C. */
  compiler: boolean;
}

export interface OpenclProbe {
  status: GpuStatus;
  reason: string;
  remedy: string;
  library: string;
  devices: OpenclDevice[];
  clblast: GpuLibraryState;
}

/** `device`: index of probeOpencl, or left out: the first that is not software, else the first. */
export interface OpenclGemmOptions extends OpenclLibraries {
  device?: number;
  dtype: 'f32' | 'f64' | 'f16';
  m: number;
  n: number;
  k: number;
  seed: number;
}

export interface OpenclStreamOptions extends Pick<OpenclLibraries, 'opencl'> {
  device?: number;
  kernel: 'copy' | 'scale' | 'add' | 'triad';
  /** Rounded down to a multiple of 16. */
  bytesPerArray: number;
  seed: number;
}

/** One rank per device. */
export interface GpuCollectiveOptions
  extends Pick<CollectiveOptions, 'collective' | 'dtype' | 'op' | 'bytes' | 'seed' | 'inPlace' | 'perCall'> {
  libraries: GpuLibraries;
  devices: number[];
}

export const GPU_MEMORY_KERNELS = [
  'copy',
  'triad',
  'memcpy',
  'h2d',
  'd2h',
  'h2d-pageable',
  'd2h-pageable',
  'peer',
] as const;

export interface GpuMemoryOptions {
  libraries: GpuLibraries;
  /** One; of `peer` two, from the first to the second. */
  devices: number[];
  kernel: (typeof GPU_MEMORY_KERNELS)[number];
  /** Of each array; a multiple of 16. */
  bytes: number;
  seed: number;
}

export interface PjrtDevice {
  index: number;
  /** The plugin's name of the kind: `TPU v5 lite`. */
  name: string;
  /** The most that a user may take; null where the plugin does not say. */
  memoryBytes: number | null;
}

export interface PjrtProbe {
  status: GpuStatus;
  reason: string;
  remedy: string;
  /** Path of the plugin. */
  library: string;
  /** Of the interface: `0.81`. */
  version: string;
  platform: string;
  platformVersion: string;
  devices: PjrtDevice[];
}

export interface PjrtGemmOptions {
  /** Path of the plugin. */
  plugin: string;
  /** Index of probePjrt; the first when it is left out. */
  device?: number;
  dtype: 'f64' | 'f32' | 'f16' | 'bf16';
  m: number;
  n: number;
  k: number;
  seed: number;
}

export interface PjrtAllReduceOptions extends Pick<PjrtGemmOptions, 'plugin' | 'dtype' | 'seed'> {
  /** Of each device's vector. */
  bytes: number;
}

/** A tensor of ONNX Runtime: type and dims as onnxruntime-node names them. */
export interface OrtTensor {
  type: string;
  dims: readonly number[];
  data: ArrayBufferView;
}

export interface OrtPort {
  name: string;
  /** `float32`, `int64`, ... or null for what is not a tensor. */
  type: string | null;
  /** A text is a dynamic dimension's name; it may be empty. */
  dims: (number | string)[];
}

/** A device as Vulkan names it, in Vulkan's order. `cpu` is a software renderer. */
export interface VulkanAdapter {
  name: string;
  kind: 'other' | 'integrated' | 'discrete' | 'virtual' | 'cpu';
}

export interface OrtSessionOptions {
  /** Path of libonnxruntime. */
  library: string;
  model: string;
  threads: number;
  /** 0 or 1. */
  spinning: number;
  /** 0 or 1. */
  optimise: number;
  /** `cpu`, `cuda`, or a provider's name as SessionOptionsAppendExecutionProvider takes it. */
  provider?: string;
  profilePrefix?: string;
}

/** Inputs and outputs bound to buffers; every call computes on the calling thread. Throws NativeError. */
export interface NativeOrtRun {
  run(): void;
  /** Seconds of so many runs, back to back. */
  time(iterations: number): number;
  /** The outputs' own memory, which the next run overwrites. Those that share an input's buffer are left out. */
  outputs(): Record<string, OrtTensor>;
}

export interface NativeOrtSession {
  version: string;
  inputs: OrtPort[];
  outputs: OrtPort[];
  /**
   * Runs twice, to learn the outputs' shapes and to bind buffers for them.
   * @param shared outputs that are written into an input's buffer: { 'present.0.key': 'past.0.key' }
   */
  bind(
    inputs: readonly (OrtTensor & { name: string })[],
    outputs: readonly string[],
    shared?: Record<string, string>,
  ): NativeOrtRun;
  /** Path of the profile. */
  endProfiling(): string;
  release(): void;
}

export interface NativeAddon {
  buildInfo(): BuildInfo;
  cpuFeatures(): CpuFeatures;
  cpuCaches(sysRoot?: string): CpuCache[];
  /** Logical CPUs that this process may run on. */
  affinity(): number[];
  clockInfo(): ClockInfo;
  /** CLOCK_MONOTONIC in seconds: the clock of all windows and series. */
  now(): number;

  createGemm(options: GemmOptions): NativeProblem;
  createPeak(options: PeakOptions): NativeProblem;
  /** Opens every library that is known, and says what was found. They stay open. */
  gemmPeers(): GemmPeer[];
  createStream(options: StreamOptions): NativeProblem;
  createRead(options: ReadOptions): NativeProblem;
  createPointerChase(options: PointerChaseOptions): NativeProblem;
  createCollective(options: CollectiveOptions): NativeProblem;
  /** Round trips of a cache line between every two of the first `cpus` CPUs. */
  createCoreLatency(options: { cpus: number }): NativeProblem;
  /** One per row of the table of algorithms. */
  collectiveAlgorithms(): CollectiveAlgorithmInfo[];
  /**
   * Opens the MPI library and joins the job that a launcher started this process in; a second call gives the same job.
   * `build`: what must be the same at every rank. Throws a NativeError MPI_*.
   */
  joinMpi(build: string): NativeMpi;

  /** `libraries`: paths or sonames to try for libnvidia-ml, in order. */
  probeNvml(libraries: string[]): NvmlProbe;
  /** Whether a counter of perf can be opened: empty, or the errno's name. */
  probePerfEvent(event: PerfEvent): string;
  /** `libraries`: paths or sonames to try, in order. */
  probeEnergyLibrary(vendor: EnergyVendor, libraries: string[]): EnergyLibraryProbe;
  createSampler(channels: SamplerChannel[], nvmlLibraries: string[]): NativeSampler;

  /**
   * Opens a GPU vendor's driver, lists its devices and says which of its libraries can be used. A broken driver may hang or
   * crash in it: only to be called in a process of its own (callIsolated).
   */
  probeGpus(libraries: GpuLibraries): GpuProbe;
  /** Opens the driver in prepare(), not before. */
  createGpuGemm(options: GpuGemmOptions): NativeProblem;
  createGpuMemory(options: GpuMemoryOptions): NativeProblem;
  createGpuCollective(options: GpuCollectiveOptions): NativeProblem;

  /** Loads every OpenCL driver there is: only to be called in a process of its own (callIsolated). */
  probeOpencl(libraries: OpenclLibraries): OpenclProbe;
  /** A product by CLBlast. Opens the device on the calling thread. Throws NativeError. */
  createOpenclGemm(options: OpenclGemmOptions): NativeProblem;
  /** Bandwidth of the device's own memory. As createOpenclGemm. */
  createOpenclStream(options: OpenclStreamOptions): NativeProblem;

  /** Opens a PJRT plugin and a client of it: only to be called in a process of its own (callIsolated). */
  probePjrt(plugin: string): PjrtProbe;
  /** Opens the plugin and a client on the calling thread. Throws NativeError. */
  createPjrtGemm(options: PjrtGemmOptions): NativeProblem;
  /** Over all devices of the plugin. As createPjrtGemm. */
  createPjrtAllReduce(options: PjrtAllReduceOptions): NativeProblem;

  /** Loads a model with ONNX Runtime's C API, on the calling thread. Throws NativeError. */
  createOrtSession(options: OrtSessionOptions): NativeOrtSession;
  /**
   * The adapters that Vulkan lists. Throws VULKAN_ABSENT where there is no loader, driver or device; a broken driver may crash in it
   * (callIsolated).
   * @param library for tests: another loader's path
   */
  probeVulkan(library?: string): VulkanAdapter[];
}
