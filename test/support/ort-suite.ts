/** Tests that need onnxruntime-node, an optional dependency: skipped, with the reason in their name, where it is not installed. */
import { describe } from 'vitest';
import { findOrt, ortLibrary } from '../../src/runtime/ort.ts';

/** @param needs `library`: also the library itself, which `ort-native` opens */
export function ortSuite(name: string, needs: 'package' | 'library', body: () => void): void {
  const ort = findOrt();
  const reason =
    ort.status !== 'ok'
      ? ort.reason
      : needs === 'library' && ortLibrary(ort) === null
        ? 'its library is not beside its binding'
        : null;
  describe.skipIf(reason !== null)(`${name}${reason === null ? '' : ` (skipped: ${reason})`}`, body);
}
