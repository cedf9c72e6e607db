/**
 * Where onnxruntime-node is and what it came with, and the only place that loads it. It is an optional dependency: a machine
 * without it runs everything but inference. Looking for it loads nothing.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { AibenchError, EXIT, messageOf } from '../errors.ts';

export type OrtModule = typeof import('onnxruntime-node');

/** Installing runs no script: the package's own would fetch CUDA libraries from another host, and fail without it. */
export const ORT_INSTALL_COMMAND = 'npm install --ignore-scripts onnxruntime-node@1.30.0';

export type OrtLookup =
  | {
      status: 'ok';
      version: string;
      /** Folder of the binding and of the libraries that execution providers need. */
      binaryFolder: string;
    }
  | { status: 'absent'; reason: string; remedy: string };

const here = createRequire(import.meta.url);

/**
 * @param resolve finds a module's file, as require.resolve does; throws when there is none
 */
export function findOrt(
  resolve: (request: string) => string = here.resolve,
  platform = `${process.platform}/${process.arch}`,
): OrtLookup {
  let manifest: string;
  try {
    manifest = resolve('onnxruntime-node/package.json');
  } catch {
    return {
      status: 'absent',
      reason: 'onnxruntime-node is not installed.',
      remedy: `Install it with \`${ORT_INSTALL_COMMAND}\`.`,
    };
  }
  const binaryFolder = path.join(path.dirname(manifest), 'bin', 'napi-v6', platform);
  if (!existsSync(path.join(binaryFolder, 'onnxruntime_binding.node'))) {
    return {
      status: 'absent',
      reason: `onnxruntime-node is installed without its binary for ${platform}.`,
      remedy: `Install it again with \`${ORT_INSTALL_COMMAND}\`; it has binaries for Linux, macOS (arm64) and Windows.`,
    };
  }
  const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };
  return { status: 'ok', version, binaryFolder };
}

/** The C library that onnxruntime-node brings along, or null: `libonnxruntime.so.1`, `libonnxruntime.1.30.0.dylib`. */
export function ortLibrary({
  binaryFolder,
}: Pick<Extract<OrtLookup, { status: 'ok' }>, 'binaryFolder'>): string | null {
  const name = readdirSync(binaryFolder).find(file => /^libonnxruntime(\.[\d.]+)?\.(so|dylib)(\.\d+)*$/.test(file));
  return name === undefined ? null : path.join(binaryFolder, name);
}

/**
 * Loads the module into this thread.
 * @throws AibenchError ORT_MISSING or ORT_BROKEN
 */
export function loadOrt(): { ort: OrtModule; version: string } {
  const found = findOrt();
  if (found.status === 'absent') throw new AibenchError('ORT_MISSING', found.reason, found.remedy, EXIT.unmeasured);
  try {
    return { ort: here('onnxruntime-node') as OrtModule, version: found.version };
  } catch (error) {
    throw new AibenchError(
      'ORT_BROKEN',
      `onnxruntime-node ${found.version} does not load: ${messageOf(error)}.`,
      `Install it again with \`${ORT_INSTALL_COMMAND}\`.`,
      EXIT.unmeasured,
    );
  }
}
