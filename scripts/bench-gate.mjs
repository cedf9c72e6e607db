// npm run bench:gate [-- --json] [--comparisons 2000]
// Simulates the gate's error rates (docs/gate.md) and exits 1 when a bar is missed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const { values } = parseArgs({
  options: { json: { type: 'boolean', default: false }, comparisons: { type: 'string', default: '2000' } },
});
const comparisons = Number(values.comparisons);
if (!Number.isInteger(comparisons) || comparisons < 100 || comparisons % 100 !== 0) {
  console.error('--comparisons takes a multiple of 100');
  process.exit(2);
}

// The simulation is TypeScript that imports src: bundled in one step, so that it needs no build before it.
const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const folder = mkdtempSync(join(root, 'node_modules', '.gate-simulation-'));
try {
  const bundle = join(folder, 'simulation.mjs');
  const { outputFiles } = await build({
    entryPoints: [join(root, 'scripts', 'gate-simulation.ts')],
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  writeFileSync(bundle, outputFiles[0]?.contents ?? '');
  const { simulate, simulationMarkdown } = await import(pathToFileURL(bundle).href);
  const result = simulate(comparisons, folder, line => console.error(line));
  process.stdout.write(values.json ? `${JSON.stringify(result, null, 2)}\n` : simulationMarkdown(result));
  process.exitCode = result.bars.every(({ held }) => held) ? 0 : 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
