/**
 * The machine as the document describes it, read once before anything is measured. No serial number, hardware or network
 * address, host or user name goes into it: what passes is picked field by field.
 */
import os from 'node:os';
import path from 'node:path';
import type { Machine } from '../machine.ts';
import { probeNvmlSafely } from '../native/nvml-probe.ts';
import type { NativeAddon } from '../native/types.ts';
import type { Host } from '../results/schema.ts';
import { type Environment, readConfinement, readVirtualization } from './container.ts';
import { readAccelerators, readNetworkCards } from './devices.ts';
import { relevantEnvironment } from './environment.ts';
import { hostIdentity, type Identity } from './identity.ts';
import { textOrNull } from './kernel-files.ts';
import { readMemory, usableMemory } from './memory.ts';
import { HOST_ROOTS, type HostRoots } from './roots.ts';
import { readSlowFacts, type SlowFacts } from './slow-facts.ts';
import { readState, sampleActivity } from './state.ts';
import { readTopology } from './topology.ts';

export interface InventoryOptions {
  native: Pick<NativeAddon, 'cpuFeatures' | 'cpuCaches' | 'affinity' | 'probeNvml'>;
  nvmlLibraries: string[];
  /** Where a random id is kept on machines that have no id of their own. */
  cacheDir: string;
  /** A name that the user gave to the machine. */
  label?: string;
  /** Versions that the caller knows (onnxruntime, ...), beside those of the platform. */
  versions?: Record<string, string>;
  roots?: HostRoots;
  environment?: Environment;
  /** How long to watch the machine for steal and foreign load, seconds. */
  activitySeconds?: number;
  /** In place of systeminformation; for tests. */
  slowFacts?: () => Promise<SlowFacts>;
}

export interface Inventory {
  host: Host;
  /** What a workload may know. */
  machine: Machine;
  /** What fitness needs and the document has no place for. */
  observed: {
    foreignCores: number | null;
    swapUsedBytes: number;
    identityBasis: Identity['basis'];
    unanswered: string[];
  };
}

const DEFAULT_ACTIVITY_SECONDS = 1;

/** Takes one to a few seconds, of which most is waiting. Never rejects for something that the machine does not have. */
export async function collectInventory(options: InventoryOptions): Promise<Inventory> {
  const { native } = options;
  const roots = options.roots ?? HOST_ROOTS;
  const environment = options.environment ?? process.env;
  const slow = await (options.slowFacts ?? readSlowFacts)();
  const features = native.cpuFeatures();
  const caches = native.cpuCaches(roots.sys);
  const usableCores = native.affinity().length;
  const { logicalCores, ...topology } = await readTopology(roots);
  const memory = await readMemory(roots, osMemory());
  const { container, limits } = await readConfinement(roots, environment);
  const nvml = await probeNvmlSafely(native, options.nvmlLibraries);
  const identity = await hostIdentity(roots, options.cacheDir, hasOwnImage(container?.runtime ?? null));
  const state = await readState(roots);
  // Last, so that nothing of the inventory itself is taken for load.
  const activity = await sampleActivity(roots, options.activitySeconds ?? DEFAULT_ACTIVITY_SECONDS);
  const host: Host = {
    id: identity.id,
    ...(options.label === undefined ? {} : { label: options.label }),
    cpu: {
      vendor: features.vendor,
      brand: features.brand,
      arch: features.arch,
      logicalCores: logicalCores ?? os.cpus().length,
      usableCores,
      isas: [...features.isas],
      flags: [...features.flags],
      caches,
      ...topology,
    },
    memory: {
      totalBytes: memory.totalBytes,
      availableBytes: memory.availableBytes,
      swapBytes: memory.swapBytes,
      limitBytes: limits?.memoryLimitBytes ?? null,
      modules: slow.memoryModules,
    },
    accelerators: await readAccelerators(roots, nvml, slow.graphics),
    storage: slow.storage,
    network: await readNetworkCards(roots),
    os: await readSystem(roots),
    virtualization: await readVirtualization(roots, features, slow.hypervisor.toLowerCase()),
    container,
    versions: {
      ...platformVersions(),
      ...(nvml.status === 'ok' ? { nvidiaDriver: nvml.driverVersion } : {}),
      ...options.versions,
    },
    state: {
      ...state,
      loadAverage: state.loadAverage.length > 0 ? state.loadAverage : os.loadavg(),
      uptimeSeconds: state.uptimeSeconds ?? os.uptime(),
      stealFraction: activity.stealFraction,
      environment: relevantEnvironment(environment, {
        hostname: os.hostname(),
        home: os.homedir(),
        user: environment.USER ?? environment.LOGNAME ?? '',
      }),
    },
  };
  return {
    host,
    machine: { usableCores, memoryBytes: usableMemory(memory, limits), caches },
    observed: {
      foreignCores: activity.foreignCores,
      swapUsedBytes: memory.swapUsedBytes,
      identityBasis: identity.basis,
      unanswered: slow.unanswered,
    },
  };
}

/** Limits alone (a bare control group, a Slurm job) come without an image of their own. */
function hasOwnImage(runtime: string | null): boolean {
  return runtime !== null && runtime !== 'cgroup' && runtime !== 'slurm';
}

function osMemory(): Parameters<typeof readMemory>[1] {
  return { totalBytes: os.totalmem(), availableBytes: os.freemem(), swapBytes: 0, swapUsedBytes: 0 };
}

function platformVersions(): Record<string, string> {
  const { node, v8, uv, openssl } = process.versions;
  return { node, v8, uv, openssl };
}

/** Pure: `KEY="value"` lines of os-release(5). */
export function parseOsRelease(text: string): Map<string, string> {
  const out = new Map<string, string>();
  for (const line of text.split('\n')) {
    const match = /^([A-Z_]+)=(?:"(.*)"|'(.*)'|(.*))$/.exec(line.trim());
    if (match?.[1]) out.set(match[1], match[2] ?? match[3] ?? match[4] ?? '');
  }
  return out;
}

async function readSystem(roots: HostRoots): Promise<Host['os']> {
  const release = parseOsRelease((await textOrNull(path.join(roots.etc, 'os-release'))) ?? '');
  return {
    platform: os.platform(),
    distribution: release.get('NAME') ?? os.type(),
    release: release.get('VERSION_ID') ?? release.get('BUILD_ID') ?? '',
    kernel: os.release(),
    libc: libcVersion(),
  };
}

/** Node's own report knows the C library that it runs on; musl is not named there. */
function libcVersion(): string | null {
  const maker: (NodeJS.ProcessReport & { excludeNetwork?: boolean }) | undefined = process.report;
  if (!maker) return null;
  // Otherwise it looks up names of all open connections.
  maker.excludeNetwork = true;
  const report: unknown = maker.getReport();
  if (typeof report !== 'object' || report === null || !('header' in report)) return null;
  const header: unknown = report.header;
  if (typeof header !== 'object' || header === null || !('glibcVersionRuntime' in header)) return null;
  return typeof header.glibcVersionRuntime === 'string' ? `glibc ${header.glibcVersionRuntime}` : null;
}
