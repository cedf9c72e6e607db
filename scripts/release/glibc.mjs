// Which C library the files of a bundle ask for.
import { readFileSync } from 'node:fs';

/** A version as a number that compares: 2.34 → 2034. */
const order = version => {
  const [major, minor] = version.split('.').map(Number);
  return major * 1000 + minor;
};

/**
 * The newest glibc that any of these ELF files names, such as `2.34`, or null. Read from the version names in the files' string tables:
 * never lower than what the loader will ask for.
 */
export function newestGlibc(files) {
  let newest = null;
  for (const file of files) {
    for (const [, version] of readFileSync(file)
      .toString('latin1')
      .matchAll(/\bGLIBC_(\d+\.\d+)(?=[.\d]*\0)/g)) {
      if (newest === null || order(version) > order(newest)) newest = version;
    }
  }
  return newest;
}
