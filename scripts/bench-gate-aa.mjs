// A/A on this machine: real runs of one suite, paired in order, through a 5 % `not_worse` policy.
//
//   node scripts/bench-gate-aa.mjs [--pairs 60] [--suite smoke] [--launches 5] [--keep folder] [--reuse folder] [--json]
//
// Each pair is two runs one after the other; a run serves as candidate of one pair and as baseline of the next, so 61 runs
// make 60 pairs. Prints what the gate said of each and exits 1 when a FAIL stands that no fitness warning explains.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '60' },
    suite: { type: 'string', default: 'smoke' },
    launches: { type: 'string', default: '5' },
    keep: { type: 'string' },
    reuse: { type: 'string' },
    json: { type: 'boolean', default: false },
  },
});
const bin = fileURLToPath(new URL('../bin/aibench.js', import.meta.url));
const given = values.reuse ?? values.keep;
const folder = given ?? mkdtempSync(path.join(os.tmpdir(), 'aibench-aa-'));
mkdirSync(folder, { recursive: true });
const pairs = Number(values.pairs);
const runs = Array.from({ length: pairs + 1 }, (_, index) =>
  path.join(folder, `run-${String(index).padStart(3, '0')}.json`),
);

function aibench(...args) {
  return spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', maxBuffer: 256 << 20 });
}

try {
  for (const [index, file] of runs.entries()) {
    if (values.reuse !== undefined && existsSync(file)) continue;
    const { status, stderr } = aibench(
      'run',
      values.suite,
      '--launches',
      values.launches,
      '--seed',
      String(index),
      '-q',
      '-o',
      file,
    );
    if (status !== 0) throw new Error(`run ${index} exited ${status}: ${stderr}`);
    console.error(`run ${index} of ${pairs} done`);
  }
  const policy = path.join(folder, 'policy.yaml');
  rmSync(policy, { force: true });
  const made = aibench('gate', 'init', runs[0], '--margin', '5%', '-o', policy);
  if (made.status !== 0) throw new Error(made.stderr);
  const verdicts = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0, UNFIT: 0 };
  const items = { PASS: 0, FAIL: 0, INCONCLUSIVE: 0, UNFIT: 0 };
  const unexplained = [];
  for (let pair = 0; pair < pairs; pair++) {
    const { stdout, stderr, status } = aibench(
      'gate',
      '--policy',
      policy,
      '--json',
      '--baseline',
      runs[pair],
      runs[pair + 1],
    );
    if (status === 2 || status === 4) throw new Error(`pair ${pair}: ${stderr}`);
    const result = JSON.parse(stdout);
    verdicts[result.verdict] += 1;
    for (const [verdict, count] of Object.entries(result.counts)) items[verdict] += count;
    if (result.verdict !== 'FAIL') continue;
    // What the runs themselves warned of: the gate takes some codes for unfit, a reader may take any for an explanation.
    const warned = [runs[pair], runs[pair + 1]].flatMap(file => {
      const { warnings, cases } = JSON.parse(readFileSync(file, 'utf8'));
      return [...warnings, ...cases.flatMap(item => item.warnings)].map(({ code }) => code);
    });
    const failed = result.items
      .filter(item => item.verdict === 'FAIL')
      .map(item => ({ case: item.case, estimate: item.estimate }));
    unexplained.push({ pair, failed, warnings: [...new Set(warned)] });
  }
  const report = {
    schema: 'aibench.gate-aa/1',
    suite: values.suite,
    launches: Number(values.launches),
    pairs,
    verdicts,
    items,
    fails: unexplained,
  };
  if (values.json) console.log(JSON.stringify(report, null, 2));
  else {
    console.log(
      `${pairs} pairs of ${values.suite}, ${values.launches} launches: ${JSON.stringify(verdicts)}; checks: ${JSON.stringify(items)}`,
    );
    for (const fail of unexplained)
      console.log(
        `pair ${fail.pair} FAIL, warnings ${fail.warnings.join(', ') || 'none'}: ${JSON.stringify(fail.failed)}`,
      );
  }
  process.exitCode = unexplained.some(({ warnings }) => warnings.length === 0) ? 1 : 0;
} finally {
  if (given === undefined) rmSync(folder, { recursive: true, force: true });
}
