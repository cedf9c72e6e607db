// The shape at which a matrix product comes nearest to the FMA peak: from a start, one dimension at a time is made larger and
// smaller, and the best neighbour is taken, until none is better or the time is over. Each product is verified before and after
// it is timed; what was tried is kept, best first.
//
// With --backend cublaslt or hipblaslt on GPU --device, held against the bound of its units; AIBENCH_CUBLASLT names the library
// where the loader does not find it (`aibench list devices` shows its path). In a bundle: node/node tools/find-peak.mjs.
//
//   node scripts/find-peak.mjs [--dtype f32] [--threads 1] [--backend native] [--seconds 60] [--start 512] [--device 0] [--layout tn] [--out FILE] [--json]
import { existsSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';

// Neighbours of a dimension, as factors; sizes are kept between the limits.
const FACTORS = [0.5, 0.75, 0.9, 1.1, 1.5, 2];
const GPU = {
  cublaslt: {
    vendor: 'cuda',
    driver: ['AIBENCH_CUDA', 'libcuda.so.1'],
    matmul: ['AIBENCH_CUBLASLT', 'libcublasLt.so.13', 'libcublasLt.so.12', 'libcublasLt.so.11'],
  },
  hipblaslt: {
    vendor: 'rocm',
    driver: ['AIBENCH_HIP', 'libamdhip64.so.7', 'libamdhip64.so.6'],
    matmul: ['AIBENCH_HIPBLASLT', 'libhipblaslt.so.1', 'libhipblaslt.so.0'],
  },
};
const LIMITS = { least: 16, most: 32768 };
const TIMING = { maxWarmupSeconds: 0.05, minSampleSeconds: 0.002, targetSeconds: 0.3, minSamples: 5, maxSamples: 1000 };

const { values } = readFlags(import.meta.url, {
  options: {
    dtype: { type: 'string', default: 'f32' },
    threads: { type: 'string', default: '1' },
    backend: { type: 'string', default: 'native' },
    seconds: { type: 'string', default: '60' },
    start: { type: 'string', default: '512' },
    device: { type: 'string', default: '0' },
    layout: { type: 'string', default: 'tn' },
    out: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const platform = `${process.platform}-${process.arch}`;
const built = path.join(root, `build-native-${platform}`, 'Release', 'aibench.node');
const bundled = path.join(root, 'app', 'node_modules', '@aibench', `native-${platform}`, 'aibench.node');
const addon = createRequire(import.meta.url)(
  path.resolve(process.env.AIBENCH_ADDON ?? (existsSync(built) ? built : bundled)),
);

const gpu = GPU[values.backend];
const grain = gpu ? 64 : 8;
const most = gpu ? LIMITS.most : 8192;

function openOnGpu([m, n, k]) {
  const paths = ([variable, ...names]) => (process.env[variable] ? [process.env[variable]] : names);
  const libraries = {
    vendor: gpu.vendor,
    driver: paths(gpu.driver),
    matmul: paths(gpu.matmul),
    collective: [],
    compiler: [],
  };
  const fixed = {
    layout: values.layout,
    workspaceBytes: 32 * 2 ** 20,
    algorithms: 16,
    graphBelowSeconds: 50e-6,
    seed: 1,
  };
  return addon.createGpuGemm({ libraries, devices: [Number(values.device)], dtype: values.dtype, m, n, k, ...fixed });
}

/** Share of the peak that was seen between the samples: best sample over best look at the peak. */
async function measure([m, n, k]) {
  const { dtype, backend } = values;
  const problem = gpu
    ? openOnGpu([m, n, k])
    : addon.createGemm({ dtype, m, n, k, threads: Number(values.threads), seed: 1, backend });
  try {
    await problem.prepare();
    const before = await problem.runAndVerify();
    const { samplesSeconds, iterationsPerSample } = await problem.measure(TIMING);
    const after = await problem.verify();
    if (!before.passed || !after.passed) throw new Error(`${m}x${n}x${k}: wrong result, so no rate`);
    const flopsPerSecond = (problem.work().flops * iterationsPerSample) / Math.min(...samplesSeconds);
    const ceilings = problem.ceilings();
    const peak = ceilings.fma_flops_per_second ?? ceilings.device_flops_per_second_bound;
    // Where the bound of a GPU is not known the rate alone decides.
    const share = peak > 0 ? flopsPerSecond / peak : flopsPerSecond;
    return { m, n, k, flopsPerSecond, peak, share, verification: after };
  } finally {
    problem.dispose();
  }
}

function neighbours(shape) {
  const found = [];
  for (const [axis, size] of shape.entries()) {
    for (const factor of FACTORS) {
      const changed = Math.round((size * factor) / grain) * grain;
      if (changed < LIMITS.least || changed > most || changed === size) continue;
      found.push(shape.with(axis, changed));
    }
  }
  return found;
}

const sizes = values.start.split('x').map(Number);
if (![1, 3].includes(sizes.length) || sizes.some(size => !Number.isInteger(size) || size < 1)) {
  console.error(`--start is MxNxK or one number, not ${values.start}`);
  process.exit(2);
}
const deadline = addon.now() + Number(values.seconds);
const wall = new Map();
async function look(shape) {
  const key = shape.join('x');
  if (!wall.has(key)) wall.set(key, await measure(shape));
  return wall.get(key);
}
let best = await look(sizes.length === 1 ? [sizes[0], sizes[0], sizes[0]] : sizes);
for (let improved = true; improved && addon.now() < deadline; ) {
  improved = false;
  for (const shape of neighbours([best.m, best.n, best.k])) {
    if (addon.now() >= deadline) break;
    const candidate = await look(shape);
    if (candidate.share > best.share) {
      best = candidate;
      improved = true;
    }
  }
}
const results = [...wall.values()].sort((a, b) => b.share - a.share);
const document = { dtype: values.dtype, threads: Number(values.threads), backend: values.backend, results };
if (values.out !== undefined) writeFileSync(values.out, `${JSON.stringify(document, null, 2)}\n`);
if (values.json) console.log(JSON.stringify(document, null, 2));
else {
  for (const { m, n, k, flopsPerSecond, peak, share } of results.slice(0, 10)) {
    console.log(
      `${`${m}x${n}x${k}`.padEnd(18)} ${(flopsPerSecond / 1e9).toFixed(1).padStart(8)} GFLOP/s of ${(peak / 1e9).toFixed(1)}: ${(100 * share).toFixed(1)} %`,
    );
  }
  console.log(`${results.length} shapes tried, every product verified`);
}
