/** Every source over the fixture tree of a whole machine: what is found, how far it reaches, and which sum is the widest. */
import { afterAll, describe, expect, it, vi } from 'vitest';
import { concernsDevice, disjointGroups, isEnergetic } from '../../../src/analysis/energy-scope.ts';
import { sourceSchema } from '../../../src/results/schema.ts';
import { probeAll, telemetrySources } from '../../../src/telemetry/registry.ts';
import type { ProbedChannel } from '../../../src/telemetry/source.ts';
import { fakeNative } from './fake-native.ts';
import { failingReads, fixtureTree } from './fixture-tree.ts';

vi.mock('../../../src/host/kernel-files.ts', async importOriginal => {
  const original = await importOriginal<typeof import('../../../src/host/kernel-files.ts')>();
  return {
    ...original,
    readText: async (file: string) => {
      const errno = failingReads.get(file);
      return errno ? { ok: false, errno } : original.readText(file);
    },
  };
});

interface Expected {
  /** `id status scope [covers]` of every energy and power row. */
  power: string[];
  /** The sum that a CPU case would be charged with; null where there is none. */
  widest: string | null;
}

const MACHINES: Record<string, Expected> = {
  'xeon-2s': {
    power: [
      'powercap/package-0 ok package [package-0]',
      'powercap/package-0/dram ok package [dram-0]',
      'powercap/package-1 ok package [package-1]',
      'powercap/package-1/dram ok package [dram-1]',
    ],
    widest: 'powercap/package-0+powercap/package-0/dram+powercap/package-1+powercap/package-1/dram',
  },
  'xeon-2s-denied': {
    power: [
      'powercap/package-0 denied package [package-0]',
      'powercap/package-0/dram denied package [dram-0]',
      'powercap/package-1 denied package [package-1]',
      'powercap/package-1/dram denied package [dram-1]',
    ],
    widest: null,
  },
  'xeon-perf-only': {
    power: [
      'perf/package-0 ok package [package-0]',
      'perf/package-1 ok package [package-1]',
      'perf/package-0/dram ok package [dram-0]',
      'perf/package-1/dram ok package [dram-1]',
      'perf/psys implausible board [psys package-0 dram-0 package-1 dram-1]',
    ],
    widest: 'perf/package-0+perf/package-1+perf/package-0/dram+perf/package-1/dram',
  },
  'epyc-2s': {
    power: [
      'powercap/package-0 ok package [package-0 core-0]',
      'powercap/package-0/core ok chip [core-0]',
      'powercap/package-1 ok package [package-1]',
    ],
    widest: 'powercap/package-0+powercap/package-1',
  },
  'grace-hopper': {
    power: [
      'hwmon/power_meter/module-power-socket-0 ok module [module-0 grace-0 package-0 sysio-0 dram-0 gpu-0]',
      'hwmon/power_meter.1/grace-power-socket-0 ok board [grace-0 package-0 sysio-0 dram-0]',
      'hwmon/power_meter.2/cpu-power-socket-0 ok package [package-0]',
      'hwmon/power_meter.3/sysio-power-socket-0 ok chip [sysio-0]',
    ],
    widest: 'hwmon/power_meter/module-power-socket-0',
  },
  'jetson-orin': {
    power: [
      'hwmon/ina3221/vdd_gpu_soc ok chip [ina3221-0-vdd_gpu_soc]',
      'hwmon/ina3221/vdd_cpu_cv ok chip [ina3221-0-vdd_cpu_cv]',
    ],
    widest: null,
  },
  'jetson-orin-nano': {
    power: [
      'hwmon/ina3221/vdd_in ok module [module-0 package-0 gpu-0]',
      'hwmon/ina3221/vdd_cpu_gpu_cv ok chip [ina3221-0-vdd_cpu_gpu_cv]',
      'hwmon/ina3221/vdd_soc ok chip [ina3221-0-vdd_soc]',
    ],
    widest: 'hwmon/ina3221/vdd_in',
  },
  'apple-asahi': {
    power: [
      'hwmon/macsmc_hwmon/ac-input-power ok wall [wall node]',
      'hwmon/macsmc_hwmon/total-system-power ok node [node]',
      'hwmon/macsmc_hwmon/3.8-v-rail-power ok chip [macsmc-0-3.8-v-rail-power]',
    ],
    widest: 'hwmon/macsmc_hwmon/ac-input-power',
  },
  'laptop-psys': {
    power: [
      'powercap/package-0 ok package [package-0 core-0 uncore-0]',
      'powercap/package-0/core ok chip [core-0]',
      'powercap/package-0/uncore ok chip [uncore-0]',
      'powercap/psys ok board [psys package-0 core-0 uncore-0]',
      'powercap/mmio/package-0 unsupported package [package-0]',
      'hwmon/bat0/power unsupported chip []',
    ],
    widest: 'powercap/psys',
  },
  'laptop-mmio-only': {
    power: ['powercap/mmio/package-0 ok package [package-0]'],
    widest: 'powercap/mmio/package-0',
  },
  'ryzen-amdgpu': {
    power: [
      'powercap/package-0 ok package [package-0 core-0]',
      'powercap/package-0/core ok chip [core-0]',
      'hwmon/amdgpu/ppt ok chip [gpu-amdgpu-0]',
    ],
    widest: 'powercap/package-0',
  },
  'xeon-xe': {
    power: [
      'powercap/package-0 ok package [package-0]',
      'hwmon/xe/card-energy ok board [gpu-xe-0 gpu-xe-0-package]',
      'hwmon/xe/pkg-energy ok chip [gpu-xe-0-package]',
    ],
    widest: 'powercap/package-0',
  },
  'i915-arc': {
    power: [
      'powercap/package-0 ok package [package-0]',
      'hwmon/i915/energy1-energy unsupported board [gpu-i915-0 gpu-i915-0-package]',
    ],
    widest: 'powercap/package-0',
  },
  'vm-nothing': { power: [], widest: null },
  'container-masked': { power: ['powercap denied package []'], widest: null },
  'xeon-ap-12-zones': {
    power: Array.from({ length: 12 }, (_, index) => {
      const die = `${Math.floor(index / 2)}-die-${index % 2}`;
      const id = `powercap/package-${die}`;
      return [`${id} ok package [package-${die}]`, `${id}/dram ok package [dram-${die}]`];
    }).flat(),
    widest: Array.from({ length: 12 }, (_, index) => {
      const id = `powercap/package-${Math.floor(index / 2)}-die-${index % 2}`;
      return `${id}+${id}/dram`;
    }).join('+'),
  },
  'server-acpi-meter': {
    power: [
      'powercap/package-0 ok package [package-0]',
      'powercap/package-0/dram denied package [dram-0]',
      'hwmon/power_meter/power1 ok node [node]',
    ],
    widest: 'hwmon/power_meter/power1',
  },
  broken: {
    power: [
      'powercap/package-0 implausible package [package-0]',
      'powercap/package-1 unsupported package [package-1]',
      'hwmon/amdgpu/power1 denied chip [gpu-amdgpu-0]',
    ],
    widest: null,
  },
};

const trees: { remove(): void }[] = [];
afterAll(() => {
  for (const tree of trees) tree.remove();
});

async function probe(machine: string): Promise<ProbedChannel[]> {
  const tree = fixtureTree(`telemetry/machines/${machine}`);
  trees.push(tree);
  // Longer than the second that a run gives: what is found is asked here, beside other tests on a busy machine.
  return probeAll({ sys: tree.sys, proc: tree.proc, nvmlLibraries: [] }, fakeNative().native, telemetrySources, 20);
}

describe.each(Object.entries(MACHINES))('%s', (machine, expected) => {
  it('finds its power sensors', async () => {
    const found = (await probe(machine)).map(row => row.description);
    // A source that finds nothing leaves one row under its own name.
    const rows = found.filter(row => isEnergetic(row) && (row.id.includes('/') || row.status !== 'absent'));
    // Zones are listed die by die, parents before children; the order within one machine is the kernel's.
    expect(rows.map(row => `${row.id} ${row.status} ${row.scope} [${row.covers.join(' ')}]`).sort()).toEqual(
      [...expected.power].sort(),
    );
  });

  it('charges a CPU case with the widest disjoint sum', async () => {
    const sources = (await probe(machine)).map(row => row.description);
    const groups = disjointGroups(sources, source => source.status === 'ok');
    expect(groups.find(group => concernsDevice(group.covers, 'cpu'))?.id ?? null).toBe(expected.widest);
  });

  it('gives every row a valid description, a channel exactly where it is ok, and a reason and remedy where not', async () => {
    const rows = await probe(machine);
    const ids = rows.map(row => row.description.id);
    expect(new Set(ids).size).toBe(ids.length);
    for (const { description, channel } of rows) {
      expect(sourceSchema.safeParse(description).error).toBeUndefined();
      expect(channel !== null).toBe(description.status === 'ok');
      if (channel) expect(channel.id).toBe(description.id);
      if (description.status !== 'ok') {
        expect(description.reason, description.id).toMatch(/\S{2}/);
        expect(description.remedy, description.id).toMatch(/\S{2}/);
      }
    }
  });
});

describe('limits and throttling', () => {
  it('takes the long-term limit of a package and the time that each package was held back', async () => {
    const rows = await probe('xeon-2s');
    const of = (id: string) => rows.find(row => row.description.id === id);
    expect(of('powercap/package-0')?.description.capWatts).toBe(205);
    expect(of('powercap/package-1')?.description.capWatts).toBeUndefined();
    expect(rows.filter(row => row.description.quantity === 'throttleTime').map(row => row.description.id)).toEqual([
      'throttle/package-0',
      'throttle/package-1',
    ]);
    expect(of('throttle/package-1')?.channel?.scale).toBe(1e-3);
  });
});

describe('reasons', () => {
  const reasonOf = async (machine: string, id: string): Promise<{ reason: string; remedy: string }> => {
    const found = (await probe(machine)).find(row => row.description.id === id)?.description;
    return { reason: found?.reason ?? '', remedy: found?.remedy ?? '' };
  };

  it('names the errno and the exact command where energy_uj is 0400', async () => {
    const { reason, remedy } = await reasonOf('xeon-2s-denied', 'powercap/package-0');
    expect(reason).toContain('present but unreadable (EACCES)');
    expect(remedy).toContain('chmod a+r /sys/class/powercap/*/energy_uj');
    expect(remedy).toContain('/etc/udev/rules.d/70-powercap.rules');
    expect(remedy).toContain('setcap cap_dac_read_search+ep');
  });

  it('tells a masked container from a machine without RAPL', async () => {
    expect((await reasonOf('container-masked', 'powercap')).reason).toContain('masks');
    expect((await reasonOf('vm-nothing', 'powercap')).reason).toContain('virtual machine');
  });

  it('says how many CPUs and temperatures it leaves out', async () => {
    expect((await reasonOf('jetson-orin', 'cpufreq/cpu0')).reason).toBe('8 of 12 CPUs are sampled');
    expect((await reasonOf('xeon-2s', 'hwmon/coretemp/package-id-0')).reason).toContain('2 more temperatures');
  });

  it('keeps sensors that sleep apart from sensors that are forbidden', async () => {
    expect((await reasonOf('i915-arc', 'hwmon/i915/energy1-energy')).reason).toContain('ENXIO');
    expect((await reasonOf('broken', 'hwmon/amdgpu/power1')).remedy).toMatch(
      /chmod a\+r \/sys\/class\/hwmon\/hwmon0\/power1_average/,
    );
  });
});
