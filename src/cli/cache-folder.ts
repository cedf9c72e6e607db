/** Where generated models are kept between runs. */
import { accessSync, constants, mkdirSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

/** AIBENCH_CACHE_DIR, else the user's cache folder, else a folder of ours among the temporary files. */
export function cacheFolder(): string {
  const named = process.env.AIBENCH_CACHE_DIR;
  const candidates = [
    ...(named ? [named] : []),
    path.join(process.env.XDG_CACHE_HOME || path.join(os.homedir(), '.cache'), 'aibench'),
  ];
  for (const folder of candidates) {
    try {
      mkdirSync(folder, { recursive: true });
      accessSync(folder, constants.W_OK);
      return folder;
    } catch {
      // Read-only home folders are common in containers: try the next place.
    }
  }
  const fallback = path.join(os.tmpdir(), `aibench-cache-${process.getuid?.() ?? 0}`);
  mkdirSync(fallback, { recursive: true, mode: 0o700 });
  return fallback;
}
