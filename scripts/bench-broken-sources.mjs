// Whether sources that are broken slow a measurement: the median of an f32 GEMM on all CPUs with nothing watched, beside sound
// sources, and beside those of test/support/broken-sources.ts (a driver that hangs for 30 s, a FIFO, garbage, meters that hang, lie,
// disconnect and send without end, a program that is killed every five seconds). The three take turns; each slice beside sources is held
// against the slices without that came before and after it. Said of the median of a slice's samples, and of its throughput, which
// every single wake-up is in, and beside it of the CPU time that all of ours takes without a GEMM, which other people's work on the machine
// does not change: what is lost beyond it is lost in caches. Exits 1 where an interval of a median's ratio lies above 1.
//
//   node scripts/bench-broken-sources.mjs [--rounds 20] [--seconds 0.5] [--size 512] [--json]
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { importTypescript } from './import-typescript.mjs';

const { values: flags } = readFlags(import.meta.url, {
  options: {
    rounds: { type: 'string', default: '20' },
    seconds: { type: 'string', default: '0.5' },
    size: { type: 'string', default: '512' },
    json: { type: 'boolean', default: false },
  },
});
const rounds = Number(flags.rounds);
const size = Number(flags.size);

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const built = path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node');
const native = createRequire(import.meta.url)(path.resolve(process.env.AIBENCH_ADDON || built));
const { brokenSources, localRow, startRecorder } = await importTypescript('scripts/broken-sources.ts');

const threads = native.affinity().length;
const gemm = native.createGemm({ dtype: 'f32', m: size, n: size, k: size, threads, seed: 1 });
await gemm.prepare();
if (!(await gemm.runAndVerify()).passed) throw new Error('the GEMM is wrong');

const OWN_SECONDS = 4;
const median = values => {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) / 2;
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2;
};
/** Interval of a median at 95 % by order statistics: ranks n/2 -+ 1.96 sqrt(n)/2 (Conover, 3.2). */
function medianInterval(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const n = sorted.length;
  const reach = (1.96 * Math.sqrt(n)) / 2;
  return [sorted[Math.max(0, Math.floor(n / 2 - reach) - 1)], sorted[Math.min(n - 1, Math.ceil(n / 2 + reach))]];
}

/** Seconds per product: the median of the samples, and over all of them. */
async function slice() {
  const timing = { maxWarmupSeconds: 0.05, minSampleSeconds: 0, minSamples: 5, maxSamples: 100000 };
  const measured = await gemm.measure({ ...timing, targetSeconds: Number(flags.seconds) });
  const each = [...measured.samplesSeconds].map(value => value / measured.iterationsPerSample);
  return { median: median(each), mean: each.reduce((sum, value) => sum + value, 0) / each.length };
}

const broken = await brokenSources();
const uptime = { type: 'file', path: '/proc/uptime' };
/** As many rows of this machine as there are broken ones, at the same pace. */
const sound = broken.channels.map((_, index) => localRow(`sound-${index}`, uptime));
const SIDES = {
  sound: { channels: sound, remote: [], nvmlLibraries: [] },
  broken,
};
const watched = ['sound', 'broken'];
const cpu = { sound: 0, broken: 0 };
const wall = { sound: 0, broken: 0 };
const without = [await slice()];
const ratios = { sound: [], broken: [] };
for (let round = 0; round < rounds; ++round) {
  for (const name of round % 2 === 0 ? watched : [...watched].reverse()) {
    const recorder = startRecorder({ native, ...SIDES[name] });
    const beside = await slice();
    const { observer } = recorder.stop();
    cpu[name] += observer.cpuSeconds;
    wall[name] += observer.wallSeconds;
    const before = without[without.length - 1];
    const after = await slice();
    without.push(after);
    const against = which => beside[which] / Math.sqrt(before[which] * after[which]);
    ratios[name].push({ median: against('median'), mean: against('mean') });
  }
}
/** CPU time of this process without the GEMM, shares of one core: sampler, event loop and, of broken sources, the stand-ins that serve them. */
async function ownShare(name) {
  const recorder = name === 'none' ? null : startRecorder({ native, ...SIDES[name] });
  const [cpu, began] = [process.cpuUsage(), native.now()];
  await sleep(OWN_SECONDS * 1e3);
  const { user, system } = process.cpuUsage(cpu);
  const share = ((user + system) * 1e-6) / (native.now() - began);
  recorder?.stop();
  return share;
}
const idleShare = await ownShare('none');
const own = { sound: (await ownShare('sound')) - idleShare, broken: (await ownShare('broken')) - idleShare };
broken.close();
const { passed: verified } = await gemm.verify();
gemm.dispose();

const compared = name => {
  const of = which => {
    const values = ratios[name].map(ratio => ratio[which]);
    return { ratio: median(values), interval: medianInterval(values) };
  };
  const shares = { samplerCoreShare: cpu[name] / wall[name], ownCoreShare: own[name] };
  return { ...of('median'), throughput: of('mean'), ...shares };
};
const medians = without.map(one => one.median);
const result = {
  ...{ rounds, threads, size, hangingDriver: broken.hangs },
  gemmSeconds: median(medians),
  gemmSpread: [Math.min(...medians), Math.max(...medians)].map(value => value / median(medians)),
  sound: compared('sound'),
  broken: compared('broken'),
};
result.passed = verified && result.broken.interval[0] <= 1 && result.sound.interval[0] <= 1;
if (flags.json) {
  console.log(JSON.stringify(result, null, 2));
} else {
  const percent = share => `${(100 * share).toFixed(2)} %`;
  const range = ({ ratio, interval }) => `${ratio.toFixed(4)} [${interval.map(value => value.toFixed(4)).join(', ')}]`;
  console.log(`f32 GEMM of ${size}^3 on ${threads} threads, ${rounds} slices of each side between slices without`);
  console.log(
    `slices without sources lie from ${result.gemmSpread.map(value => value.toFixed(3)).join(' to ')} of their median`,
  );
  for (const name of watched) {
    const { throughput, samplerCoreShare, ownCoreShare, ...of } = result[name];
    console.log(
      `beside ${name} sources / without   median ${range(of)}, all samples ${range(throughput)}, sampler ${percent(samplerCoreShare)}, all of ours ${percent(ownCoreShare)} of a core`,
    );
  }
  if (!broken.hangs) console.log('without the hanging driver: no C++ compiler was found');
  console.log(result.passed ? 'the median does not move' : 'MISSED: the interval of the ratio lies above 1');
}
// The driver still hangs in its call: nothing waits for it.
process.exit(result.passed ? 0 : 1);
