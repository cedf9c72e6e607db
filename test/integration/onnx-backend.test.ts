/** The ONNX backend suite 1.12 of Debian's libonnx-testdata through the engine layer. Skipped where the package is missing. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findOrt } from '../../src/runtime/ort.ts';
import { openEngine } from '../../src/workloads/inference/engines.ts';
import { backendCases, runBackendCase, SUITE_FOLDER } from '../support/onnx-backend.ts';

/** Reasons, each with the cases that are known to differ for it. */
const KNOWN = JSON.parse(
  readFileSync(new URL('../fixtures/onnx-backend-known.json', import.meta.url), 'utf8'),
) as Record<string, string[]>;
const CASES_OF_1_12 = 1072;
const cases = backendCases();

const reason = !existsSync(SUITE_FOLDER)
  ? 'libonnx-testdata is not installed (apt-get install libonnx-testdata)'
  : cases.length !== CASES_OF_1_12
    ? `libonnx-testdata has ${cases.length} cases, the list of known differences is of 1.12 with ${CASES_OF_1_12}`
    : findOrt().status !== 'ok'
      ? 'onnxruntime-node is not installed'
      : null;

describe.skipIf(reason !== null)(`the ONNX backend suite${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  it.each(['ort-node', 'ort-native'] as const)(
    '%s: at least 950 of 1072 pass, and the others are known',
    async name => {
      const engine = openEngine(name);
      const known = new Set(Object.values(KNOWN).flat());
      const unknown: Record<string, string> = {};
      let passed = 0;
      for (const one of cases) {
        const outcome = await runBackendCase(engine, one);
        if (outcome.kind === 'pass') passed += 1;
        // The C API engine binds buffers, and strings have none.
        else if (!known.has(one) && !(name === 'ort-native' && outcome.why.includes('of type string')))
          unknown[one] = `${outcome.kind}: ${outcome.why}`;
      }
      expect(unknown).toEqual({});
      expect(passed).toBeGreaterThanOrEqual(950);
    },
    120_000,
  );

  it('lists only cases that there are, each once', () => {
    const listed = Object.values(KNOWN).flat();
    expect(new Set(listed).size).toBe(listed.length);
    expect(listed.filter(one => !cases.includes(one))).toEqual([]);
    expect(cases.length - listed.length).toBeGreaterThanOrEqual(950);
  });
});
