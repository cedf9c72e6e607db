/**
 * Every function of every table of vendors' calls, missing once and failing once: the right status, with its name in the reason and what to do.
 * The names are read from the tables themselves, so that a new row is tested without a word here.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { loadAddon, packageRoot } from '../../src/native/addon.ts';
import type { EnergyVendor, GpuProbe, GpuVendor, NativeProblem } from '../../src/native/types.ts';
import { buildFakeGpu, noCompiler, noCompilerReason } from '../support/fake-gpu.ts';
import { buildFakeLibrary } from '../support/fake-library.ts';

const native = loadAddon();
const gpu = buildFakeGpu();
const opencl = buildFakeLibrary('fake_opencl', 'FAKE_OPENCL');
const pjrt = buildFakeLibrary('fake_pjrt', 'FAKE_PJRT');
const nvml = buildFakeLibrary('fake_nvml', 'FAKE_NVML');
const amdSmi = buildFakeLibrary('fake_amd_smi', 'FAKE_AMD_SMI');
const levelZero = buildFakeLibrary('fake_level_zero', 'FAKE_LEVEL_ZERO');
afterAll(() => {
  for (const fake of [gpu, opencl, pjrt, nvml, amdSmi, levelZero]) fake.remove();
});

const source = (file: string): string => readFileSync(path.join(packageRoot, 'native', file), 'utf8');
/** The groups of every match. */
const rows = (file: string, pattern: RegExp): string[][] =>
  [...source(file).matchAll(pattern)].map(([, ...groups]) => groups);
const names = (file: string, pattern: RegExp): string[] => rows(file, pattern).map(([name = '']) => name);

const DRIVER = rows('gpu/driver_calls.inc', /^AIBENCH_GPU_CALL\(\w+, (\w+), (\w+), (\w+),/gm).map(
  ([need = '', cuda = '', rocm = '']) => ({ needed: need === 'kNeeded', cuda, rocm }),
);
const MATMUL = names('gpu/matmul_library.cc', /take\(&calls_\.\w+, "(\w+)"\)/g);
const COLLECTIVE = names('gpu/collective_library.cc', /take\(&calls\.\w+, "(\w+)"\)/g);
const COMPILER = names('gpu/compiler_calls.inc', /^AIBENCH_COMPILER_CALL\(\w+, (\w+),/gm);
const NVML = rows('telemetry/nvml_symbols.h', /(missing = )?take\(&\w+, "(nvml\w+)"\)/g).map(([needed, name = '']) => ({
  name,
  needed: needed !== undefined,
}));
const AMD_SMI = names('telemetry/amd_smi.cc', /take\(&\w+, "(amdsmi_\w+)"\)/g);
const LEVEL_ZERO = names('telemetry/level_zero.cc', /take\(&\w+, "(zes\w+)"\)/g);
const OPENCL = names('opencl/opencl_calls.inc', /^AIBENCH_CL\((\w+),/gm);
const CLBLAST = names('opencl/clblast.cc', /"(CLBlast[SDH]\w+)"/g).slice(0, 6);
const PJRT = names('pjrt/pjrt_abi.h', /ROW\((\w+), \d+\)/g).map(name => `PJRT_${name}`);
const MATMUL_PREFIX = { cuda: 'cublasLt', rocm: 'hipblasLt' } as const;

test('the tables are read, whole', () => {
  const least: [readonly unknown[], number][] = [
    [DRIVER, 44],
    [MATMUL, 12],
    [COLLECTIVE, 14],
    [COMPILER, 8],
    [NVML, 23],
    [AMD_SMI, 5],
    [LEVEL_ZERO, 5],
    [OPENCL, 24],
    [CLBLAST, 6],
    [PJRT, 21],
  ];
  for (const [index, [table, rows]] of least.entries()) expect(table.length, `${index}`).toBeGreaterThanOrEqual(rows);
  expect(DRIVER.filter(({ needed }) => needed).length).toBeGreaterThanOrEqual(28);
  expect(NVML.filter(({ needed }) => needed)).toHaveLength(4);
});

describe.skipIf(noCompiler).each(['cuda', 'rocm'] as const)(
  `a function that is missing: %s${noCompilerReason}`,
  vendor => {
    const orders = `vendor=${vendor}`;
    const probe = (role: 'driver' | 'matmul' | 'collective' | 'compiler', symbol: string): Promise<GpuProbe> =>
      gpu.told(orders, () => native.probeGpus(gpu.libraries(vendor, { [role]: gpu.without(symbol) })));

    test('of the driver', async () => {
      for (const call of DRIVER) {
        const symbol = call[vendor];
        const answer = await probe('driver', symbol);
        expect(answer.status, symbol).toBe(call.needed ? 'unsupported' : 'ok');
        expect(answer.devices, symbol).toHaveLength(call.needed ? 0 : 1);
        if (!call.needed) continue;
        expect(answer.reason).toMatch(new RegExp(` has no ${symbol}$`));
        expect(answer.remedy).toMatch(/^Update the (NVIDIA|AMD) driver, to \d+\.\d+ or newer\.$/);
        expect(answer.matmul).toMatchObject({ status: 'unsupported', reason: answer.reason });
      }
    });

    test.each([
      [
        'matmul',
        MATMUL.map(name => MATMUL_PREFIX[vendor] + name),
        vendor === 'cuda' ? 'AIBENCH_CUBLASLT' : 'AIBENCH_HIPBLASLT',
      ],
      ['collective', COLLECTIVE, vendor === 'cuda' ? 'AIBENCH_NCCL' : 'AIBENCH_RCCL'],
      ['compiler', vendor === 'rocm' ? COMPILER : [], 'AIBENCH_HIPRTC'],
    ] as const)('of %s', async (role, symbols, variable) => {
      for (const symbol of symbols) {
        const answer = await probe(role, symbol);
        expect(answer.status, symbol).toBe('ok');
        expect(answer[role], symbol).toMatchObject({ status: 'unsupported', version: '' });
        expect(answer[role].reason).toMatch(new RegExp(` has no ${symbol}$`));
        expect(answer[role].remedy).toContain(variable);
        const others = (['matmul', 'collective', 'compiler'] as const).filter(other => other !== role);
        for (const other of others) expect(answer[other].status, `${symbol}, ${other}`).toBe('ok');
      }
    });
  },
);

describe.skipIf(noCompiler)(`a function that is missing${noCompilerReason}`, () => {
  const scripted = (library: string, script: string): string => {
    writeFileSync(`${library}.script`, script);
    return library;
  };

  test('of NVML', () => {
    for (const { name, needed } of NVML) {
      const answer = native.probeNvml([scripted(nvml.without(name), 'devices 2\nfield83 1000\n')]);
      if (answer.status === 'ok') {
        expect(needed, name).toBe(false);
        expect(answer.devices, name).toHaveLength(2);
        continue;
      }
      expect(needed, name).toBe(true);
      expect(answer).toMatchObject({ status: 'unsupported', reason: expect.stringContaining(name) });
      expect(answer.remedy).toMatch(/\w/);
    }
  });

  test.each<[EnergyVendor, readonly string[], typeof amdSmi]>([
    ['amdsmi', AMD_SMI, amdSmi],
    ['levelzero', LEVEL_ZERO, levelZero],
  ])('of %s', (vendor, symbols, fake) => {
    for (const symbol of symbols) {
      const answer = native.probeEnergyLibrary(vendor, [scripted(fake.without(symbol), '')]);
      if (answer.status === 'ok') throw new Error(`${symbol} is not missed`);
      expect(answer.status, symbol).toBe('unsupported');
      expect(answer.reason).toMatch(new RegExp(` has no symbol ${symbol}$`));
      expect(answer.remedy).toBe('Install a newer version of the library.');
    }
    // What only joins a counter to a GPU is not missed.
    if (vendor === 'amdsmi')
      expect(
        native.probeEnergyLibrary(vendor, [scripted(fake.without('amdsmi_get_gpu_device_bdf'), 'energy0 7\n')]),
      ).toMatchObject({ status: 'ok', devices: [{ ok: true, pci: '' }] });
  });

  test('of OpenCL and CLBlast', () => {
    for (const symbol of OPENCL) {
      const answer = native.probeOpencl({ opencl: [opencl.without(symbol)], clblast: [opencl.path] });
      expect(answer, symbol).toMatchObject({ status: 'unsupported', devices: [] });
      expect(answer.reason).toMatch(new RegExp(` has no ${symbol}$`));
      expect(answer.remedy).toBe('It must be OpenCL 1.1 or later.');
    }
    for (const symbol of CLBLAST) {
      const answer = native.probeOpencl({ opencl: [opencl.path], clblast: [opencl.without(symbol)] });
      expect(answer, symbol).toMatchObject({ status: 'ok', clblast: { status: 'unsupported' } });
      expect(answer.clblast.reason).toMatch(new RegExp(` has no ${symbol}$`));
      expect(answer.clblast.remedy).toBe('It must be CLBlast 1.4 or later.');
    }
  });

  test('of PJRT', async () => {
    expect(native.probePjrt(pjrt.without('GetPjrtApi'))).toMatchObject({
      status: 'unsupported',
      reason: expect.stringContaining('has no GetPjrtApi'),
    });
    for (const name of PJRT) {
      const answer = await pjrt.told(`null=${name}`, () => native.probePjrt(pjrt.copy(`without-${name}`)));
      const isExtra = /MemoryStats|PlatformVersion|GetCode/.test(name);
      expect(answer.status, name).toBe(isExtra ? 'ok' : 'unsupported');
      if (isExtra) continue;
      expect(answer.reason).toMatch(new RegExp(`has no ${name}$`));
      expect(answer.remedy).toContain('AIBENCH_PJRT_PLUGIN');
    }
  });
});

interface Failure {
  code: string;
  message: string;
  remedy: string;
}
const SHORT = { maxWarmupSeconds: 0, minSampleSeconds: 0, targetSeconds: 0, minSamples: 2, maxSamples: 2 };

/** Opens, verifies, times and verifies again; what it says where it fails, or null. A wrong result that is let through is none of the two. */
async function tried(open: () => NativeProblem): Promise<Failure | null> {
  let problem: NativeProblem | undefined;
  try {
    problem = open();
    await problem.prepare();
    if (!(await problem.runAndVerify()).passed) throw Object.assign(new Error('wrong'), { code: 'WRONG', remedy: '' });
    // Long enough for a graph of 128 small products, where there is one.
    const isGraph = Number(problem.facts().productsPerGraph ?? 0) > 0;
    await problem.measure(isGraph ? { ...SHORT, minSampleSeconds: 0.05 } : SHORT);
    if (!(await problem.verify()).passed) throw Object.assign(new Error('wrong'), { code: 'WRONG', remedy: '' });
    return null;
  } catch (error) {
    return error as Failure;
  } finally {
    problem?.dispose();
  }
}

async function firstFailure(problems: readonly (() => NativeProblem)[]): Promise<Failure | null> {
  for (const open of problems) {
    const failure = await tried(open);
    if (failure !== null) return failure;
  }
  return null;
}

/** All that is done on GPUs, each once and small. */
function everything(vendor: GpuVendor): Record<'memory' | 'collective' | 'matmul', (() => NativeProblem)[]> {
  const libraries = gpu.libraries(vendor);
  const gemm = (graphBelowSeconds: number, dtype: 'f32' | 'f8e4m3', size: number) => () =>
    native.createGpuGemm({
      libraries,
      devices: [0],
      dtype,
      m: size,
      n: size,
      k: size,
      layout: 'tn',
      workspaceBytes: 1 << 16,
      algorithms: 1,
      graphBelowSeconds,
      seed: 3,
    });
  const memory = (kernel: 'copy' | 'memcpy' | 'h2d' | 'd2h' | 'peer') => () =>
    native.createGpuMemory({ libraries, devices: kernel === 'peer' ? [0, 1] : [0], kernel, bytes: 1024, seed: 3 });
  const collective = (name: 'allreduce' | 'reduce-scatter' | 'all-gather' | 'broadcast' | 'shift') => () =>
    native.createGpuCollective({
      libraries,
      devices: [0, 1],
      collective: name,
      dtype: 'f32',
      op: 'sum',
      bytes: 64,
      seed: 3,
    });
  return {
    memory: (['copy', 'memcpy', 'h2d', 'd2h', 'peer'] as const).map(memory),
    collective: (['allreduce', 'reduce-scatter', 'all-gather', 'broadcast', 'shift'] as const).map(collective),
    matmul: [gemm(0, 'f8e4m3', 16), gemm(100, 'f32', 2)],
  };
}

/** What is tidied up, or done without (a fact that is then missing): its failure costs nothing else. Everything else must be heard of. */
const HARMLESS =
  /Release|cuMemFree|Destroy|Unload|Uuid|GetErrorName|CanAccessPeer|EnablePeerAccess|Capture|Instantiate|GetAttribute|GetPCIBusId|rtcVersion|GetProgramLog/;

describe.skipIf(noCompiler).each(['cuda', 'rocm'] as const)(`a call that fails: %s${noCompilerReason}`, vendor => {
  const base = `vendor=${vendor} devices=2 algorithms=1`;
  const { memory, collective, matmul } = everything(vendor);
  const all = [...memory, ...collective, ...matmul];
  // The stand-in has CUDA's names within.
  const calls = [
    ...DRIVER.map(call => ({ told: call.cuda, said: call[vendor], problems: all })),
    ...MATMUL.map(name => ({ told: `cublasLt${name}`, said: MATMUL_PREFIX[vendor] + name, problems: matmul })),
    ...COLLECTIVE.filter(name => !/ErrorString|UniqueId|InitRank/.test(name)).map(name => ({
      told: name,
      said: name,
      problems: collective,
    })),
    ...(vendor === 'rocm' ? COMPILER : []).map(name => ({ told: name, said: name, problems: memory })),
  ];
  const harmless = calls.filter(({ told }) => HARMLESS.test(told));

  test('nothing fails by itself, nor what is harmless, all of it at once', async () => {
    expect(harmless.length).toBeGreaterThan(15);
    expect(await gpu.told(base, () => firstFailure(all))).toBeNull();
    const failing = harmless.map(({ told }) => `${told}:999`).join();
    expect(await gpu.told(`${base} fail=${failing}`, () => firstFailure(all))).toBeNull();
  });

  test('of the driver, of products, of collectives, of the compiler', async () => {
    for (const { told, said, problems } of calls.filter(call => !harmless.includes(call))) {
      const failure = await gpu.told(`${base} fail=${told}:999`, () => firstFailure(problems));
      expect(failure, said).not.toBeNull();
      expect(failure?.code, said).toMatch(/^GPU_[A-Z_]+$/);
      expect(failure?.message).toContain(said);
      expect(failure?.remedy).toMatch(/\w.*\.$/);
    }
  }, 60_000);
});

/** Of one probe of two GPUs: what can be read, and the facts; each loss as a word. */
function knownToNvml(probe: ReturnType<typeof native.probeNvml>): string[] {
  if (probe.status !== 'ok') throw new Error(probe.reason);
  const one = probe.devices[1];
  if (one === undefined) throw new Error('the second device is lost');
  const facts = [
    probe.driverVersion !== '' && 'driver',
    one.name !== '' && 'name',
    one.uuid !== '' && 'uuid',
    one.memoryBytes > 0 && 'memory',
    one.powerLimitWatts > 0 && 'limit',
    one.migEnabled && 'mig',
    one.vgpu && 'vgpu',
  ];
  const readable = Object.entries(one.quantities).map(([name, { ok }]) => ok && name);
  return [...facts, ...readable].filter(word => word !== false);
}
/** All that NVML is asked for; by fields alone where there is no older way. */
const WHOLE_NVML = `devices 2
field74 1\nfield75 1\nfield76 1\nfield82 40\nfield83 1000\nfield83.1 1000\nfield138 5\nfield139 5\nfield185 9\nfield185.2 9\nfield186 9\nfield186.1 9\nfield186.2 9
field251 1\nfield252 1\nfield253 1\ntotal_energy 7\npower_usage 9\ntemperature 61\nclock_sm 1980\nclock_mem 2619\nevent_reasons 4\nthrottle_reasons 4
utilization 97\nenforced_limit 700000\nmanagement_limit 700000\nmig 1\nvirtualization 2\necc 0\necc_corrected 0\npcie_tx 1\npcie_rx 1
`;

describe.skipIf(noCompiler)(`a call of a vendor's sensors that fails${noCompilerReason}`, () => {
  const scripted = (library: string, script: string): string => {
    writeFileSync(`${library}.script`, script);
    return library;
  };

  test('of NVML: what needs it is lost, as where it is missing, and nothing else', () => {
    const copy = nvml.copy('nvml-fails');
    const all = knownToNvml(native.probeNvml([scripted(copy, WHOLE_NVML)]));
    expect(all).toHaveLength(30);
    const lost = new Set<string>();
    for (const { name, needed } of NVML) {
      const probe = native.probeNvml([scripted(copy, `${WHOLE_NVML}fail ${name}:999\n`)]);
      if (needed && name !== 'nvmlShutdown' && !/Handle/.test(name)) {
        expect(probe, name).toMatchObject({ status: 'unsupported', reason: `${name} failed: NVML_ERROR_UNKNOWN` });
        expect(probe.status !== 'ok' && probe.remedy).toContain('nvidia-smi');
        continue;
      }
      if (probe.status !== 'ok') throw new Error(`${name}: ${probe.reason}`);
      if (/Handle/.test(name)) {
        // The devices are counted and none can be asked: each says so.
        expect(probe.devices).toHaveLength(2);
        for (const { quantities } of probe.devices)
          for (const state of Object.values(quantities))
            expect(state).toEqual({ ok: false, reason: `${name} failed: NVML_ERROR_UNKNOWN` });
        continue;
      }
      const left = knownToNvml(probe);
      const gone = all.filter(word => !left.includes(word));
      for (const word of gone) {
        lost.add(word);
        const state = Object.entries(probe.devices[1]?.quantities ?? {}).find(([key]) => key === word)?.[1];
        if (state !== undefined && word !== 'thermalTime' && name !== 'nvmlSystemGetDriverVersion')
          expect(state.reason, `${name}, ${word}`).toMatch(/ failed: NVML_ERROR_UNKNOWN$/);
      }
      if (needed) expect(gone, name).toEqual([]);
      else expect(left, name).toEqual(knownToNvml(native.probeNvml([scripted(nvml.without(name), WHOLE_NVML)])));
    }
    // Energy, power, temperature, reasons and the limit have a second way; two ways that fail together leave nothing.
    const second = ['energy', 'power', 'temperature', 'throttleReasons', 'limit'];
    expect([...lost].sort()).toEqual(all.filter(word => !second.includes(word)).sort());
    const both = native.probeNvml([
      scripted(
        copy,
        `${WHOLE_NVML}fail ${NVML.filter(({ needed }) => !needed)
          .map(({ name }) => `${name}:15`)
          .join(' ')}\n`,
      ),
    ]);
    expect(knownToNvml(both)).toEqual([]);
  });

  test.each<[EnergyVendor, readonly string[], typeof amdSmi, string, string]>([
    ['amdsmi', [...AMD_SMI, 'amdsmi_get_gpu_device_bdf'], amdSmi, '2', 'AMDSMI_STATUS_NOT_SUPPORTED'],
    ['levelzero', LEVEL_ZERO, levelZero, '0x78000003', 'ZE_RESULT_ERROR_UNSUPPORTED_FEATURE'],
  ])('of %s: the library, or the one counter', (vendor, symbols, fake, code, word) => {
    const copy = fake.copy(`${vendor}-fails`);
    const script = 'energy0 5000000\nbdf0 49408\n';
    const good = native.probeEnergyLibrary(vendor, [scripted(copy, script)]);
    expect(good).toMatchObject({ status: 'ok', devices: [{ ok: true }] });
    for (const symbol of symbols) {
      const answer = native.probeEnergyLibrary(vendor, [scripted(copy, `${script}fail ${symbol}:${code}\n`)]);
      if (/shut_down/.test(symbol)) expect(answer, symbol).toEqual(good);
      else if (/bdf/.test(symbol))
        expect(answer, symbol).toMatchObject({ status: 'ok', devices: [{ ok: true, pci: '' }] });
      else if (/energy_count|CardPowerDomain|EnergyCounter/.test(symbol))
        expect(answer, symbol).toMatchObject({ status: 'ok', devices: [{ ok: false, reason: word, joules: 0 }] });
      else {
        expect(answer, symbol).toMatchObject({ status: 'unsupported', reason: `${symbol} failed: ${word}` });
        expect(answer.status !== 'ok' && answer.remedy).toMatch(/^See whether .*\.$/);
      }
    }
  });

  test.each<[EnergyVendor, typeof amdSmi, string, string, string]>([
    ['amdsmi', amdSmi, 'amdsmi_init', '10', 'denied'],
    ['amdsmi', amdSmi, 'amdsmi_init', '34', 'absent'],
    ['amdsmi', amdSmi, 'amdsmi_get_socket_handles', '999', 'unsupported'],
    ['levelzero', levelZero, 'zesInit', '0x78000001', 'absent'],
    ['levelzero', levelZero, 'zesDriverGet', '0x70010000', 'denied'],
    ['levelzero', levelZero, 'zesDeviceGet', '0x7ffffffe', 'unsupported'],
  ])('of %s', (vendor, fake, call, code, status) => {
    const library = scripted(fake.copy(`${vendor}-${call}-${code}`), `fail ${call}:${code}\n`);
    expect(native.probeEnergyLibrary(vendor, [library])).toMatchObject({
      status,
      reason: expect.stringMatching(new RegExp(`^${call} failed: \\w`)),
    });
  });
});

describe.skipIf(noCompiler)(`a call that fails${noCompilerReason}`, () => {
  test('of OpenCL and CLBlast', async () => {
    const product = () =>
      native.createOpenclGemm({
        opencl: [opencl.path],
        clblast: [opencl.path],
        dtype: 'f32',
        m: 8,
        n: 8,
        k: 8,
        seed: 1,
      });
    const stream = () =>
      native.createOpenclStream({ opencl: [opencl.path], kernel: 'triad', bytesPerArray: 1024, seed: 1 });
    expect(await firstFailure([product, stream])).toBeNull();
    // Releases, what only tells more of a failure, and what is called for events, which time nothing here.
    const harmless = /Release|Flush|GetProgramBuildInfo|GetEventProfilingInfo|GetPlatformInfo|GetDeviceInfo/;
    const calls = [
      ...OPENCL.filter(name => !harmless.test(name)),
      'CLBlastSgemmWithTempBuffer',
      'CLBlastSGemmTempBufferSize',
    ];
    for (const call of calls) {
      const failure = await opencl.told(`fail=${call}:-5`, () => firstFailure([product, stream]));
      expect(failure, call).not.toBeNull();
      expect(failure?.message, call).toContain(call);
      expect(failure?.remedy, call).toMatch(/\w/);
    }
  });

  test('of PJRT', async () => {
    const problems = (plugin: string) => [
      () => native.createPjrtGemm({ plugin, dtype: 'f32', m: 8, n: 8, k: 8, seed: 1 }),
      () => native.createPjrtAllReduce({ plugin, dtype: 'f32', bytes: 64, seed: 1 }),
    ];
    expect(await pjrt.told('devices=2', () => firstFailure(problems(pjrt.path)))).toBeNull();
    const harmless = /_Destroy$|MemoryStats|PlatformVersion|Error_Message|Error_GetCode/;
    for (const call of PJRT.filter(name => !harmless.test(name))) {
      const failure = await pjrt.told(`devices=2 fail=${call}:13`, () =>
        firstFailure(problems(pjrt.copy(`fails-${call}`))),
      );
      expect(failure, call).toMatchObject({ code: 'PJRT_FAILED', message: expect.stringContaining(`${call} failed`) });
      expect(failure?.remedy, call).toMatch(/\w/);
    }
  });
});
