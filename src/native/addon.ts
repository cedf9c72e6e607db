/**
 * The only place that loads the native addon. It is looked for in this order: AIBENCH_ADDON (a path), the build folder of
 * a clone, the per-platform package of a release.
 */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import type { NativeAddon } from './types.ts';

/** Folder that holds package.json, both from src/ and from dist/. */
export const packageRoot = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

const platform = `${process.platform}-${process.arch}`;
const require = createRequire(import.meta.url);
let loaded: NativeAddon | undefined;

/**
 * Loads the addon once per process.
 * @throws AibenchError ADDON_MISSING or ADDON_BROKEN, exit code 3.
 */
export function loadAddon(): NativeAddon {
  loaded ??= require(findAddon()) as NativeAddon;
  return loaded;
}

/** As loadAddon, but with the error returned: for commands that can go on without it. */
export function tryLoadAddon(): { addon: NativeAddon } | { addon: null; error: AibenchError } {
  try {
    return { addon: loadAddon() };
  } catch (error) {
    if (error instanceof AibenchError) return { addon: null, error };
    return {
      addon: null,
      error: new AibenchError(
        'ADDON_BROKEN',
        `The native addon does not load: ${messageOf(error)}.`,
        'Reinstall aibench, or in a clone run `npm run build`.',
        EXIT.unmeasured,
      ),
    };
  }
}

function findAddon(): string {
  const named = process.env.AIBENCH_ADDON;
  if (named !== undefined && named !== '') {
    if (existsSync(named)) return path.resolve(named);
    throw new AibenchError(
      'ADDON_MISSING',
      `AIBENCH_ADDON names ${named}, which does not exist.`,
      'Unset AIBENCH_ADDON to use the addon that came with aibench.',
      EXIT.unmeasured,
    );
  }
  const built = path.join(packageRoot, `build-native-${platform}`, 'Release', 'aibench.node');
  if (existsSync(built)) return built;
  try {
    return require.resolve(`@aibench/native-${platform}/aibench.node`);
  } catch {
    throw new AibenchError(
      'ADDON_MISSING',
      `The native addon for ${platform} is not installed.`,
      `Install it with \`npm install @aibench/native-${platform}\`, or in a clone run \`npm run build\` (needs CMake and a C++20 compiler).`,
      EXIT.unmeasured,
    );
  }
}
