/** The inventory over fixture trees, and over the machine that the test runs on. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { REDACTED, relevantEnvironment } from '../../../src/host/environment.ts';
import { hostIdentity } from '../../../src/host/identity.ts';
import { collectInventory, type Inventory, type InventoryOptions } from '../../../src/host/inventory.ts';
import { HOST_ROOTS, hostRootsUnder } from '../../../src/host/roots.ts';
import { pickFacts, readSlowFacts } from '../../../src/host/slow-facts.ts';
import type { CpuFeatures } from '../../../src/native/types.ts';
import { hostSchema } from '../../../src/results/schema.ts';
import { NO_NVML } from '../telemetry/fake-native.ts';
import { fixtureTree, treeOf } from '../telemetry/fixture-tree.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'aibench-host-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

const FEATURES: CpuFeatures = {
  arch: 'x86_64',
  vendor: 'GenuineIntel',
  brand: 'Intel(R) Xeon(R) Platinum 8480+',
  family: 6,
  model: 143,
  stepping: 8,
  isas: ['scalar', 'avx2', 'avx512f'],
  flags: ['avx512_bf16'],
  hypervisor: false,
};

function native(features: Partial<CpuFeatures> = {}, cpus = 4): InventoryOptions['native'] {
  return {
    cpuFeatures: () => ({ ...FEATURES, ...features }),
    cpuCaches: () => [{ level: 2, type: 'unified', sizeBytes: 2 ** 21, lineBytes: 64, ways: 16, sharedBy: 2 }],
    affinity: () => Array.from({ length: cpus }, (_, cpu) => cpu),
    probeNvml: () => NO_NVML,
  };
}

const noSlowFacts = async () => pickFacts(new Map(), []);

async function inventoryOf(name: string, extra: Partial<InventoryOptions> = {}): Promise<Inventory> {
  const tree = fixtureTree(`host/${name}`);
  const found = await collectInventory({
    native: native(),
    nvmlLibraries: [],
    cacheDir: path.join(scratch, name),
    roots: hostRootsUnder(tree.root),
    environment: {},
    activitySeconds: 0.01,
    slowFacts: noSlowFacts,
    ...extra,
  });
  tree.remove();
  expect(hostSchema.safeParse(found.host).error).toBeUndefined();
  return found;
}

describe('a two-socket server', () => {
  it('is described without what would name it', async () => {
    const { host, machine } = await inventoryOf('server-2s', { label: 'rack 4', versions: { onnxruntime: '1.30.0' } });
    expect(host.cpu).toMatchObject({
      logicalCores: 8,
      physicalCores: 4,
      sockets: 2,
      numaNodes: 2,
      usableCores: 4,
      maxHertz: 3.8e9,
    });
    expect(host.memory).toMatchObject({
      totalBytes: 263_921_664 * 1024,
      swapBytes: 8_388_604 * 1024,
      limitBytes: null,
    });
    expect(host.state).toMatchObject({
      governor: 'performance, powersave (acpi-cpufreq)',
      turbo: true,
      smt: true,
      numaBalancing: true,
      temperatureCelsius: 62,
    });
    expect(host.state.hugepages).toBe('transparent always, 512 x 2048kB');
    expect(host.container).toBeNull();
    expect(host.virtualization).toEqual({ virtual: false, hypervisor: null });
    expect(host.accelerators).toEqual([
      { vendor: 'NVIDIA', pciId: '10de:2330', driver: 'nvidia', linkSpeed: '32.0 GT/s PCIe', linkWidth: 16 },
    ]);
    expect(host.network).toEqual([
      { kind: 'ethernet', driver: 'mlx5_core', state: 'up', bitsPerSecond: 100e9, maxTransferUnitBytes: 9000 },
      { kind: 'infiniband', driver: 'mlx5_core', state: 'up', bitsPerSecond: 400e9, maxTransferUnitBytes: 4092 },
    ]);
    expect(host.os).toMatchObject({ distribution: 'Ubuntu', release: '22.04' });
    expect(host.versions).toMatchObject({ onnxruntime: '1.30.0', node: process.versions.node });
    expect(machine).toMatchObject({ usableCores: 4, memoryBytes: host.memory.availableBytes });
    const text = JSON.stringify(host);
    for (const secret of ['b8:3f:d2', 'enp193s0', 'SN-4711', 'd2f0c4a1']) expect(text).not.toContain(secret);
  });
});

describe('a container with limits', () => {
  it('takes the tightest limit on the way up, and what is left of it', async () => {
    const { host, machine } = await inventoryOf('container-v2');
    expect(host.container).toEqual({ runtime: 'kubernetes', cpuQuota: 1.5, memoryLimitBytes: 2 ** 31 });
    expect(host.memory.limitBytes).toBe(2 ** 31);
    expect(machine.memoryBytes).toBe(2 ** 31 - 2 ** 29);
  });

  it('does so in version 1 too, where "no limit" is a large number', async () => {
    const { host } = await inventoryOf('container-v1');
    expect(host.container).toEqual({ runtime: 'docker', cpuQuota: 2, memoryLimitBytes: 2 ** 30 });
  });
});

describe('a guest', () => {
  it('says so by the CPU and names the hypervisor by the platform', async () => {
    const { host } = await inventoryOf('vm-kvm', { native: native({ hypervisor: true }) });
    expect(host.virtualization).toEqual({ virtual: true, hypervisor: 'kvm' });
    expect(host.accelerators).toEqual([]);
    expect(host.state).toMatchObject({ governor: null, turbo: null, temperatureCelsius: null });
  });

  it('takes the word of systeminformation where the platform has no name', async () => {
    const slowFacts = async () => pickFacts(new Map([['system', { virtualHost: 'KVM' }]]), []);
    const { host } = await inventoryOf('empty', { native: native({ hypervisor: true }), slowFacts });
    expect(host.virtualization).toEqual({ virtual: true, hypervisor: 'kvm' });
  });
});

describe('an empty tree', () => {
  it('still gives a valid description', async () => {
    const { host, machine } = await inventoryOf('empty');
    expect(host.cpu).toMatchObject({ physicalCores: null, sockets: null, numaNodes: null });
    expect(machine.memoryBytes).toBeGreaterThan(0);
    expect(host.state.stealFraction).toBeNull();
  });
});

describe('identity', () => {
  const MACHINE = 'd2f0c4a1b3e94f6c8a7d5e2f1b0c9d8e';
  const identify = (text: string, inContainer = false, cacheDir = scratch) => {
    const tree = treeOf(text);
    return hostIdentity(hostRootsUnder(tree.root), cacheDir, inContainer).finally(() => tree.remove());
  };

  it('is the same each time, differs between machines and is not the id', async () => {
    const first = await identify(`etc/machine-id = ${MACHINE}`);
    expect(first).toEqual(await identify(`etc/machine-id = ${MACHINE}`));
    expect(first.basis).toBe('machine-id');
    expect(first.id).toMatch(/^[0-9a-f]{32}$/);
    expect(first.id).not.toBe(MACHINE);
    expect((await identify(`etc/machine-id = ${MACHINE.replace('d', 'e')}`)).id).not.toBe(first.id);
  });

  it('never changes: results of old versions must stay with their machine', async () => {
    expect((await identify(`etc/machine-id = ${MACHINE}`)).id).toBe('ab4d5d249a733c751c3db99b01054d78');
  });

  it('does not take an unset id for one', async () => {
    for (const unset of ['uninitialized', '00000000000000000000000000000000', '']) {
      const found = await identify(
        `etc/machine-id = ${unset}\nsys/class/dmi/id/product_uuid = 4C4C4544-0051-3510-8052-B4C04F4E3232`,
      );
      expect(found.basis).toBe('platform');
    }
    expect((await identify('sys/class/dmi/id/product_uuid = 03000200-0400-0500-0006-000700080009')).basis).toBe(
      'random',
    );
  });

  it('prefers the platform in a container, whose machine-id is that of its image', async () => {
    const both = `etc/machine-id = ${MACHINE}\nsys/class/dmi/id/product_uuid = 4C4C4544-0051-3510-8052-B4C04F4E3232`;
    expect((await identify(both)).basis).toBe('machine-id');
    expect((await identify(both, true)).basis).toBe('platform');
    expect((await identify(`etc/machine-id = ${MACHINE}`, true)).basis).toBe('image');
  });

  it('falls back to the physical network cards', async () => {
    const cards =
      'sys/class/net/eth0/address = b8:3f:d2:00:00:01\nsys/class/net/eth0/device -> ../../../pci\nsys/class/net/lo/address = 00:00:00:00:00:00';
    const found = await identify(cards);
    expect(found.basis).toBe('network');
    expect(found.id).toBe((await identify(cards)).id);
  });

  it('keeps a random id in the cache folder where nothing else is to be had', async () => {
    const cacheDir = path.join(scratch, 'ids');
    const first = await identify('etc/', false, cacheDir);
    expect(first).toEqual(await identify('etc/', false, cacheDir));
    expect(first.basis).toBe('random');
    expect(readFileSync(path.join(cacheDir, 'host-id'), 'utf8')).not.toContain(first.id);
    expect((await identify('etc/', false, path.join(scratch, 'other'))).id).not.toBe(first.id);
  });
});

describe('environment', () => {
  const words = { hostname: 'gpu-node-17', home: '/home/ada', user: 'ada' };

  it('keeps what changes a library, and nothing else', () => {
    const kept = relevantEnvironment(
      {
        OMP_NUM_THREADS: '4',
        OPENBLAS_CORETYPE: 'Haswell',
        PATH: '/bin',
        EDITOR: 'vi',
        LD_LIBRARY_PATH: '/home/ada/lib:/opt/cuda/lib64',
        TF_CLI_CONFIG_FILE: 'x',
        OMPI_MCA_coll_tuned_allreduce_algorithm: '4',
        OMPI_MCA_orte_hnp_uri: '654966784.0;tcp://192.0.2.2:33619',
        OMPI_MCA_ess_base_jobid: '654966785',
        MPIR_CVAR_ALLREDUCE_INTRA_ALGORITHM: 'ring',
      },
      words,
    );
    expect(kept).toEqual({
      LD_LIBRARY_PATH: '~/lib:/opt/cuda/lib64',
      MPIR_CVAR_ALLREDUCE_INTRA_ALGORITHM: 'ring',
      OMPI_MCA_coll_tuned_allreduce_algorithm: '4',
      OMP_NUM_THREADS: '4',
      OPENBLAS_CORETYPE: 'Haswell',
    });
  });

  it.each([
    ['NVIDIA_API_KEY', 'nvapi-short'],
    ['AIBENCH_REDFISH_PASSWORD', 'hunter2'],
    ['ORT_CACHE', 'https://user:pass@example.org/x'],
    ['UCX_NET', '192.168.7.9'],
    ['NCCL_CONF', 'b8:3f:d2:00:00:01'],
    ['CUDA_VISIBLE_DEVICES', 'GPU-8f6b2d1c-1111-2222-3333-444444444444'],
    ['OMP_PLACES', 'on gpu-node-17'],
    ['NODE_OPTIONS', '--token=abcdefghij0123456789ABCDEFGHIJ'],
  ])('redacts %s', (name, value) => {
    expect(relevantEnvironment({ [name]: value }, words)).toEqual({ [name]: REDACTED });
  });
});

describe('slow facts', () => {
  it('passes picked fields only', () => {
    const found = pickFacts(
      new Map<string, unknown>([
        [
          'memLayout',
          [
            { size: 2 ** 35, type: 'DDR5', clockSpeed: 4800, serialNum: 'SN-1', partNum: 'P' },
            { size: 0, type: 'Empty' },
          ],
        ],
        [
          'diskLayout',
          [{ name: 'Model X', type: 'NVMe', interfaceType: 'PCIe', size: 1e12, serialNum: 'SN-2', vendor: '' }],
        ],
        [
          'graphics',
          { controllers: [{ vendor: 'AMD', model: 'MI300X', busAddress: '0000:C1:00.0', deviceId: '0x1' }] },
        ],
        ['system', { virtualHost: '', serial: 'SN-3', uuid: 'U' }],
      ]),
      [],
    );
    expect(found).toEqual({
      memoryModules: [{ sizeBytes: 2 ** 35, type: 'DDR5', transfersPerSecond: 4.8e9 }],
      storage: [{ model: 'Model X', type: 'NVMe', interface: 'PCIe', sizeBytes: 1e12 }],
      graphics: new Map([['0000:c1:00.0', 'AMD MI300X']]),
      hypervisor: '',
      unanswered: [],
    });
  });

  const moduleWith = (name: string, body: string): string => {
    const file = path.join(scratch, `${name}.cjs`);
    writeFileSync(file, body);
    return file;
  };

  it('ends a call that hangs, and goes on with the others', async () => {
    const modulePath = moduleWith(
      'hangs',
      `module.exports = { memLayout: async () => [], diskLayout: () => { for (;;); }, graphics: async () => { throw new Error('no'); }, system: async () => ({ virtualHost: 'KVM' }) };`,
    );
    const started = performance.now();
    const found = await readSlowFacts({ modulePath, limitSeconds: 1 });
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(found.unanswered).toEqual(['diskLayout: no answer within 1 s']);
    expect(found.hypervisor).toBe('KVM');
  });

  it('survives a module that ends the process or prints garbage', async () => {
    const modulePath = moduleWith(
      'exits',
      `module.exports = { memLayout: async () => { console.log('warning: x'); process.exit(3); } };`,
    );
    const found = await readSlowFacts({ modulePath, limitSeconds: 5 });
    expect(found.unanswered).toContain('memLayout: its process ended');
    expect(found.memoryModules).toEqual([]);
  });
});

describe('this machine', () => {
  it('gives nothing away: no host name, hardware address, machine id or serial number', {
    timeout: 60_000,
  }, async () => {
    const { host, observed } = await collectInventory({
      native: native(),
      nvmlLibraries: [],
      cacheDir: scratch,
      activitySeconds: 0.05,
    });
    expect(hostSchema.safeParse(host).error).toBeUndefined();
    const text = JSON.stringify({ host, observed }).toLowerCase();
    const addresses = Object.values(os.networkInterfaces()).flatMap(list => list ?? []);
    const secrets = [
      ...addresses.flatMap(({ mac, address }) => [mac, address]),
      ...[
        'etc/machine-id',
        'sys/class/dmi/id/product_uuid',
        'sys/class/dmi/id/product_serial',
        'sys/class/dmi/id/board_serial',
      ].map(readRoot),
      ...(spawnSync('lsblk', ['-dno', 'SERIAL'], { encoding: 'utf8' }).stdout ?? '').split('\n'),
    ]
      .map(secret => secret.trim().toLowerCase())
      .filter(secret => secret.length > 5 && !/^(00:)+00$/.test(secret) && secret !== '127.0.0.1');
    for (const secret of secrets) expect(text, 'an address or serial number').not.toContain(secret);
    // A short host name is a part of other words: looked for as a whole value.
    expect(text).not.toContain(`"${os.hostname().toLowerCase()}"`);
    expect(text).not.toContain(`"${os.hostname().toLowerCase()}.`);
  });

  function readRoot(file: string): string {
    try {
      return readFileSync(path.join(HOST_ROOTS.root, file), 'utf8');
    } catch {
      return '';
    }
  }
});
