// What a release and an offline bundle are made of: the main package as users get it, and the addon of this platform.
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

/** Platforms that a release is built for; each runs the scripts on its own machine and publishes its own package. */
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-arm64'];

export const root = path.dirname(path.dirname(path.dirname(fileURLToPath(import.meta.url))));
export const platform = `${process.platform}-${process.arch}`;
export const manifest = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Ends the script with one sentence and what to do. */
export function refuse(sentence, remedy) {
  console.error(`aibench: ${sentence} ${remedy}`);
  process.exit(1);
}

/** The built file or folder at this place of the clone. */
function built(...parts) {
  const file = path.join(root, ...parts);
  if (!existsSync(file)) refuse(`${path.relative(root, file)} is not there.`, 'Run `npm run build` first.');
  return file;
}

/** Writes the main package into `folder`, which is made. */
export function stageMain(folder) {
  mkdirSync(folder, { recursive: true });
  built('dist', 'build-info.json');
  for (const entry of manifest.files) cpSync(built(entry), path.join(folder, entry), { recursive: true });
  const { devDependencies, scripts, binary, allowScripts, ...published } = manifest;
  published.optionalDependencies = {
    ...manifest.optionalDependencies,
    ...Object.fromEntries(PLATFORMS.map(name => [`@aibench/native-${name}`, manifest.version])),
  };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

/** Writes the package of this platform's addon into `folder`, which is made. */
export function stagePlatform(folder) {
  mkdirSync(folder, { recursive: true });
  cpSync(built(`build-native-${platform}`, 'Release', 'aibench.node'), path.join(folder, 'aibench.node'));
  cpSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'));
  const published = {
    name: `@aibench/native-${platform}`,
    version: manifest.version,
    description: `The native addon of aibench for ${platform}.`,
    license: manifest.license,
    os: [process.platform],
    cpu: [process.arch],
    ...(process.platform === 'linux' ? { libc: ['glibc'] } : {}),
    files: ['aibench.node', 'LICENSE'],
  };
  writeFileSync(path.join(folder, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}
