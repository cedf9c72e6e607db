/**
 * Documents that were made to harm, through the commands that show rather than decide: whatever is accepted as a document
 * has to come out of every renderer as text that steers neither a terminal nor a CI log, and nothing may crash.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compareDocuments } from '../../../src/analysis/compare.ts';
import { findOutliers } from '../../../src/analysis/fleet.ts';
import { type Random, seededRandom } from '../../../src/analysis/random.ts';
import { caseLabel } from '../../../src/cli/render/case-label.ts';
import { comparisonMarkdown } from '../../../src/cli/render/compare-markdown.ts';
import { comparisonText } from '../../../src/cli/render/compare-text.ts';
import { fleetText } from '../../../src/cli/render/fleet-text.ts';
import { AibenchError } from '../../../src/errors.ts';
import { readFleet } from '../../../src/evidence/read-fleet.ts';
import { verifyDocument } from '../../../src/evidence/verify.ts';
import { htmlReport } from '../../../src/report/html.ts';
import { REPORT_FORMATS } from '../../../src/report/registry.ts';
import { parseDocument } from '../../../src/results/read.ts';
import type { ResultDocument } from '../../../src/results/schema.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-hostile-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = syntheticDocument({ seed: 1, cases: 3, launches: 4, watts: 100, ceilings: { fma: 4e11 } });
const STEERING = '\u001b[2J\r\n::error::x\u202e';

const REPLACEMENTS: readonly ((old: unknown) => unknown)[] = [
  () => 0,
  () => -0,
  () => 1e308,
  () => 5e-324,
  () => 2 ** 53,
  () => null,
  () => [],
  () => ({}),
  () => '',
  () => 'x'.repeat(3000),
  () => '__proto__',
  old => (typeof old === 'number' ? -old : `${String(old)}${STEERING}`),
  old => [old],
];

/** A copy with one to three changes, rarely of telemetry, which is most of a document. */
function mutate(random: Random): unknown {
  const copy = structuredClone(good);
  const found: { container: object; key: string }[] = [];
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      found.push({ container: value, key });
      visit(item);
    }
  };
  visit(random.below(4) === 0 ? copy : { cases: copy.cases, host: copy.host, tool: copy.tool, suite: copy.suite });
  for (let change = 0; change <= random.below(3); change++) {
    const { container, key } = found[random.below(found.length)] ?? { container: {}, key: 'x' };
    Reflect.set(container, key, REPLACEMENTS[random.below(REPLACEMENTS.length)]?.(Reflect.get(container, key)));
  }
  return copy;
}

function show(document: ResultDocument, text: string): void {
  verifyDocument(document);
  const compared = compareDocuments([good], [document], { confidence: 0.95, metrics: 'all' });
  const comparison = { baseline: 'a.json', candidate: 'b.json', by: 'case' as const, ...compared };
  const file = path.join(folder, 'one.json');
  writeFileSync(file, text);
  const settings = { margin: 0.03, falseDiscoveryRate: 0.05 };
  const { nodes, notes } = readFleet([file]);
  const fleet = { documents: 1, nodes: nodes.length, settings, cohorts: findOutliers(nodes, settings), notes };
  for (const shown of [comparisonText(comparison), fleetText(fleet)]) {
    expect(shown).not.toContain('\u001b');
    expect(shown).not.toContain('\u202e');
    expect(shown).not.toMatch(/^::/m);
  }
  comparisonMarkdown(comparison);
  htmlReport([document], caseLabel);
  for (const format of REPORT_FORMATS) format.render([document]);
}

describe('documents made to harm', () => {
  it.each([0, 1, 2, 3])('are refused in one sentence or shown, part %d of four', part => {
    let shown = 0;
    for (let seed = 100 * part; seed < 100 * (part + 1); seed++) {
      const text = JSON.stringify(mutate(seededRandom(seed)));
      try {
        show(parseDocument(text, 'odd.json'), text);
        shown += 1;
      } catch (error) {
        if (!(error instanceof AibenchError)) throw new Error(`seed ${seed}: ${String(error)}`, { cause: error });
        expect(error.exitCode).toBe(2);
        expect(error.message).not.toContain('\n');
      }
    }
    expect(shown).toBeGreaterThan(5);
  });
});
