import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { compareDocuments } from '../../../src/analysis/compare.ts';
import { seededRandom } from '../../../src/analysis/random.ts';
import { AibenchError } from '../../../src/errors.ts';
import { verifyDocument } from '../../../src/evidence/verify.ts';
import { buildDocument } from '../../../src/import/build-document.ts';
import { IMPORTERS } from '../../../src/import/registry.ts';
import { parseDocument } from '../../../src/results/read.ts';
import type { ResultDocument } from '../../../src/results/schema.ts';

const NCCL = `# nccl-tests version 2.17.6 nccl-headers=22805 nccl-library=22805
# Collective test starting: all_reduce_perf
# nThread 1 nGpus 2 minBytes 8 maxBytes 33554432 step: 2(factor) warmup iters: 1 iters: 20 agg iters: 1 validation: 1 graph: 0
#
# Using devices
#  Rank  0 Group  0 Pid   4711 on     node-1 device  0 [0000:07:00] NVIDIA H200
#  Rank  1 Group  0 Pid   4711 on     node-1 device  1 [0000:0a:00] NVIDIA H200
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw   busbw  #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)             (us)  (GB/s)  (GB/s)
           0             0     float     sum      -1     0.05    0.00    0.00       0     0.05    0.00    0.00       0
        1024           256     float     sum      -1    12.50    0.08    0.08       0    12.00    0.09    0.09       0
    33554432       8388608     float     sum      -1   250.00  134.22  134.22       0   240.00  139.81  139.81     N/A
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 68.5
`;
const NCCL_JSON = JSON.stringify({
  version: '2.17',
  config: { devices: [{ device_name: 'NVIDIA H200' }] },
  results: [
    {
      size: 1048576,
      count: 262144,
      type: 'float',
      redop: 'sum',
      root: '    -1',
      out_of_place: { time: 20, alg_bw: 52.4, bus_bw: 52.4, nwrong: 0 },
      out_of_place_per_iter: { times_us: [19, 20, 21] },
      in_place: { time: 10, alg_bw: 104.8, bus_bw: 104.8, nwrong: 3 },
      experiment_name: 'all_reduce_perf',
    },
  ],
});
const ORT = `using CUDAExecutionProvider
Session creation time cost: 2.5 s
First inference time cost: 85 ms
Total inference time cost: 6.2 s
Total inference requests: 100
Average inference time cost: 62 ms
Total inference run time: 6.25 s
Number of inferences per second: 16
P50 Latency: 0.06 s
P99 Latency: 0.09 s
`;
const LLAMA = JSON.stringify([
  {
    build_commit: 'abc',
    cpu_info: 'AMD EPYC',
    gpu_info: '',
    model_type: 'llama 8B Q4_0',
    n_prompt: 512,
    n_gen: 0,
    n_batch: 2048,
    n_threads: 8,
    n_gpu_layers: 0,
    test_time: '2026-01-05T10:00:00Z',
    samples_ns: [1e9, 1.1e9, 0.9e9],
  },
  {
    build_commit: 'abc',
    cpu_info: 'AMD EPYC',
    gpu_info: '',
    model_type: 'llama 8B Q4_0',
    n_prompt: 0,
    n_gen: 128,
    n_batch: 2048,
    n_threads: 8,
    n_gpu_layers: 0,
    samples_ns: [8e9, 8e9],
  },
  { n_prompt: 512, n_gen: 128, model_type: 'llama 8B Q4_0', samples_ns: [9e9] },
]);
const FIO = JSON.stringify({
  'fio version': 'fio-3.33',
  timestamp: 1767600000,
  'global options': { ioengine: 'io_uring', bs: '128k' },
  jobs: [
    {
      jobname: 'seq',
      error: 0,
      'job options': { rw: 'read', iodepth: '32' },
      read: {
        io_bytes: 10_737_418_240,
        runtime: 5000,
        total_ios: 81920,
        clat_ns: { percentile: { '99.000000': 2_000_000 } },
      },
      write: { io_bytes: 0, runtime: 0 },
    },
    {
      jobname: 'seq',
      error: 0,
      'job options': { rw: 'read', iodepth: '32' },
      read: { io_bytes: 1_073_741_824, runtime: 1000, total_ios: 8192 },
    },
    { jobname: 'bad', error: 5, read: { io_bytes: 4096, runtime: 1, total_ios: 1 } },
  ],
});
const HYPERFINE = JSON.stringify({
  results: [
    {
      command: 'sleep 0.1',
      mean: 0.1,
      times: [0.101, 0.102, 0.1, 0.103],
      exit_codes: [0, 0, 1, 0],
      parameters: { threads: '2' },
    },
  ],
});
const GOOGLE = JSON.stringify({
  context: { date: '2026-01-05T10:00:00+01:00', num_cpus: 8, library_build_type: 'release' },
  benchmarks: [
    {
      name: 'BM_Gemm/512',
      run_name: 'BM_Gemm/512',
      run_type: 'iteration',
      iterations: 100,
      real_time: 2.5,
      time_unit: 'ms',
    },
    {
      name: 'BM_Gemm/512',
      run_name: 'BM_Gemm/512',
      run_type: 'iteration',
      iterations: 100,
      real_time: 2.6,
      time_unit: 'ms',
    },
    {
      name: 'BM_Gemm/512_mean',
      run_name: 'BM_Gemm/512',
      run_type: 'aggregate',
      aggregate_name: 'mean',
      real_time: 2.55,
      time_unit: 'ms',
    },
    { name: 'BM_Old', iterations: 10, real_time: 300, time_unit: 'us' },
  ],
});
const PYPERF = JSON.stringify({
  version: '1.0',
  metadata: { cpu_model_name: 'AMD EPYC', cpu_count: 16, name: 'json_dumps' },
  benchmarks: [
    { runs: [{ warmups: [[1, 0.2]] }, { values: [0.01, 0.011] }, { values: [0.0105, 0.0101] }] },
    { metadata: { name: 'memory', unit: 'byte' }, runs: [{ values: [1e6] }] },
  ],
});

const GOOD: Record<string, string> = {
  'nccl-tests': NCCL,
  'onnxruntime-perf-test': ORT,
  'llama-bench': LLAMA,
  fio: FIO,
  hyperfine: HYPERFINE,
  'google-benchmark': GOOGLE,
  pyperf: PYPERF,
};

function load(format: string, ...texts: string[]): ResultDocument {
  const importer = IMPORTERS.find(({ name }) => name === format);
  if (importer === undefined) throw new Error(format);
  const sources = texts.map((text, index) => ({
    name: `file-${index}`,
    text,
    imported: importer.parse(text, `file-${index}`),
  }));
  return buildDocument(sources, { format, toolVersion: '0.1.0', now: '2026-01-01T00:00:00Z' });
}

/** `metric` of the case whose id holds `part`. */
function value(document: ResultDocument, part: string, metric: string): number | undefined {
  return document.cases.find(({ id }) => id.includes(part))?.metrics[metric]?.value;
}

describe.each(IMPORTERS.map(({ name }) => [name]))('%s', name => {
  const text = GOOD[name] ?? '';
  it('gives a document that is valid, sealed, holds together and says where it is from', () => {
    const document = load(name, text);
    expect(parseDocument(JSON.stringify(document), name)).toEqual(document);
    const { seal, mismatches } = verifyDocument(document);
    expect(mismatches).toEqual([]);
    expect(seal).toBe('intact');
    expect(document.suite.name).toBe(`imported/${name}`);
    expect(document.suite.source).toBe(text);
    expect(document.warnings[0]?.code).toBe('IMPORTED');
    expect(document.cases.some(({ status }) => status === 'measured')).toBe(true);
  });
  it('gives the same document for the same file, and another id for another', () => {
    expect(load(name, text)).toEqual(load(name, text));
    expect(load(name, text).id).not.toBe(load(name, text, text).id);
  });
  it('refuses what the tool does not write, in one sentence', () => {
    const random = seededRandom(17);
    const wrong = [
      '',
      'hello',
      '{}',
      '[]',
      'null',
      '[null]',
      '{"results":5}',
      '{"__proto__":{}}',
      '['.repeat(100_000),
      text.slice(0, text.length / 2),
    ];
    for (let i = 0; i < 40; i++) {
      const at = random.below(text.length);
      wrong.push(text.slice(0, at) + String.fromCharCode(random.below(128)) + text.slice(at + 1));
    }
    for (const one of wrong) {
      try {
        const document = load(name, one);
        expect(verifyDocument(document).mismatches).toEqual([]);
        expect(() => parseDocument(JSON.stringify(document), name)).not.toThrow();
      } catch (error) {
        expect(error).toBeInstanceOf(AibenchError);
        expect((error as AibenchError).exitCode).toBe(2);
        expect((error as AibenchError).message).not.toContain('\n');
      }
    }
  });
});

/** Files that the tools themselves wrote (versions in the names); the inputs above are made after their documentation. */
describe('files of the tools themselves', () => {
  const file = (name: string): string =>
    readFileSync(fileURLToPath(new URL(`../../fixtures/import/${name}.json`, import.meta.url)), 'utf8');
  it('fio 3.33', () => {
    const document = load('fio', file('fio-3.33'));
    const [job] = (JSON.parse(file('fio-3.33')) as { jobs: { read: { bw_bytes: number } }[] }).jobs;
    expect(document.cases).toHaveLength(1);
    // fio rounds the run time to milliseconds.
    expect((value(document, 'job=seq', 'bytes_per_second') ?? 0) / (job?.read.bw_bytes ?? 1)).toBeCloseTo(1, 3);
  });
  it('hyperfine 1.15', () => {
    const document = load('hyperfine', file('hyperfine-1.15'));
    expect(document.cases.map(({ params }) => params.command)).toEqual(['true', 'ls /usr']);
    expect(document.cases.every(({ launches, status }) => launches.length === 5 && status === 'measured')).toBe(true);
  });
  it('Google Benchmark 1.7', () => {
    const document = load('google-benchmark', file('google-benchmark-1.7'));
    expect(document.cases.map(({ params }) => params.name)).toEqual(['BM_Sum/64', 'BM_Sum/512']);
    expect(document.cases[0]?.launches[0]?.samplesSeconds).toHaveLength(3);
    expect(document.host.cpu.logicalCores).toBe(2);
  });
  // Its host name and Python's paths are replaced.
  it('pyperf 2.10', () => {
    const document = load('pyperf', file('pyperf-2.10'));
    // Four workers measured; the fifth run calibrated.
    expect(document.cases[0]?.launches.map(({ samplesSeconds }) => samplesSeconds.length)).toEqual([3, 3, 3, 3]);
    expect(document.cases[0]?.metrics.latency_seconds_p50?.interval).not.toBeNull();
    expect(document.host.cpu.brand).toBe('AMD EPYC');
  });
});

describe('what the numbers mean', () => {
  it('nccl-tests: bytes over time, both places, verification by #wrong', () => {
    const document = load('nccl-tests', NCCL);
    expect(document.cases).toHaveLength(4);
    expect(
      value(
        document,
        'bytes=33554432,dtype=float,op=sum,root=-1,inPlace=false',
        'algorithm_bandwidth_bytes_per_second',
      ),
    ).toBeCloseTo(134.217728e9, 0);
    expect(document.cases[0]?.verification).toMatchObject({ passed: true, error: 0 });
    expect(document.cases[3]?.verification).toBeNull();
    expect(document.host.accelerators).toHaveLength(2);
    expect(document.cases[0]?.params.test).toBe('all_reduce_perf');
  });
  it('nccl-tests under a launcher that tags lines: the same rows', () => {
    const plain = load('nccl-tests', NCCL).cases;
    for (const tag of ['[1,0]<stdout>:', '[prterun-node-1-4711@1,0]<stdout>: ', '[0] ', '0: ']) {
      const tagged = NCCL.replace(/^/gm, tag);
      expect(load('nccl-tests', tagged).cases.map(({ id, metrics }) => ({ id, metrics }))).toEqual(
        plain.map(({ id, metrics }) => ({ id, metrics })),
      );
    }
  });
  it('nccl-tests: several logs in one file are several launches, and one wrong run fails the case', () => {
    const [first] = load('nccl-tests', `${NCCL}${NCCL}${NCCL}`).cases;
    expect(first?.launches).toHaveLength(3);
    expect(first?.metrics.algorithm_bandwidth_bytes_per_second?.launches).toBe(3);
    const wrong = NCCL.replace('12.50    0.08    0.08       0', '12.50    0.08    0.08       7');
    expect(load('nccl-tests', `${NCCL}${wrong}`).cases[0]?.status).toBe('failed');
    // A table that repeats within one run (-N cycles): samples of one launch.
    const row = NCCL.split('\n').find(line => line.includes('33554432     ')) ?? '';
    expect(load('nccl-tests', `${NCCL}${row}\n`).cases[2]?.launches[0]?.samplesSeconds).toEqual([2.5e-4, 2.5e-4]);
  });
  it('nccl-tests of before 2.17: says that the collective is not named', () => {
    const old = NCCL.split('\n').slice(2).join('\n');
    expect(load('nccl-tests', old).warnings.map(({ code }) => code)).toContain('IMPORT_TEST_UNKNOWN');
  });
  it('nccl-tests -J: single iterations where they are, and wrong output as failed', () => {
    const document = load('nccl-tests', NCCL_JSON);
    expect(document.cases[0]?.launches[0]?.samplesSeconds).toEqual([1.9e-5, 2e-5, 2.1e-5]);
    expect(document.cases[1]?.status).toBe('failed');
  });
  it('onnxruntime_perf_test: requests over run time', () => {
    expect(value(load('onnxruntime-perf-test', ORT), 'provider=CUDA', 'inferences_per_second')).toBeCloseTo(16, 10);
  });
  it('llama-bench: prefill and decode apart, also one object per line', () => {
    const document = load('llama-bench', LLAMA);
    expect(value(document, 'prompt=512', 'prefill_tokens_per_second')).toBeCloseTo(512, 10);
    expect(value(document, 'generated=128', 'decode_tokens_per_second')).toBeCloseTo(16, 10);
    expect(document.cases).toHaveLength(2);
    expect(document.warnings.map(({ code }) => code)).toContain('IMPORT_LEFT_OUT');
    const lines = (JSON.parse(LLAMA) as unknown[]).map(test => JSON.stringify(test)).join('\n');
    expect(load('llama-bench', lines).cases.map(({ metrics }) => metrics)).toEqual(
      document.cases.map(({ metrics }) => metrics),
    );
  });
  it('fio: bytes over run time per direction; jobs of one name apart; errors failed', () => {
    const document = load('fio', FIO);
    expect(value(document, 'iodepth=32,ioengine=io_uring/', 'bytes_per_second')).toBeCloseTo(2_147_483_648, 3);
    expect(value(document, 'instance=2', 'bytes_per_second')).toBeCloseTo(1_073_741_824, 3);
    expect(document.cases.find(({ id }) => id.includes('job=bad'))?.status).toBe('failed');
  });
  it('hyperfine: each run is a launch; one that failed does not count', () => {
    const [result] = load('hyperfine', HYPERFINE).cases;
    expect(result?.launches).toHaveLength(4);
    expect(result?.metrics.latency_seconds_p50?.launches).toBe(3);
  });
  it('Google Benchmark: repetitions are samples, files are launches, aggregates are left out', () => {
    const once = load('google-benchmark', GOOGLE);
    expect(once.cases).toHaveLength(2);
    expect(value(once, 'BM_Gemm', 'latency_seconds_p50')).toBeCloseTo(2.55e-3, 12);
    expect(once.createdAt).toBe('2026-01-05T09:00:00.000Z');
    const twice = load('google-benchmark', GOOGLE, GOOGLE.replace('2.5,', '2.7,'));
    expect(twice.cases[0]?.launches).toHaveLength(2);
    expect(twice.cases[0]?.metrics.latency_seconds_p50?.interval).not.toBeNull();
  });
  it('pyperf: each worker is a launch; calibration and other units are left out', () => {
    const document = load('pyperf', PYPERF);
    expect(document.cases).toHaveLength(1);
    expect(document.cases[0]?.launches).toHaveLength(2);
  });
  it('imported documents compare with each other and never with ours', () => {
    const slower = HYPERFINE.replace(/0\.10(\d)/g, '0.15$1');
    const { rows } = compareDocuments([load('hyperfine', HYPERFINE)], [load('hyperfine', slower)], {
      confidence: 0.95,
      metrics: 'headline',
    });
    expect(rows).toHaveLength(1);
    expect(rows[0]?.verdict).toBe('worse');
    expect(rows[0]?.weak).toBe(true);
  });
});
