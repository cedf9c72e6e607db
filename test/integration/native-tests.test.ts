/** The C++ tests, built by `npm test` beside the addon: each is a program that exits non-zero on the first wrong result. */
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/native/addon.ts';

const folder = path.join(packageRoot, `build-native-${process.platform}-${process.arch}`, 'test');
const programs = existsSync(folder)
  ? readdirSync(folder).filter(name => name.endsWith('_test') && statSync(path.join(folder, name)).isFile())
  : [];
const reason = programs.length === 0 ? ' (skipped: not built; node scripts/build-native.mjs --tests)' : '';

describe.skipIf(programs.length === 0)(`native tests${reason}`, () => {
  it.each(programs)('%s', { timeout: 300_000 }, name => {
    const { status, signal, stdout, stderr } = spawnSync(path.join(folder, name), {
      encoding: 'utf8',
      timeout: 290_000,
    });
    expect({ status, signal }, `${stdout}${stderr}`.slice(-4000)).toEqual({ status: 0, signal: null });
  });
});
