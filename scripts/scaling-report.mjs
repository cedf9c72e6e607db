// Speed-up, efficiency and energy per operation at each point of the cases of a document that differ only in threads or
// ranks. Strong scaling compares equal work, weak scaling work per core; which one a group is follows from its parameters.
//
//   node scripts/scaling-report.mjs DOCUMENT.json
import { readFileSync } from 'node:fs';
import process from 'node:process';

const file = process.argv[2];
if (file === undefined) {
  console.error('Usage: node scripts/scaling-report.mjs DOCUMENT.json');
  process.exit(2);
}
const { cases, host } = JSON.parse(readFileSync(file, 'utf8'));
const cores = host.cpu.usableCores;
const coresOf = ({ params }) => {
  const value = params.threads ?? params.ranks;
  return value === 'all' ? cores : value;
};

/** Strong: every parameter but the cores is equal. Weak: m per core is. */
function groupsOf(measured) {
  const groups = new Map();
  for (const item of measured) {
    const { threads: _t, ranks: _r, ...others } = item.params;
    const { m, ...shape } = others;
    const keys = [`strong ${item.workload} ${JSON.stringify(others)} ${item.backend}`];
    if (m !== undefined)
      keys.push(`weak ${item.workload} ${JSON.stringify({ ...shape, mPerCore: m / coresOf(item) })}`);
    for (const key of keys) groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups].filter(([, items]) => new Set(items.map(coresOf)).size > 1);
}

const measured = cases.filter(
  item => item.status === 'measured' && coresOf(item) !== undefined && item.headline !== null,
);
for (const [name, items] of groupsOf(measured)) {
  const points = [...new Map(items.map(item => [coresOf(item), item])).values()].sort(
    (a, b) => coresOf(a) - coresOf(b),
  );
  const first = points[0];
  const base = first.metrics[first.headline].value;
  console.log(`\n${name}`);
  for (const item of points) {
    const { value, unit } = item.metrics[item.headline];
    const n = coresOf(item) / coresOf(first);
    const energy = item.energy.find(({ status }) => status === 'ok')?.throughputPerWatt;
    console.log(
      [
        `${coresOf(item)} cores`.padStart(9),
        `${value.toExponential(3)} ${unit}`,
        `speed-up ${(value / base).toFixed(2)}`,
        `efficiency ${(value / base / n).toFixed(2)}${coresOf(item) > cores ? ' (more than there are)' : ''}`,
        energy == null
          ? 'energy not measured'
          : `${(1 / energy.value).toExponential(3)} J per ${unit.replace('/s', '')}`,
      ].join('  '),
    );
  }
}
