/** Version and commit of this build. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string };
  return version;
}

/** Commit that the build was made from; undefined outside a clone and its releases. */
export function buildCommit(): string | undefined {
  try {
    const { commit } = JSON.parse(readFileSync(path.join(root, 'dist', 'build-info.json'), 'utf8')) as {
      commit: string | null;
    };
    return commit ?? undefined;
  } catch {
    return undefined;
  }
}
