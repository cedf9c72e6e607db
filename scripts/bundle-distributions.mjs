// Replaces dist/analysis/distributions.js by a bundle that holds the parts of stdlib it uses, and writes their licences
// beside it, so that a user of the released package installs none of stdlib's 240 packages.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const target = join(root, 'dist', 'analysis', 'distributions.js');

const result = await build({
  entryPoints: [target],
  outfile: target,
  allowOverwrite: true,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['main'],
  // stdlib's own debug output; it would pull in tty and util.
  plugins: [
    {
      name: 'silent-debug',
      setup(pluginBuild) {
        pluginBuild.onResolve({ filter: /^debug$/ }, () => ({ path: 'debug', namespace: 'silent' }));
        pluginBuild.onLoad({ filter: /.*/, namespace: 'silent' }, () => ({
          contents: 'module.exports = () => () => {};',
        }));
      },
    },
  ],
  legalComments: 'none',
  metafile: true,
  absWorkingDir: root,
  logLevel: 'error',
});

const packages = new Map();
for (const input of Object.keys(result.metafile.inputs)) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (match?.[1] === undefined) continue;
  const folder = join(root, match[1]);
  const { name, version, license } = createRequire(import.meta.url)(join(folder, 'package.json'));
  if (!packages.has(name)) packages.set(name, { folder, version, license });
}

/** Packages that carry the same licence text are listed over one copy of it. */
const byText = new Map();
for (const [name, { folder, version, license }] of [...packages].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const text = ['LICENSE', 'NOTICE']
    .map(file => join(folder, file))
    .filter(file => existsSync(file))
    .map(file => readFileSync(file, 'utf8').trim())
    .join('\n\n');
  if (text === '') throw new Error(`${name} in ${relative(root, folder)} has no licence file`);
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
}
const notice = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${'-'.repeat(78)}\n\n`);
writeFileSync(
  join(root, 'dist', 'THIRD-PARTY-LICENSES.txt'),
  `dist/analysis/distributions.js contains parts of the packages listed here, under these licences.\n\n${notice}`,
);
