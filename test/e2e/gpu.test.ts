/** GPUs that are not there, are broken, hang, crash or compute wrongly: what their cases become, and that the others go on. */
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { ResultDocument } from '../../src/results/schema.ts';
import { aibench, temporaryFolder } from '../support/cli.ts';
import { buildFakeGpu, noCompiler, noCompilerReason } from '../support/fake-gpu.ts';

const fake = buildFakeGpu();
afterAll(() => fake.remove());
const folder = temporaryFolder();
let runs = 0;

/** A library that ends the process that asks it. */
function crashing(): string {
  const source = path.join(folder, 'crash.cc');
  const library = path.join(folder, 'libnvidia-ml.so.1');
  writeFileSync(
    source,
    '#include <cstdlib>\nextern "C" int nvmlInit_v2() { std::abort(); }\n#define F(x) extern "C" int x() { return 1; }\nF(nvmlShutdown) F(nvmlDeviceGetCount_v2) F(nvmlDeviceGetHandleByIndex_v2)\n',
  );
  execFileSync(process.env.CXX ?? 'c++', ['-shared', '-fPIC', source, '-o', library]);
  return library;
}

type Case = ResultDocument['cases'][number];

/** One product on each of the devices and one case on the CPU. */
function run(
  devices: string,
  backends: string,
  environment: Record<string, string>,
): { status: number | null; gpu: Case[]; cpu: Case; nvml: string } {
  const suite = path.join(folder, 'gpu.yaml');
  const out = path.join(folder, `gpu-${++runs}.json`);
  writeFileSync(
    suite,
    `schema: aibench.suite/1
name: gpu-test
summary: products on GPUs and one case on the CPU
launches: 1
idleSeconds: 0
observerPairs: 0
timing: { targetSeconds: 0.01, maxWarmupSeconds: 0.01, minSamples: 2 }
cases:
  - workload: gpu-gemm
    backend: [${backends}]
    params: { m: 32, n: 32, k: 32 }
    matrix: { device: [${devices}] }
    overrides: [{ when: { device: 1 }, launches: 2 }]
  - workload: peak
    params: { dtype: f32, threads: 1 }
`,
  );
  const { status, stderr } = aibench(['run', suite, '-o', out], {
    env: {
      AIBENCH_CUDA: fake.library,
      AIBENCH_CUBLASLT: fake.library,
      AIBENCH_NVML: '/nowhere/libnvidia-ml.so.1',
      AIBENCH_GPU_PATIENCE: '5',
      ...environment,
    },
  });
  const { cases, telemetry } = JSON.parse(readFileSync(out, 'utf8')) as ResultDocument;
  const cpu = cases.at(-1);
  if (cpu === undefined) throw new Error(stderr);
  const nvml = telemetry.sources.find(source => source.id.startsWith('nvml'))?.reason ?? '';
  return { status, gpu: cases.slice(0, -1), cpu, nvml };
}

describe.skipIf(noCompiler)(`runs with GPUs${noCompilerReason}`, { timeout: 120_000 }, () => {
  test('each GPU that hangs, crashes or computes wrongly costs its own case', () => {
    const { status, gpu, cpu } = run('0, 1, 2, 3, 4, 5, 6, 9', 'cublaslt', {
      FAKE_GPU: [
        'devices=7 algorithms=1',
        ' 1: hang=cublasLtMatmul',
        ' 2: crash=cublasLtMatmul',
        ' 3: wrong=matmul',
        ' 4: fail=cuStreamSynchronize:719',
        ' 5: free=66000000',
        ' 6: fail=cublasLtMatmulAlgoGetHeuristic:15',
      ].join(' |'),
    });
    const [good, hangs, crashes, wrong, faulty, full, lacking, absent] = gpu;
    expect(good).toMatchObject({ status: 'measured', device: 'cuda:0', verification: { passed: true } });
    expect(good?.facts).toMatchObject({ device: 'cuda:0', deviceName: 'Fake H200', libraryVersion: '12.4.5' });
    expect(JSON.stringify(good)).not.toMatch(/GPU-0001|0000:10:00/);
    expect(good?.limit).toMatchObject({ name: 'device_flops_per_second_bound' });
    expect(hangs).toMatchObject({ status: 'failed', device: 'cuda:1' });
    expect(hangs?.reason).toContain('did not end within');
    // Met once, not once per launch.
    expect(hangs?.launches).toHaveLength(1);
    expect(crashes?.status).toBe('failed');
    expect(crashes?.reason).toContain('SIGABRT');
    expect(wrong?.status).toBe('failed');
    expect(wrong?.reason).toContain('is wrong');
    expect(faulty).toMatchObject({ status: 'failed' });
    expect(faulty?.reason).toContain('CUDA_ERROR_LAUNCH_FAILED (719)');
    expect(faulty?.remedy).toContain('xid');
    expect(full).toMatchObject({ status: 'failed' });
    expect(full?.reason).toContain('of which 62 MiB are free');
    // What the library says that it has not is no failure.
    expect(lacking).toMatchObject({ status: 'skipped', device: 'cuda:6', launches: [], metrics: {} });
    expect(lacking?.reason).toContain('cublasLtMatmulAlgoGetHeuristic failed: status 15 (not supported)');
    expect(lacking?.remedy).toContain('lacks the dtype or the shape');
    expect(absent).toMatchObject({ status: 'skipped', device: 'cuda:9' });
    expect(absent?.reason).toContain('There is no GPU 9');
    expect(cpu).toMatchObject({ status: 'measured', device: 'cpu' });
    expect(status).toBe(1);
  });

  test('a driver that hangs is a failure within the time that is stated; one that is not there skips the case', () => {
    const { status, gpu, cpu, nvml } = run('0', 'cublaslt, hipblaslt', {
      FAKE_GPU: 'hang=cuInit',
      AIBENCH_HIP: '/nowhere/libamdhip64.so.6',
      // A driver that hangs for CUDA crashes NVML here: the run goes on without its sensors.
      AIBENCH_NVML: crashing(),
    });
    expect(gpu[0]).toMatchObject({ status: 'failed', device: 'cuda:0', launches: [] });
    expect(gpu[0]?.reason).toContain('did not answer within 5 s');
    expect(gpu[0]?.remedy).toContain('reboot');
    expect(gpu[1]).toMatchObject({ status: 'skipped', device: 'rocm:0' });
    expect(gpu[1]?.remedy).toContain('install its driver');
    expect(cpu.status).toBe('measured');
    expect(nvml).toContain('NVML crashed while it was opened (SIGABRT)');
    expect(status).toBe(1);
  });
});
