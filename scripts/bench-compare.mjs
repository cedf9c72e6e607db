// npm run bench:compare [-- --pair]
// How long comparing takes, each time in a process of its own, as a user starts it: one pair of documents (bar: 300 ms from
// start to end), and a fleet of 1,000 documents of 200 cases (bars: 10 s and 1 GB of memory). Exits 1 when a bar is missed.
// --pair leaves out the fleet. What bare Node takes to start is printed beside it: on a busy machine it tells the machine's share.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { importTypescript } from './import-typescript.mjs';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');
const bin = path.join(root, 'bin', 'aibench.js');
const folder = mkdtempSync(path.join(root, 'node_modules', '.bench-compare-'));
const DOCUMENTS = 1000;
const CASES = 200;
const PAIR_RUNS = 15;
/** The node that is made slow on 40 of the cases. */
const SLOW = 617;
const onlyPair = readFlags(import.meta.url, { options: { pair: { type: 'boolean', default: false } } }).values.pair;

/** Prints its own peak of resident memory (KiB) as it ends. */
const meter = path.join(folder, 'meter.mjs');
writeFileSync(
  meter,
  "process.on('exit', () => process.stderr.write('\\npeak ' + process.resourceUsage().maxRSS + '\\n'));\n",
);

function timed(args, options = []) {
  const start = process.hrtime.bigint();
  const { status, stderr, stdout } = spawnSync(process.execPath, [...options, ...args], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 << 20,
  });
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (status !== 0) throw new Error(stderr);
  return { seconds, bytes: 1024 * Number(/peak (\d+)/.exec(stderr)?.[1]), stdout };
}

try {
  const { syntheticDocument } = await importTypescript('test/fixtures/synthetic.ts');
  const place = (name, options) =>
    writeFileSync(
      path.join(folder, name),
      JSON.stringify(syntheticDocument({ cases: CASES, launches: 5, ...options })),
    );
  const fleetBars = () => {
    for (let node = 0; node < DOCUMENTS; node++) {
      const speed = node === SLOW ? index => (index < 40 ? 0.8 : 1) : 1;
      place(`node-${String(node).padStart(4, '0')}.json`, {
        seed: node,
        host: `h${node}`,
        label: `node-${node}`,
        speed,
      });
    }
    const fleet = readdirSync(folder).filter(name => name.startsWith('node-'));
    const size = fleet.reduce((total, name) => total + statSync(path.join(folder, name)).size, 0);
    const found = timed([bin, 'compare', '--fleet', '--json', ...fleet], ['--import', meter]);
    const outliers = JSON.parse(found.stdout).cohorts.flatMap(cohort => cohort.outliers.map(({ label }) => label));
    return [
      [
        `fleet of ${DOCUMENTS} documents, ${CASES} cases, ${(size / 1e6).toFixed(0)} MB: ${found.seconds.toFixed(2)} s`,
        found.seconds < 10,
      ],
      [`its memory: ${(found.bytes / 1e6).toFixed(0)} MB at most`, found.bytes < 1e9],
      [
        `the slow node is named alone: ${outliers.join(', ') || 'none'}`,
        outliers.length === 1 && outliers[0] === `node-${SLOW}`,
      ],
    ];
  };
  place('before.json', { seed: 1, cases: 20 });
  place('after.json', { seed: 2, cases: 20 });

  const pairs = [];
  const starts = [];
  for (let run = 0; run < PAIR_RUNS; run++) {
    pairs.push(timed([bin, 'compare', 'before.json', 'after.json']).seconds);
    starts.push(timed(['-e', '0']).seconds);
  }
  pairs.sort((a, b) => a - b);
  starts.sort((a, b) => a - b);
  const pair = pairs[Math.floor(PAIR_RUNS / 2)];
  const start = starts[Math.floor(PAIR_RUNS / 2)];
  const bars = [
    [
      `one pair, 20 cases: ${(1e3 * pair).toFixed(0)} ms (median of ${PAIR_RUNS}; worst ${(1e3 * pairs.at(-1)).toFixed(0)} ms; Node alone ${(1e3 * start).toFixed(0)} ms)`,
      pair < 0.3,
    ],
  ];
  if (!onlyPair) bars.push(...fleetBars());
  console.log(`Node ${process.versions.node}, ${os.cpus()[0]?.model ?? 'unknown CPU'}`);
  for (const [text, held] of bars) console.log(`${held ? 'held' : 'MISSED'}: ${text}`);
  process.exitCode = bars.every(([, held]) => held) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
