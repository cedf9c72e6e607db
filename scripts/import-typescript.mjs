// For benchmarks: a TypeScript module of src or scripts, bundled in one step, so that they need no build before them.
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** Bundles `entry`, a path from the package's root, into `folder` and returns the bundle's URL. */
export async function bundleTypescript(entry, folder) {
  const outfile = path.join(folder, `${path.basename(entry, '.ts')}.mjs`);
  await build({
    entryPoints: [path.join(root, entry)],
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
    logLevel: 'error',
  });
  return pathToFileURL(outfile).href;
}

/** What `entry` exports. */
export async function importTypescript(entry) {
  // Inside node_modules, so that the libraries of the package are found.
  const folder = mkdtempSync(path.join(root, 'node_modules', '.bundled-'));
  try {
    return await import(await bundleTypescript(entry, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
