// Puts zod into one file of dist and points every import there. As it comes, zod is 95 files, half of them messages in other
// languages: opening them took a third of the time that `aibench compare` needs from start to end.
import { appendFileSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const dist = path.join(root, 'dist');
const target = path.join(dist, 'vendor', 'zod.js');

mkdirSync(path.dirname(target), { recursive: true });
await build({
  stdin: { contents: "export { z } from 'zod';", resolveDir: root },
  outfile: target,
  bundle: true,
  minify: true,
  format: 'esm',
  platform: 'neutral',
  mainFields: ['module', 'main'],
  // English, zod's default, is imported by its own name.
  plugins: [
    {
      name: 'english-only',
      setup(pluginBuild) {
        pluginBuild.onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
          contents: "export { default as en } from './en.js';",
        }));
      },
    },
  ],
  legalComments: 'none',
  absWorkingDir: root,
  logLevel: 'error',
});

const IMPORT = /(\bfrom\s*)(['"])zod\2/g;
for (const entry of readdirSync(dist, { recursive: true })) {
  const file = path.join(dist, entry);
  if (!file.endsWith('.js') || file === target) continue;
  const text = readFileSync(file, 'utf8');
  const relative = path.relative(path.dirname(file), target).replaceAll(path.sep, '/');
  const changed = text.replace(IMPORT, (_all, from) => `${from}'${relative.startsWith('.') ? '' : './'}${relative}'`);
  if (changed !== text) writeFileSync(file, changed);
}

const zod = path.join(root, 'node_modules', 'zod');
const { version, license } = JSON.parse(readFileSync(path.join(zod, 'package.json'), 'utf8'));
appendFileSync(
  path.join(dist, 'THIRD-PARTY-LICENSES.txt'),
  `\n${'-'.repeat(78)}\n\nzod ${version} (${license})\n\n${readFileSync(path.join(zod, 'LICENSE'), 'utf8').trim()}\n`,
);
