// A/A on this machine: pairs of real runs of one suite, one after the other, through a 5 % `not_worse` policy.
//
//   node scripts/bench-gate-aa.mjs [--pairs 60] [--suite scripts/gate-aa.yaml] [--keep folder] [--at-most runs] [--json]
//
// No run stands in two pairs: 60 pairs are 120 runs. With --keep the documents stay and a later call goes on from them;
// --at-most ends this call after so many runs (exit 3 while some are missing). Prints what the gate said of each pair, and
// exits 1 where a FAIL stands that no fitness warning of the failing case, or of the whole run, explains.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';

const { values } = readFlags(import.meta.url, {
  options: {
    pairs: { type: 'string', default: '60' },
    suite: { type: 'string', default: fileURLToPath(new URL('gate-aa.yaml', import.meta.url)) },
    keep: { type: 'string' },
    'at-most': { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const bin = fileURLToPath(new URL('../bin/aibench.js', import.meta.url));
const folder = values.keep ?? mkdtempSync(path.join(os.tmpdir(), 'aibench-aa-'));
mkdirSync(folder, { recursive: true });
const pairs = Number(values.pairs);
const runs = Array.from({ length: 2 * pairs }, (_, index) =>
  path.join(folder, `run-${String(index).padStart(3, '0')}.json`),
);

/**
 * Warnings that say the machine was not at rest. Others explain no difference: how it is set up, how its id was made, and
 * LOAD_BEFORE_START, which every run that follows another carries.
 */
const FITNESS = new Set([
  'CONCURRENT_RUN',
  'FOREIGN_LOAD',
  'FOREIGN_LOAD_HIGH',
  'STEAL',
  'STEAL_HIGH',
  'HOT_BEFORE_START',
  'HOT',
  'CPU_QUOTA_THROTTLED',
  'GPU_THROTTLED',
  'CLOCK_BELOW_HIGHEST',
  'LAUNCHES_VARY',
  'FIRST_LAUNCH_DIFFERS',
  'LAUNCH_FAILED',
]);

function aibench(...args) {
  return spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', maxBuffer: 256 << 20 });
}

/** @returns whether every document is there. */
function collect() {
  let left = values['at-most'] === undefined ? Number.POSITIVE_INFINITY : Number(values['at-most']);
  for (const [index, file] of runs.entries()) {
    if (existsSync(file)) continue;
    if (left <= 0) return false;
    left -= 1;
    // A whole file under its final name only: an interrupted call leaves nothing that a later one would take for a run.
    const { status, stderr } = aibench('run', values.suite, '--seed', String(index), '-q', '-o', file);
    if (status !== 0) {
      rmSync(file, { force: true });
      throw new Error(`run ${index} exited ${status}: ${stderr}`);
    }
    console.error(`run ${index + 1} of ${runs.length} done`);
  }
  return true;
}

/** Fitness warnings of a case of one of the documents, with those of the whole run. */
function fitnessOf(files, id) {
  const found = files.flatMap(file => {
    const { warnings, cases } = JSON.parse(readFileSync(file, 'utf8'));
    return [...warnings, ...cases.filter(item => item.id === id).flatMap(item => item.warnings)].map(
      ({ code }) => code,
    );
  });
  return [...new Set(found)].filter(code => FITNESS.has(code));
}

function judgePairs() {
  const policy = path.join(folder, 'policy.yaml');
  rmSync(policy, { force: true });
  const made = aibench('gate', 'init', runs[0], '--margin', '5%', '-o', policy);
  if (made.status !== 0) throw new Error(made.stderr);
  const verdicts = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0, UNFIT: 0 };
  const checks = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0, UNFIT: 0 };
  const fails = [];
  let warned = 0;
  for (let pair = 0; pair < pairs; pair++) {
    const [baseline, candidate] = [runs[2 * pair], runs[2 * pair + 1]];
    const { stdout, stderr, status } = aibench(
      ...['gate', '--policy', policy, '--json', '--baseline', baseline, candidate],
    );
    if (status === 2 || status === 4) throw new Error(`pair ${pair}: ${stderr}`);
    const result = JSON.parse(stdout);
    verdicts[result.verdict] += 1;
    for (const [verdict, count] of Object.entries(result.counts)) checks[verdict] += count;
    if (result.items.some(item => fitnessOf([baseline, candidate], item.case).length > 0)) warned += 1;
    if (result.verdict !== 'FAIL') continue;
    for (const item of result.items.filter(one => one.verdict === 'FAIL'))
      fails.push({
        pair,
        case: item.case,
        ratio: item.estimate?.value ?? null,
        pCorrected: item.pFailCorrected,
        explainedBy: fitnessOf([baseline, candidate], item.case),
      });
  }
  return { schema: 'aibench.gate-aa/1', suite: path.basename(values.suite), pairs, verdicts, checks, warned, fails };
}

function text({ verdicts, checks, warned, fails }) {
  const list = counts =>
    Object.entries(counts)
      .map(([verdict, count]) => `${count} ${verdict}`)
      .join(', ');
  const lines = [
    `${pairs} pairs of real runs: ${list(verdicts)}`,
    `checks: ${list(checks)}; ${warned} pairs carry a fitness warning`,
  ];
  for (const fail of fails)
    lines.push(
      `pair ${fail.pair} FAIL on ${fail.case}: ratio ${fail.ratio?.toFixed(3) ?? '–'}, warnings ${fail.explainedBy.join(', ') || 'NONE'}`,
    );
  return lines.join('\n');
}

try {
  if (collect()) {
    const report = judgePairs();
    console.log(values.json ? JSON.stringify(report, null, 2) : text(report));
    process.exitCode = report.fails.some(({ explainedBy }) => explainedBy.length === 0) ? 1 : 0;
  } else process.exitCode = 3;
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true, force: true });
}
