/** The pure readers of kernel text. */
import { describe, expect, it } from 'vitest';
import { parseCgroupLines, parseCpuMax, upwards } from '../../../src/host/cgroup.ts';
import { type ContainerMarks, containerRuntime, hypervisorName } from '../../../src/host/container.ts';
import { parseCpuTimes } from '../../../src/host/cpu-times.ts';
import { parseOsRelease } from '../../../src/host/inventory.ts';
import { parseCpuList, parseKeyed, parseNumber } from '../../../src/host/kernel-files.ts';
import { parseMeminfo, usableMemory } from '../../../src/host/memory.ts';
import { activityBetween, parseLoad } from '../../../src/host/state.ts';

describe('kernel text', () => {
  it('takes one number and nothing else', () => {
    expect(parseNumber(' -1250\n')).toBe(-1250);
    for (const text of ['', 'N/A', '<unknown>', '12 34', '0x1f', 'Infinity', '1e9'])
      expect(parseNumber(text)).toBeNull();
  });

  it('reads CPU lists', () => {
    expect(parseCpuList('0-3,8,10-11')).toEqual([0, 1, 2, 3, 8, 10, 11]);
    expect(parseCpuList('')).toEqual([]);
    expect(parseCpuList('3-1')).toBeNull();
    expect(parseCpuList('0-4294967295')).toBeNull();
  });

  it('reads keyed lines, with kB as bytes', () => {
    const keyed = parseKeyed('nr_periods 0\nthrottled_usec 12\nMemTotal:       16 kB\nbroken line\n');
    expect([...keyed]).toEqual([
      ['nr_periods', 0],
      ['throttled_usec', 12],
      ['MemTotal', 16384],
    ]);
  });

  it('reads the CPU times of the machine in seconds, guest time not twice', () => {
    const times = parseCpuTimes('cpu  100 20 30 400 50 6 7 80 90 10\ncpu0 1 1 1 1\n');
    expect(times?.total).toBeCloseTo(6.93, 9);
    expect(times).toMatchObject({ user: 1.2, system: 0.3, idle: 4, iowait: 0.5, steal: 0.8 });
    expect(parseCpuTimes('intr 1 2 3')).toBeNull();
    expect(parseCpuTimes('cpu  1 x 3 4')).toBeNull();
  });

  it('reads load averages', () => {
    expect(parseLoad('0.10 0.12 0.09 1/230 4711')).toEqual([0.1, 0.12, 0.09]);
    expect(parseLoad('')).toEqual([]);
  });

  it('reads os-release with and without quotes', () => {
    const release = parseOsRelease('NAME="Debian GNU/Linux"\nVERSION_ID="12"\nID=debian\n# note\n');
    expect([release.get('NAME'), release.get('VERSION_ID'), release.get('ID')]).toEqual([
      'Debian GNU/Linux',
      '12',
      'debian',
    ]);
  });
});

describe('activity', () => {
  const times = (busy: number, idle: number, steal: number) => ({
    user: busy,
    system: 0,
    idle,
    iowait: 0,
    steal,
    total: busy + idle + steal,
  });

  it('takes its own time off and tells steal from work', () => {
    const activity = activityBetween(times(10, 100, 1), times(11.5, 102, 1.5), 0.5, 1);
    expect(activity.stealFraction).toBeCloseTo(0.5 / 4, 9);
    expect(activity.foreignCores).toBeCloseTo(1, 9);
  });

  it('says nothing where the clock stood still', () => {
    expect(activityBetween(times(1, 1, 1), times(1, 1, 1), 0, 1)).toEqual({ stealFraction: null, foreignCores: null });
  });
});

describe('memory', () => {
  const limits = {
    version: 2 as const,
    cpuQuota: null,
    memoryLimitBytes: null,
    memoryUsedBytes: null,
    cpusetCpus: null,
  };

  it('takes the smaller of what is available and what the group still allows', () => {
    const memory = parseMeminfo(
      'MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 800 kB\nSwapTotal: 50 kB\nSwapFree: 20 kB\n',
    );
    expect(memory).toEqual({
      totalBytes: 1_024_000,
      availableBytes: 819_200,
      swapBytes: 51_200,
      swapUsedBytes: 30_720,
    });
    if (!memory) return;
    expect(usableMemory(memory, null)).toBe(819_200);
    expect(usableMemory(memory, { ...limits, memoryLimitBytes: 500_000, memoryUsedBytes: 100_000 })).toBe(400_000);
    expect(usableMemory(memory, { ...limits, memoryLimitBytes: 500_000, memoryUsedBytes: 600_000 })).toBe(0);
    expect(usableMemory(memory, { ...limits, memoryLimitBytes: 2 ** 50, memoryUsedBytes: 0 })).toBe(819_200);
    expect(parseMeminfo('nothing')).toBeNull();
  });
});

describe('control groups', () => {
  it('reads both versions of the membership file', () => {
    const both = parseCgroupLines('9:cpu,cpuacct:/a\n4:memory:/b/c\n0::/d\n');
    expect([both.get('cpu'), both.get('cpuacct'), both.get('memory'), both.get('')]).toEqual([
      '/a',
      '/a',
      '/b/c',
      '/d',
    ]);
  });

  it('walks up to the root and never above it', () => {
    expect(upwards('/sys/fs/cgroup', '/a/b')).toEqual(['/sys/fs/cgroup/a/b', '/sys/fs/cgroup/a', '/sys/fs/cgroup']);
    expect(upwards('/sys/fs/cgroup', '/../../etc')).toEqual(['/sys/fs/cgroup/etc', '/sys/fs/cgroup']);
  });

  it('reads quotas', () => {
    expect(parseCpuMax('150000 100000')).toBe(1.5);
    expect(parseCpuMax('max 100000')).toBeNull();
    expect(parseCpuMax('')).toBeNull();
  });
});

describe('container and hypervisor', () => {
  const none: ContainerMarks = {
    dockerenv: false,
    containerenv: false,
    variable: null,
    cgroup: '0::/user.slice',
    environment: {},
  };
  it.each<[string, Partial<ContainerMarks>, string | null]>([
    ['bare metal', {}, null],
    ['docker', { dockerenv: true }, 'docker'],
    ['docker by its group', { cgroup: '0::/system.slice/docker-4f2c.scope' }, 'docker'],
    ['kubernetes', { dockerenv: true, environment: { KUBERNETES_SERVICE_HOST: '10.0.0.1' } }, 'kubernetes'],
    ['kubernetes by its group', { cgroup: '0::/kubepods.slice/kubepods-burstable.slice/x' }, 'kubernetes'],
    ['podman', { containerenv: true }, 'podman'],
    ['lxc', { variable: 'lxc' }, 'lxc'],
    ['lxc by its group', { cgroup: '0::/lxc.payload.web/x' }, 'lxc'],
    ['systemd-nspawn', { variable: 'systemd-nspawn' }, 'systemd-nspawn'],
    ['apptainer', { environment: { APPTAINER_CONTAINER: '/images/x.sif' } }, 'apptainer'],
    ['a Slurm job', { cgroup: '0::/system.slice/slurmstepd.scope/job_7', environment: { SLURM_JOB_ID: '7' } }, 'slurm'],
  ])('knows %s', (_, marks, expected) => {
    expect(containerRuntime({ ...none, ...marks })).toBe(expected);
  });

  it.each([
    ['QEMU Standard PC (Q35 + ICH9, 2009)', 'kvm'],
    ['VMware, Inc. VMware7,1', 'vmware'],
    ['Microsoft Corporation Virtual Machine', 'hyper-v'],
    ['Amazon EC2 c7i.large', 'kvm (Amazon EC2)'],
    ['Amazon EC2 c7i.metal-24xl', null],
    ['Dell Inc. PowerEdge R750', null],
  ])('names the hypervisor of %s', (platform, expected) => {
    expect(hypervisorName(platform)).toBe(expected);
  });
});
