/**
 * The whole native surface: plain objects, numbers, typed arrays and opaque handles. The addon's exports and this file
 * change in one commit; a test compares them. One file per area, all of them exported here.
 */
import type { CollectiveAlgorithmInfo, CollectiveOptions, NativeMpi } from './types/collectives.ts';
import type {
  OpenclGemmOptions,
  OpenclLibraries,
  OpenclProbe,
  OpenclStreamOptions,
  PjrtAllReduceOptions,
  PjrtGemmOptions,
  PjrtProbe,
} from './types/devices.ts';
import type { GemmOptions, GemmPeer, PeakOptions } from './types/gemm.ts';
import type { GpuCollectiveOptions, GpuGemmOptions, GpuLibraries, GpuMemoryOptions, GpuProbe } from './types/gpu.ts';
import type { BuildInfo, ClockInfo, CpuCache, CpuFeatures } from './types/host.ts';
import type { NativeOrtSession, OrtSessionOptions, VulkanAdapter } from './types/inference.ts';
import type { PointerChaseOptions, ReadOptions, StreamOptions } from './types/memory.ts';
import type { NativeProblem } from './types/problem.ts';
import type {
  EnergyLibraryProbe,
  EnergyVendor,
  NativeSampler,
  NvmlProbe,
  PerfEvent,
  SamplerChannel,
} from './types/telemetry.ts';

export * from './types/collectives.ts';
export * from './types/devices.ts';
export * from './types/gemm.ts';
export * from './types/gpu.ts';
export * from './types/host.ts';
export * from './types/inference.ts';
export * from './types/memory.ts';
export * from './types/problem.ts';
export * from './types/telemetry.ts';

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
