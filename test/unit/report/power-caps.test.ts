/** Performance at the power limits that the user sets: three documents of one machine, from the readings to the tables. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { compareDocuments } from '../../../src/analysis/compare.ts';
import { powerCaps } from '../../../src/report/power-caps.ts';
import type { ResultDocument } from '../../../src/results/schema.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';
import { root } from '../../support/cli.ts';

/** A package that draws what its limit lets it, and whose clock falls as it does: speeds and powers of a 205 W part. */
function under(capWatts: number, watts: number, speed: number, thermal: object, host = 'host-a'): ResultDocument {
  const document = syntheticDocument({
    ...{ seed: capWatts, cases: 1, launches: 5, samples: 40, tight: true },
    ...{ capWatts, watts, speed, host, label: 'n1' },
  });
  for (const result of document.cases) {
    result.thermal = {
      ...{
        regime: 'peak',
        throttledFraction: 0,
        powerCappedFraction: null,
        maxTemperatureCelsius: null,
        meanClockHertz: null,
      },
      ...thermal,
    };
  }
  return document;
}

const FULL = under(205, 198, 1, { powerCappedFraction: 0.12, maxTemperatureCelsius: 81 });
const MIDDLE = under(165, 164, 0.94, { powerCappedFraction: 0.97, maxTemperatureCelsius: 74 });
const LOW = under(125, 124.5, 0.8, { powerCappedFraction: 1, maxTemperatureCelsius: 66 });

describe('the table of power limits', () => {
  const text = powerCaps.render([LOW, FULL, MIDDLE]);
  const rows = text
    .split('\n')
    .filter(line => line.startsWith('| '))
    .slice(1)
    .map(line => line.split('|').map(cell => cell.trim()));

  it('has a row per limit, the highest first, each held against that', () => {
    expect(rows.map(row => row[1])).toEqual(['205.0 W', '165.0 W', '125.0 W']);
    expect(rows.map(row => Number(row[3]))).toEqual([1, expect.closeTo(0.94, 1), expect.closeTo(0.8, 1)]);
    const perJoule = rows.map(row => Number(row[6]));
    expect(perJoule[0]).toBe(1);
    expect(perJoule[1]).toBeCloseTo((Number(rows[1]?.[3]) * 198) / 164, 2);
    expect(perJoule[2]).toBeGreaterThan(perJoule[1] ?? 0);
    expect(rows.map(row => row[8])).toEqual(['12.0 %', '97.0 %', '100.0 %']);
  });

  it('shows where energy times time has its least: not at the least energy', () => {
    const product = rows.map(row => Number.parseFloat(row[7] ?? ''));
    expect(rows[0]?.[7]).toMatch(/J·s\/FLOP²$/);
    expect(product[1]).toBeLessThan(product[0] ?? 0);
    expect(product[1]).toBeLessThan(product[2] ?? 0);
  });

  it('says what to do where there are no two limits, and never joins machines', () => {
    expect(powerCaps.render([FULL])).toContain('docs/energy.md');
    expect(powerCaps.render([FULL, under(165, 164, 0.94, {}, 'host-b')])).toContain('docs/energy.md');
    const none = syntheticDocument({ seed: 1, cases: 1, watts: 100 });
    expect(powerCaps.render([none, none])).toContain('docs/energy.md');
  });

  it('is the table that docs/energy.md shows', () => {
    expect(readFileSync(path.join(root, 'docs/energy.md'), 'utf8')).toContain(text.trim());
  });
});

describe('compare over two limits', () => {
  it('compares rate and work per joule, and says that the limits differ', () => {
    const comparison = compareDocuments([FULL], [MIDDLE], { confidence: 0.95, metrics: 'headline' });
    expect(comparison.notes).toContain('power limit differs: powercap/package-0 205 W, powercap/package-0 165 W');
    expect(comparison.rows[0]?.ratio).toBeCloseTo(0.94, 1);
    expect(comparison.energy[0]).toMatchObject({ scope: 'package', source: 'powercap/package-0' });
    expect(comparison.energyApart).toEqual([]);
  });
});
