// npm run bench:compare
// How long comparing takes, each time in a process of its own, as a user starts it: one pair of documents (bar: 300 ms from
// start to end), and a fleet of 1,000 documents of 200 cases (bars: 10 s and 1 GB of memory). Exits 1 when a bar is missed.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = path.join(root, 'bin', 'aibench.js');
const folder = mkdtempSync(path.join(root, 'node_modules', '.bench-compare-'));
const DOCUMENTS = 1000;
const CASES = 200;
const PAIR_RUNS = 15;

/** Prints its own peak of resident memory (KiB) as it ends. */
const meter = path.join(folder, 'meter.mjs');
writeFileSync(
  meter,
  "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS + '\\n'));\n",
);

function timed(args) {
  const start = process.hrtime.bigint();
  const { status, stderr, stdout } = spawnSync(process.execPath, ['--import', meter, bin, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (status !== 0) throw new Error(stderr);
  return { seconds, bytes: 1024 * Number(/peak (\d+)/.exec(stderr)?.[1]), stdout };
}

try {
  const bundle = path.join(folder, 'synthetic.mjs');
  await build({
    entryPoints: [path.join(root, 'test', 'fixtures', 'synthetic.ts')],
    bundle: true,
    outfile: bundle,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  const { syntheticDocument } = await import(bundle);
  const place = (name, options) =>
    writeFileSync(
      path.join(folder, name),
      JSON.stringify(syntheticDocument({ cases: CASES, launches: 5, ...options })),
    );
  for (let node = 0; node < DOCUMENTS; node++) {
    const speed = node === 617 ? index => (index < 40 ? 0.8 : 1) : 1;
    place(`node-${String(node).padStart(4, '0')}.json`, { seed: node, host: `h${node}`, label: `node-${node}`, speed });
  }
  const fleet = readdirSync(folder).filter(name => name.startsWith('node-'));
  const size = fleet.reduce((total, name) => total + statSync(path.join(folder, name)).size, 0);
  place('before.json', { seed: 1, cases: 20 });
  place('after.json', { seed: 2, cases: 20 });

  const pairs = Array.from({ length: PAIR_RUNS }, () => timed(['compare', 'before.json', 'after.json']).seconds);
  pairs.sort((a, b) => a - b);
  const pair = pairs[Math.floor(PAIR_RUNS / 2)];
  const found = timed(['compare', '--fleet', '--json', ...fleet]);
  const outliers = JSON.parse(found.stdout).cohorts.flatMap(cohort => cohort.outliers.map(({ label }) => label));
  const bars = [
    [
      `one pair, 20 cases: ${(1e3 * pair).toFixed(0)} ms (median of ${PAIR_RUNS}; worst ${(1e3 * pairs.at(-1)).toFixed(0)} ms)`,
      pair < 0.3,
    ],
    [
      `fleet of ${DOCUMENTS} documents, ${CASES} cases, ${(size / 1e6).toFixed(0)} MB: ${found.seconds.toFixed(2)} s`,
      found.seconds < 10,
    ],
    [`its memory: ${(found.bytes / 1e6).toFixed(0)} MB at most`, found.bytes < 1e9],
    [`the slow node is named alone: ${outliers.join(', ')}`, outliers.length === 1 && outliers[0] === 'node-617'],
  ];
  console.log(`Node ${process.versions.node}, ${os.cpus()[0]?.model ?? 'unknown CPU'}`);
  for (const [text, held] of bars) console.log(`${held ? 'held' : 'MISSED'}: ${text}`);
  process.exitCode = bars.every(([, held]) => held) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
