// Bundles the program into dist/app: the command line, the process of a launch, the thread of an inference session and what
// other programs may import, with the libraries that they use but for those of OUTSIDE. A user installs little, and a command opens a dozen files instead
// of two hundred.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

/** A native library with its own releases, one that a child process loads, and two that come without a licence's text. */
const OUTSIDE = ['onnxruntime-node', 'systeminformation', '@bufbuild/protobuf', 'onnx-buf'];

/** Parts of libraries that nobody here can reach: stdlib's debug output, and zod's messages in other languages. */
const withoutBallast = {
  name: 'without-ballast',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^debug$/ }, () => ({ path: 'debug', namespace: 'silent' }));
    onLoad({ filter: /.*/, namespace: 'silent' }, () => ({ contents: 'module.exports = () => () => {};' }));
    onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};

const { metafile } = await build({
  // Side by side in one folder, two below the package, as in src: paths relative to a module's own place hold in both.
  entryPoints: {
    main: 'src/cli/main.ts',
    index: 'src/index.ts',
    'launch-process': 'src/runner/launch-process.ts',
    'isolated-process': 'src/native/isolated-process.ts',
    'session-worker': 'src/workloads/inference/session-worker.ts',
  },
  outdir: 'dist/app',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external: OUTSIDE,
  // Names stay readable in the stack of a defect.
  minifySyntax: true,
  minifyWhitespace: true,
  // Libraries in CommonJS ask for Node's own modules by require.
  banner: { js: "import{createRequire as requireFrom}from'node:module';const require=requireFrom(import.meta.url);" },
  plugins: [withoutBallast],
  legalComments: 'none',
  metafile: true,
  absWorkingDir: root,
  logLevel: 'warning',
});

const packages = new Map();
for (const input of Object.keys(metafile.inputs)) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input);
  if (match?.[1] === undefined) continue;
  const folder = path.join(root, match[1]);
  const { name, version, license } = createRequire(import.meta.url)(path.join(folder, 'package.json'));
  if (!packages.has(name)) packages.set(name, { folder, version, license });
}

/** Packages that carry the same licence text are listed over one copy of it. */
const byText = new Map();
for (const [name, { folder, version, license }] of [...packages].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const text = ['LICENSE', 'NOTICE']
    .map(file => path.join(folder, file))
    .filter(file => existsSync(file))
    .map(file => readFileSync(file, 'utf8').trim())
    .join('\n\n');
  if (text === '') throw new Error(`${name} has no licence file`);
  byText.set(text, [...(byText.get(text) ?? []), `${name} ${version} (${license})`]);
}
const notice = [...byText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`).join(`\n${'-'.repeat(78)}\n\n`);
writeFileSync(
  path.join(root, 'dist', 'THIRD-PARTY-LICENSES.txt'),
  `dist/app contains parts of the packages listed here, under these licences.\n\n${notice}`,
);
