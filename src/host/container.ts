/** Whether this process runs in a container or a batch job, in which, and what it may use. Also what lies below: the hypervisor. */
import path from 'node:path';
import type { Host } from '../results/schema.ts';
import { type CgroupLimits, findCgroup, readCgroupLimits } from './cgroup.ts';
import { textOrNull } from './kernel-files.ts';
import type { HostRoots } from './roots.ts';

export type Environment = Record<string, string | undefined>;

export interface ContainerMarks {
  dockerenv: boolean;
  /** /run/.containerenv, that podman leaves. */
  containerenv: boolean;
  /** `container=` in the environment of the first process (lxc, systemd-nspawn, podman), where it can be read. */
  variable: string | null;
  cgroup: string;
  environment: Environment;
}

/** Pure: the outermost manager's name, or null outside of any. */
export function containerRuntime(marks: ContainerMarks): string | null {
  if (marks.environment.KUBERNETES_SERVICE_HOST || marks.cgroup.includes('kubepods')) return 'kubernetes';
  if (marks.containerenv || marks.variable === 'podman' || marks.cgroup.includes('libpod')) return 'podman';
  if (marks.environment.APPTAINER_CONTAINER || marks.environment.SINGULARITY_CONTAINER) return 'apptainer';
  if (marks.dockerenv || /\/docker[-/]/.test(marks.cgroup)) return 'docker';
  if (marks.variable !== null) return marks.variable;
  if (/\/lxc(\.payload)?[./]/.test(marks.cgroup)) return 'lxc';
  if (/cri-containerd|\/containerd/.test(marks.cgroup)) return 'containerd';
  // A Slurm job is no container, but its limits are.
  if (marks.environment.SLURM_JOB_ID && /slurm/.test(marks.cgroup)) return 'slurm';
  return null;
}

async function readMarks(roots: HostRoots, environment: Environment): Promise<ContainerMarks> {
  const environ = await textOrNull(path.join(roots.proc, '1/environ'));
  return {
    dockerenv: (await textOrNull(path.join(roots.root, '.dockerenv'))) !== null,
    containerenv: (await textOrNull(path.join(roots.root, 'run/.containerenv'))) !== null,
    variable: /(?:^|\0)container=([^\0]+)/.exec(environ ?? '')?.[1] ?? null,
    cgroup: (await textOrNull(path.join(roots.proc, 'self/cgroup'))) ?? '',
    environment,
  };
}

export interface Confinement {
  container: Host['container'];
  limits: CgroupLimits | null;
}

/** The document's `container`; also for a bare process whose control group limits it (`cgroup`). Never rejects. */
export async function readConfinement(roots: HostRoots, environment: Environment): Promise<Confinement> {
  const place = await findCgroup(roots);
  const limits = place ? await readCgroupLimits(place) : null;
  const found = containerRuntime(await readMarks(roots, environment));
  const isLimited = limits !== null && (limits.cpuQuota !== null || limits.memoryLimitBytes !== null);
  const runtime = found ?? (isLimited ? 'cgroup' : null);
  if (runtime === null) return { container: null, limits };
  return {
    container: { runtime, cpuQuota: limits?.cpuQuota ?? null, memoryLimitBytes: limits?.memoryLimitBytes ?? null },
    limits,
  };
}

/** Vendor and product of the platform as hypervisors set them, most specific first. */
const HYPERVISORS: readonly [RegExp, string][] = [
  [/vmware/i, 'vmware'],
  [/virtualbox|innotek/i, 'virtualbox'],
  [/microsoft corporation.*virtual machine/i, 'hyper-v'],
  [/amazon ec2/i, 'kvm (Amazon EC2)'],
  [/google/i, 'kvm (Google)'],
  [/openstack|nutanix|qemu|kvm|red hat|proxmox|digitalocean|alibaba cloud|firecracker/i, 'kvm'],
  [/\bxen\b/i, 'xen'],
  [/parallels/i, 'parallels'],
  [/apple.*virtualization/i, 'apple'],
];

/** Pure: the hypervisor by what the platform calls itself, or null. `*.metal` instances are no guests. */
export function hypervisorName(platform: string): string | null {
  if (/\.metal/.test(platform)) return null;
  return HYPERVISORS.find(([pattern]) => pattern.test(platform))?.[1] ?? null;
}

/**
 * `hypervisorBit`: the CPU's own word (x86), which decides; elsewhere the platform's name does. `fallback` names a
 * hypervisor that left no name in the platform.
 */
export async function readVirtualization(
  roots: HostRoots,
  cpu: { arch: string; hypervisor: boolean },
  fallback: string | null,
): Promise<Host['virtualization']> {
  const platform: string[] = [];
  for (const name of ['sys_vendor', 'product_name', 'product_version', 'bios_vendor']) {
    platform.push((await textOrNull(path.join(roots.sys, 'class/dmi/id', name))) ?? '');
  }
  const xen = await textOrNull(path.join(roots.sys, 'hypervisor/type'));
  const named = xen ?? hypervisorName(platform.join(' '));
  const virtual = cpu.hypervisor || (cpu.arch !== 'x86_64' && named !== null);
  return { virtual, hypervisor: virtual ? (named ?? (fallback || null)) : null };
}
