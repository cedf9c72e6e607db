// Whether allreduce over 4 (and 8) hosts takes the time that a calibration between 2 of them predicts: network namespaces
// with a wire of known speed, Open MPI with its algorithm forced, α and β from shift tables. Exits 1 above 8 % mean error, 3 when the
// machine was too busy to keep the wire's time.
//
//   node scripts/bench-wire.mjs [--ranks 4] [--megabits 50] [--delay 4000] [--json]      (root, about a minute)
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { startHosts, whyNoHosts } from './hosts/hosts.mjs';
import { importTypescript } from './import-typescript.mjs';

const { fitLink, interpolateLink, linkTime, predictAllreduce } = await importTypescript(
  'src/analysis/collective-model.ts',
);

const BAR = 0.08;
// Open MPI's numbers: ompi/mca/coll/tuned/coll_tuned_allreduce_decision.c
const ALGORITHMS = [
  { name: 'rabenseifner', number: 6, upTo: 2 ** 21 },
  { name: 'ring', number: 4, upTo: 2 ** 16 },
  { name: 'recursive-doubling', number: 3, upTo: 2 ** 16 },
];
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { values: flags } = readFlags(import.meta.url, {
  options: {
    ranks: { type: 'string', default: '4' },
    megabits: { type: 'string', default: '50' },
    delay: { type: 'string', default: '4000' },
    mtu: { type: 'string', default: '9000' }, // jumbo frames: each costs this machine's CPUs the same, however long it is
    json: { type: 'boolean', default: false },
  },
});
const why = whyNoHosts();
if (why !== null) {
  console.error(`bench-wire: ${why}.`);
  process.exit(3);
}
const ranks = Number(flags.ranks);
const hosts = await startHosts({
  count: ranks,
  megabits: Number(flags.megabits),
  delayMicroseconds: Number(flags.delay),
  mtu: Number(flags.mtu),
});
const environment = {
  AIBENCH_ADDON:
    process.env.AIBENCH_ADDON ??
    path.join(root, `build-native-${process.platform}-${process.arch}`, 'Release', 'aibench.node'),
};
const script = path.join(root, 'scripts', 'hosts', 'rank.mjs');
const measure = async (n, list, settings = []) => {
  const { status, stdout, stderr } = await hosts.mpirun(n, [script, JSON.stringify(list)], { settings, environment });
  if (status !== 0) throw new Error(`mpirun over ${n} hosts ended with ${status}: ${stderr.slice(-800)}`);
  return JSON.parse(stdout);
};
let exitCode = 0;
let busy = false;
try {
  const sizes = [8, 64, 1024, 4096, 16384, 65536, 262144, 1048576];
  const table = (
    await measure(
      2,
      sizes.map(bytes => ({ collective: 'shift', bytes })),
    )
  ).map(({ bytes, seconds }) => ({ bytes, seconds }));
  const link = fitLink(table);
  if (!flags.json) {
    console.log(
      `wire: ${flags.megabits} Mbit/s, ${flags.delay} us; alpha ${(link.alphaSeconds * 1e6).toFixed(0)} us, 1/beta ${(8e-6 / link.betaSecondsPerByte).toFixed(1)} Mbit/s`,
    );
  }
  // Software adds some 50 us to the wire's delay; far more means that ranks or wire waited for a CPU.
  busy = link.alphaSeconds > 1.5e-6 * Number(flags.delay);
  if (busy)
    console.error(
      'bench-wire: the machine is too busy: messages take far longer than the wire, predictions say nothing.',
    );
  const results = [];
  for (const { name, number, upTo } of ALGORITHMS) {
    const list = [64, 1024, 4096, 16384, 65536, 262144, 2097152].filter(bytes => bytes <= upTo);
    const measured = await measure(
      ranks,
      list.map(bytes => ({ collective: 'allreduce', bytes })),
      [
        ['coll_tuned_use_dynamic_rules', '1'],
        ['coll_tuned_allreduce_algorithm', String(number)],
      ],
    );
    const errors = measured.map(({ bytes, seconds }) => {
      const byTable = predictAllreduce(name, ranks, bytes, n => interpolateLink(table, n));
      const byFit = predictAllreduce(name, ranks, bytes, linkTime(link));
      return { bytes, seconds, byTable, byFit, error: byTable / seconds - 1, errorOfFit: byFit / seconds - 1 };
    });
    const mean = key => errors.reduce((sum, row) => sum + Math.abs(row[key]), 0) / errors.length;
    const error = mean('error');
    results.push({ name, ranks, error, errorOfFit: mean('errorOfFit'), rows: errors });
    if (error > BAR) exitCode = 1;
    if (!flags.json) {
      console.log(
        `${name}, ${ranks} ranks: mean error ${(100 * error).toFixed(1)} % by the table, ${(100 * mean('errorOfFit')).toFixed(1)} % by alpha and beta${error > BAR ? `, above ${100 * BAR} %` : ''}`,
      );
      for (const row of errors)
        console.log(
          `  ${String(row.bytes).padStart(8)} B  measured ${(row.seconds * 1e3).toFixed(2)} ms  predicted ${(row.byTable * 1e3).toFixed(2)} ms (${(100 * row.error).toFixed(1)} %)`,
        );
    }
  }
  if (flags.json) console.log(JSON.stringify({ link, table, results }));
} finally {
  await hosts.stop();
}
process.exitCode = busy ? 3 : exitCode;
