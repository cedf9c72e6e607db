// What watching costs: the sampler thread at 100 Hz over about ten files that every Linux has, next to a GEMM that runs on
// all threads. Rounds with and without the sampler are interleaved, so that drift does not land on one side.
// Exits 1 when the sampler uses 0.5 % of a core or more, or moves the GEMM median by more than the median's own interval.
//
//   node scripts/bench-sampler.mjs [--rounds 16] [--seconds 1] [--size 768] [--hertz 100] [--json]
import { accessSync, constants } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const HIGHEST_CORE_SHARE = 0.005;

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '1' },
    size: { type: 'string', default: '768' },
    hertz: { type: 'string', default: '100' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
const seconds = Number(flags.seconds);
const size = Number(flags.size);
const periodSeconds = 1 / Number(flags.hertz);

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');
const native = createRequire(import.meta.url)(path.resolve(process.env.AIBENCH_ADDON || built));

// Files as cheap for the kernel to make as a sensor's. Tables over the whole machine (/proc/stat, /proc/vmstat) take it
// 10 to 30 microseconds each, which no reader can save, and are sampled at a lower rate.
const READS = [
  { type: 'loadavg', path: '/proc/loadavg' },
  { type: 'file', path: '/proc/uptime' },
  { type: 'file', path: '/proc/sys/fs/file-nr' },
  { type: 'file', path: '/proc/sys/kernel/random/entropy_avail' },
  { type: 'file', path: '/proc/sys/kernel/pid_max' },
  { type: 'keyedFile', path: '/proc/self/io', key: 'rchar' },
  { type: 'file', path: '/sys/kernel/mm/transparent_hugepage/hpage_pmd_size' },
  { type: 'file', path: '/sys/kernel/uevent_seqnum' },
  { type: 'file', path: '/sys/class/net/lo/mtu' },
  { type: 'file', path: '/sys/class/net/lo/statistics/rx_bytes' },
  { type: 'keyedFile', path: '/sys/devices/system/node/node0/numastat', key: 'numa_hit' },
];
function readable(file) {
  try {
    accessSync(file, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
const channels = READS.filter(read => readable(read.path)).map(read => ({
  id: read.path,
  read,
  scale: 1,
  periodSeconds,
  capacity: Math.ceil((4 * seconds) / periodSeconds),
}));
const sampler = native.createSampler(channels, []);

const threads = native.affinity().length;
const gemm = native.createGemm({ dtype: 'f32', m: size, n: size, k: size, threads, seed: 1 });
await gemm.prepare();
if (!(await gemm.runAndVerify()).passed) throw new Error('the GEMM is wrong');

function quantile(values, q) {
  const sorted = [...values].sort((x, y) => x - y);
  const at = (sorted.length - 1) * q;
  const low = Math.floor(at);
  return sorted[low] + (at - low) * ((sorted[low + 1] ?? sorted[low]) - sorted[low]);
}
const median = values => quantile(values, 0.5);

/** Interval of a median at 95 % by order statistics: ranks n/2 -+ 1.96 sqrt(n)/2 (Conover, 3.2). */
function medianInterval(values) {
  const sorted = [...values].sort((x, y) => x - y);
  const n = sorted.length;
  const reach = (1.96 * Math.sqrt(n)) / 2;
  const low = Math.max(0, Math.floor(n / 2 - reach) - 1);
  const high = Math.min(n - 1, Math.ceil(n / 2 + reach));
  return [sorted[low], sorted[high]];
}

async function gemmSeconds() {
  const timing = {
    maxWarmupSeconds: 0.2,
    minSampleSeconds: 0,
    targetSeconds: seconds,
    minSamples: 5,
    maxSamples: 100000,
  };
  const { samplesSeconds, iterationsPerSample } = await gemm.measure(timing);
  return median([...samplesSeconds].map(value => value / iterationsPerSample));
}

const without = [];
const withSampler = [];
let sampledSeconds = 0;
let readings = 0;
for (let round = 0; round < rounds; ++round) {
  for (const side of round % 2 === 0 ? ['without', 'with'] : ['with', 'without']) {
    if (side === 'without') {
      without.push(await gemmSeconds());
      continue;
    }
    const begin = native.now();
    sampler.start();
    withSampler.push(await gemmSeconds());
    sampler.stop();
    sampledSeconds += native.now() - begin;
    for (const { values } of Object.values(sampler.drain())) readings += values.length;
  }
}
const { passed: gemmVerified } = await gemm.verify();
gemm.dispose();

const stats = sampler.stats();
const coreShare = stats.cpuSeconds / sampledSeconds;
const ratios = withSampler.map((value, i) => value / without[i]);
const ratioInterval = medianInterval(ratios);
const interval = medianInterval(without);
const shift = median(withSampler) / median(without) - 1;
const halfWidth = Math.max(interval[1] / median(without) - 1, 1 - interval[0] / median(without));
const failures = stats.channels.filter(channel => channel.failures > 0);
const cheap = coreShare < HIGHEST_CORE_SHARE;
const unmoved = Math.abs(shift) <= halfWidth;
const passed = cheap && unmoved && gemmVerified && failures.length === 0;

const result = {
  channels: channels.length,
  hertz: Number(flags.hertz),
  rounds,
  readings,
  readingsWanted: Math.round((channels.length * sampledSeconds) / periodSeconds),
  overruns: stats.overruns,
  failures: failures.map(({ id, lastError }) => ({ id, lastError })),
  coreShare,
  gemmSecondsWithout: median(without),
  gemmSecondsWith: median(withSampler),
  gemmShift: shift,
  gemmIntervalHalfWidth: halfWidth,
  pairedRatio: median(ratios),
  pairedRatioInterval: ratioInterval,
  passed,
};
if (flags.json) {
  console.log(JSON.stringify(result, null, 2));
} else {
  const percent = value => `${(100 * value).toFixed(3)} %`;
  console.log(
    `${channels.length} files at ${flags.hertz} Hz beside an f32 GEMM of ${size}^3 on ${threads} threads, ${rounds} rounds each way`,
  );
  console.log(
    `CPU time of the sampler   ${percent(coreShare)} of one core (bar: under ${percent(HIGHEST_CORE_SHARE)})`,
  );
  console.log(`readings                  ${readings} of ${result.readingsWanted} wanted, ${stats.overruns} overruns`);
  console.log(
    `GEMM median, with / without  ${(1 + shift).toFixed(4)}; own interval of the median +-${percent(halfWidth)}`,
  );
  console.log(
    `paired ratio              ${result.pairedRatio.toFixed(4)} [${ratioInterval.map(x => x.toFixed(4)).join(', ')}]`,
  );
  for (const { id, lastError } of result.failures) console.log(`failed read: ${id}: ${lastError}`);
  console.log(
    passed ? 'the sampler stays within both bars' : `MISSED: ${cheap ? '' : 'CPU time '}${unmoved ? '' : 'GEMM moved'}`,
  );
}
process.exitCode = passed ? 0 : 1;
