// How our STREAM stands against a plain one: stream.c's semantics (three f64 arrays, threads with fixed halves, best of
// many passes) in plain C++ compiled here with -O3 -march=native, with ordinary and with non-temporal stores. Rounds are
// interleaved, so that drift does not land on one side. Exits 1 when our triad is below 0.9 of the better plain one.
//
//   node scripts/bench-stream.mjs [--rounds 9] [--megabytes 128] [--threads all] [--json]
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';

const LOWEST_RATIO = 0.9;
const PASSES = 10;

// Answers each line "<kernel> <passes>" with the seconds of the fastest pass; thread t owns elements [t n/T, (t+1) n/T),
// and touches them first, as OpenMP's static schedule does.
const PLAIN_STREAM = String.raw`
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <algorithm>
#include <atomic>
#include <barrier>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>
#if defined(__AVX__)
#include <immintrin.h>
#endif
using Kernel = void (*)(double* __restrict, double* __restrict, double* __restrict, size_t, size_t);
static const double s = 3.0;
static void copy_(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { for (; i < e; ++i) c[i] = a[i]; }
static void scale_(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { for (; i < e; ++i) b[i] = s * c[i]; }
static void add_(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { for (; i < e; ++i) c[i] = a[i] + b[i]; }
static void triad_(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { for (; i < e; ++i) a[i] = b[i] + s * c[i]; }
#if defined(__AVX512F__)
#define W 8
#define V __m512d
#define L _mm512_load_pd
#define ST _mm512_stream_pd
#define S1 _mm512_set1_pd
#elif defined(__AVX__)
#define W 4
#define V __m256d
#define L _mm256_load_pd
#define ST _mm256_stream_pd
#define S1 _mm256_set1_pd
#endif
#ifdef W
static void copy_nt(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { for (; i < e; i += W) ST(c + i, L(a + i)); _mm_sfence(); }
static void scale_nt(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { const V v = S1(s); for (; i < e; i += W) ST(b + i, v * L(c + i)); _mm_sfence(); }
static void add_nt(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { for (; i < e; i += W) ST(c + i, L(a + i) + L(b + i)); _mm_sfence(); }
static void triad_nt(double* __restrict a, double* __restrict b, double* __restrict c, size_t i, size_t e) { const V v = S1(s); for (; i < e; i += W) ST(a + i, L(b + i) + v * L(c + i)); _mm_sfence(); }
#endif
static double now() { timespec t; clock_gettime(CLOCK_MONOTONIC, &t); return t.tv_sec + 1e-9 * t.tv_nsec; }
struct Row { std::string name; Kernel kernel; };
int main(int, char** argv) {
  const size_t n = strtoull(argv[1], nullptr, 10) / 8 / 64 * 64;
  const int threads = atoi(argv[2]);
  double* arrays[3];
  for (double*& array : arrays) {
    array = static_cast<double*>(aligned_alloc(2 << 20, (n * 8 + (2 << 20) - 1) >> 21 << 21));
    if (array == nullptr) return 1;
    madvise(array, n * 8, MADV_HUGEPAGE);
  }
  const std::vector<Row> rows = {{"copy", copy_}, {"scale", scale_}, {"add", add_}, {"triad", triad_}
#ifdef W
    , {"copy-nt", copy_nt}, {"scale-nt", scale_nt}, {"add-nt", add_nt}, {"triad-nt", triad_nt}
#endif
  };
  std::barrier gate(threads);
  std::atomic<Kernel> kernel{nullptr};
  int passes = 0;
  const auto bound = [&](int t) { return n / 64 * t / threads * 64; };
  const auto bind = [&](int t) {
    cpu_set_t all, one; sched_getaffinity(getpid(), sizeof all, &all); CPU_ZERO(&one);
    for (int cpu = 0, left = t % CPU_COUNT(&all); cpu < CPU_SETSIZE; ++cpu) if (CPU_ISSET(cpu, &all) && left-- == 0) CPU_SET(cpu, &one);
    pthread_setaffinity_np(pthread_self(), sizeof one, &one);
  };
  const auto touch = [&](int t) { for (size_t i = bound(t); i < bound(t + 1); ++i) { arrays[0][i] = 1; arrays[1][i] = 2; arrays[2][i] = 0; } };
  std::vector<std::thread> others;
  for (int t = 1; t < threads; ++t) others.emplace_back([&, t] {
    bind(t); touch(t); gate.arrive_and_wait();
    for (;;) {
      gate.arrive_and_wait();
      const Kernel k = kernel;
      if (k == nullptr) return;
      for (int p = 0; p < passes; ++p) { k(arrays[0], arrays[1], arrays[2], bound(t), bound(t + 1)); gate.arrive_and_wait(); }
    }
  });
  bind(0); touch(0); gate.arrive_and_wait();
  char name[32];
  while (scanf("%31s %d", name, &passes) == 2) {
    const auto row = std::find_if(rows.begin(), rows.end(), [&](const Row& r) { return r.name == name; });
    if (row == rows.end()) { puts("none"); fflush(stdout); continue; }
    kernel = row->kernel;
    gate.arrive_and_wait();
    double best = 1e300;
    for (int p = 0; p < passes; ++p) {
      const double begin = now();
      row->kernel(arrays[0], arrays[1], arrays[2], bound(0), bound(1));
      gate.arrive_and_wait();
      best = std::min(best, now() - begin);
    }
    printf("%.9g\n", best);
    fflush(stdout);
  }
  kernel = nullptr;
  gate.arrive_and_wait();
  for (std::thread& thread : others) thread.join();
}
`;

const { values: flags } = readFlags(import.meta.url, {
  options: {
    rounds: { type: 'string', default: '9' },
    megabytes: { type: 'string', default: '128' },
    threads: { type: 'string', default: 'all' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
const bytesPerArray = Number(flags.megabytes) * 2 ** 20;
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');
const native = createRequire(import.meta.url)(path.resolve(process.env.AIBENCH_ADDON || built));
const threads = flags.threads === 'all' ? native.affinity().length : Number(flags.threads);

const folder = mkdtempSync(path.join(tmpdir(), 'aibench-stream-'));
process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
writeFileSync(path.join(folder, 'plain.cc'), `#include <unistd.h>\n${PLAIN_STREAM}`);
execFileSync(process.env.CXX ?? 'c++', ['-std=c++20', '-O3', '-march=native', '-pthread', 'plain.cc', '-o', 'plain'], {
  cwd: folder,
  stdio: ['ignore', 'inherit', 'inherit'],
});
const plain = spawn(path.join(folder, 'plain'), [String(bytesPerArray), String(threads)], {
  stdio: ['pipe', 'pipe', 'inherit'],
});
const answers = createInterface({ input: plain.stdout })[Symbol.asyncIterator]();

/** Seconds of the fastest pass; null when this CPU has no such variant. */
async function timePlain(kernel) {
  plain.stdin.write(`${kernel} ${PASSES}\n`);
  const { value } = await answers.next();
  if (value === undefined) throw new Error('the plain STREAM ended early; is there enough memory?');
  return value === 'none' ? null : Number(value);
}

/** Seconds of the fastest pass of ours. */
async function timeOurs(problem) {
  const timing = { maxWarmupSeconds: 0, minSampleSeconds: 0, targetSeconds: 0, minSamples: PASSES, maxSamples: PASSES };
  const { samplesSeconds, iterationsPerSample } = await problem.measure(timing);
  return Math.min(...samplesSeconds) / iterationsPerSample;
}

const KERNELS = ['copy', 'scale', 'add', 'triad'];
const ours = new Map();
for (const kernel of KERNELS) {
  const problem = native.createStream({ kernel, bytesPerArray, threads, seed: 1 });
  await problem.prepare();
  const { passed } = await problem.runAndVerify();
  if (!passed) throw new Error(`our ${kernel} is wrong`);
  ours.set(kernel, problem);
}

const seconds = new Map(KERNELS.map(kernel => [kernel, { ours: [], plain: [], plainNt: [] }]));
for (let round = -1; round < rounds; ++round) {
  for (const kernel of KERNELS) {
    // Whoever goes first changes from round to round.
    const measured = {};
    const steps = [
      async () => (measured.ours = await timeOurs(ours.get(kernel))),
      async () => (measured.plain = await timePlain(kernel)),
      async () => (measured.plainNt = await timePlain(`${kernel}-nt`)),
    ];
    for (let i = 0; i < steps.length; ++i) await steps[(i + round + steps.length) % steps.length]();
    if (round >= 0) for (const [side, value] of Object.entries(measured)) seconds.get(kernel)[side].push(value);
  }
}
plain.stdin.end();

function quantile(values, q) {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}

const table = [];
for (const kernel of KERNELS) {
  const { passed: verified } = await ours.get(kernel).verify();
  const facts = ours.get(kernel).facts();
  const { bytes } = ours.get(kernel).work();
  const side = seconds.get(kernel);
  const better = side.plain.map((value, i) => Math.min(value, side.plainNt[i] ?? Number.POSITIVE_INFINITY));
  const ratios = side.ours.map((value, i) => better[i] / value);
  const rate = values => (values[0] === null ? null : bytes / quantile(values, 0.5));
  table.push({
    kernel,
    verified,
    isa: facts.isa,
    nonTemporalStores: facts.nonTemporalStores === 'true',
    oursBytesPerSecond: rate(side.ours),
    plainBytesPerSecond: rate(side.plain),
    plainNonTemporalBytesPerSecond: rate(side.plainNt),
    ratio: quantile(ratios, 0.5),
    ratioLow: Math.min(...ratios),
    ratioHigh: Math.max(...ratios),
  });
  ours.get(kernel).dispose();
}
const triad = table.find(row => row.kernel === 'triad');
const passed = table.every(row => row.verified) && triad.ratio >= LOWEST_RATIO;

if (flags.json) {
  console.log(JSON.stringify({ bytesPerArray, threads, rounds, lowestRatio: LOWEST_RATIO, passed, table }, null, 2));
} else {
  const gb = value => (value === null ? '-' : (value / 1e9).toFixed(2)).padStart(9);
  console.log(
    `STREAM, ${threads} threads, ${bytesPerArray} B per array, GB/s (median of ${rounds} rounds, best of ${PASSES} passes)`,
  );
  console.log('kernel      ours    plain plain-nt   ours / better plain [lowest, highest round]');
  for (const row of table) {
    const ratio = `${row.ratio.toFixed(3)} [${row.ratioLow.toFixed(3)}, ${row.ratioHigh.toFixed(3)}]`;
    const plains = `${gb(row.plainBytesPerSecond)}${gb(row.plainNonTemporalBytesPerSecond)}`;
    console.log(
      `${row.kernel.padEnd(6)} ${gb(row.oursBytesPerSecond)}${plains}   ${ratio}${row.verified ? '' : ' WRONG'}`,
    );
  }
  console.log(passed ? 'triad is within 10 % of the better plain STREAM' : 'MISSED: triad is more than 10 % below');
}
process.exitCode = passed ? 0 : 1;
