// npm run bench:gate [-- --json] [--comparisons 2000]
// Simulates the gate's error rates (docs/gate.md) and exits 1 when a bar is missed.
import { mkdtempSync, rmSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { readFlags } from './flags.mjs';
import { importTypescript } from './import-typescript.mjs';

const { values } = readFlags(import.meta.url, {
  options: { json: { type: 'boolean', default: false }, comparisons: { type: 'string', default: '2000' } },
});
const comparisons = Number(values.comparisons);
if (!Number.isInteger(comparisons) || comparisons < 100 || comparisons % 100 !== 0) {
  console.error('--comparisons takes a multiple of 100');
  process.exit(2);
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(root, 'node_modules', '.gate-simulation-'));
try {
  const { simulate, simulationMarkdown } = await importTypescript('scripts/gate-simulation.ts');
  const result = simulate(comparisons, folder, line => console.error(line));
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : simulationMarkdown(result));
  process.exitCode = result.bars.every(({ held }) => held) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
