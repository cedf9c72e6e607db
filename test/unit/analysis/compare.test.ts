import { describe, expect, it } from 'vitest';
import { compareDocuments, ratioInterval } from '../../../src/analysis/compare.ts';
import { type FleetNode, findOutliers } from '../../../src/analysis/fleet.ts';
import { seededRandom } from '../../../src/analysis/random.ts';
import { flatValues } from '../../../src/report/measurements.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

const OPTIONS = { confidence: 0.95, metrics: 'headline' } as const;
const base = syntheticDocument({ seed: 1, cases: 3, launches: 8, watts: 100 });

describe('compareDocuments', () => {
  const speed = (index: number): number => [0.8, 1, 1.3][index] ?? 1;
  const other = syntheticDocument({ seed: 2, cases: 3, launches: 8, watts: 120, speed });
  const comparison = compareDocuments([base], [other], OPTIONS);

  it('finds what changed, in which direction, and leaves the rest', () => {
    expect(comparison.rows.map(row => row.verdict)).toEqual(['worse', 'no difference shown', 'better']);
    expect(comparison.rows[0]?.ratio).toBeCloseTo(0.8, 1);
    expect(comparison.rows[1]?.difference?.minimumDetectable).toBeGreaterThan(0);
    for (const { ratio, difference } of comparison.rows) {
      expect(difference?.interval[0]).toBeLessThan(ratio);
      expect(difference?.interval[1]).toBeGreaterThan(ratio);
    }
  });
  it('calls a longer time worse', () => {
    const times = compareDocuments([base], [other], { confidence: 0.95, metrics: ['latency_seconds_p50'] });
    expect(times.rows[0]?.ratio).toBeGreaterThan(1.2);
    expect(times.rows[0]?.verdict).toBe('worse');
  });
  it('shows the set of a geometric mean', () => {
    expect(comparison.geometricMeans[0]?.cases).toHaveLength(3);
  });
  it('puts energy side by side at equal scope only', () => {
    expect(comparison.energy).toHaveLength(3);
    expect(comparison.energy[1]?.ratio).toBeCloseTo(100 / 120, 1);
    const elsewhere = structuredClone(other);
    for (const result of elsewhere.cases) for (const entry of result.energy) entry.scope = 'wall';
    const { energy, energyApart } = compareDocuments([base], [elsewhere], OPTIONS);
    expect(energy).toEqual([]);
    expect(energyApart).toHaveLength(3);
    expect(energyApart[0]?.reason).toMatch(/^package \(.+\) in the baseline, wall \(.+\) in the candidate$/);
  });
  it('leaves out, as exports do, the watts of what did none of the work', () => {
    const [left, right] = [1, 2].map(seed => syntheticDocument({ seed, cases: 3, launches: 8, watts: 100 }));
    if (left === undefined || right === undefined) throw new Error('two documents');
    for (const entry of [left, right].flatMap(({ cases }) => cases.flatMap(({ energy }) => energy)))
      Object.assign(entry, {
        throughputPerWatt: null,
        reason: 'other-device: the reading does not hold what did the work',
      });
    const { energy, energyApart } = compareDocuments([left], [right], OPTIONS);
    expect([energy, energyApart]).toEqual([[], []]);
    expect(flatValues([left]).filter(value => value.energy !== null)).toEqual([]);
    expect(flatValues([base]).filter(value => value.energy !== null).length).toBeGreaterThan(0);
  });
  it('sets apart what is not like for like, with the reason', () => {
    const odd = structuredClone(other);
    const [a, b, c] = odd.cases;
    Object.assign(a ?? {}, { id: 'gemm/other' });
    Object.assign(b?.params ?? {}, { dtype: 'bf16' });
    Object.assign(c?.facts ?? {}, { modelSha256: 'b' });
    const first = structuredClone(base);
    Object.assign(first.cases[2]?.facts ?? {}, { modelSha256: 'a' });
    const { rows, apart } = compareDocuments([first], [odd], OPTIONS);
    expect(rows).toEqual([]);
    expect(apart.map(({ reason }) => reason)).toEqual([
      'only in the baseline',
      'parameter dtype differs: "f32" and "bf16"',
      'modelSha256 differs: not the same input',
      'only in the candidate',
    ]);
  });
  it('sets apart what one machine measured in unlike placements of its CPUs, and compares machines whatever theirs', () => {
    const seated = (document: typeof base, nanoseconds: number) => {
      const copy = structuredClone(document);
      const facts = { oneWayNanosecondsBefore: `${nanoseconds}`, oneWayNanosecondsAfter: `${nanoseconds}` };
      Object.assign(copy.cases[0]?.facts ?? {}, facts);
      return copy;
    };
    const reasons = (a: number, b: number, document = other) =>
      compareDocuments([seated(base, a)], [seated(document, b)], OPTIONS).apart.map(({ reason }) => reason);
    expect(reasons(40, 55)).toEqual([]);
    expect(reasons(40, 190)).toEqual([
      'placement of the CPUs differs: a cache line took 40 ns in the baseline and 190 ns in the candidate',
    ]);
    expect(reasons(40, 190, syntheticDocument({ seed: 2, cases: 3, launches: 8, host: 'host-b' }))).toEqual([]);
  });
  it('notes what differs between the runs', () => {
    const odd = structuredClone(other);
    odd.tool.version = '9.9.9';
    odd.host.state.environment = { OMP_NUM_THREADS: '1' };
    odd.run.state = 'interrupted';
    odd.host.versions = { ...odd.host.versions, 'nvidia-driver': '570.1' };
    odd.host.accelerators = [{ name: 'H200' }];
    const first = structuredClone(base);
    for (const result of first.cases) result.facts = { kernel: 'f32_avx2' };
    for (const result of odd.cases) result.facts = { kernel: 'f32_avx512' };
    const { notes } = compareDocuments([first], [odd], OPTIONS);
    expect(notes.join('\n')).toMatch(
      /version differs: 0.1.0, 9.9.9[\s\S]*set of accelerators differs: none, H200[\s\S]*nvidia-driver differs: none, 570.1[\s\S]*environment[\s\S]*interrupted[\s\S]*kernel differs in .* \(and in 2 more\): f32_avx2 and f32_avx512/,
    );
  });
  it('says that one launch is too few', () => {
    const single = compareDocuments(
      [syntheticDocument({ seed: 1, launches: 1 })],
      [syntheticDocument({ seed: 2, launches: 1 })],
      OPTIONS,
    );
    expect(single.rows[0]?.verdict).toBe('too few launches');
    expect(single.rows[0]?.difference).toBeNull();
  });
  it('marks about one table in twenty of identical machines, not one row in twenty', () => {
    let marked = 0;
    for (let seed = 100; seed < 200; seed += 2) {
      const [a, b] = [0, 1].map(add =>
        syntheticDocument({ seed: seed + add, cases: 20, launches: 6, betweenSd: 0.02 }),
      );
      if (a === undefined || b === undefined) continue;
      const { rows } = compareDocuments([a], [b], OPTIONS);
      if (rows.some(row => row.verdict === 'better' || row.verdict === 'worse')) marked += 1;
    }
    // 50 tables at 5 %: ten or more has a chance below 1 in 10,000.
    expect(marked).toBeLessThan(10);
  });
});

describe('ratioInterval', () => {
  it('is the quadrature of the two where both are symmetric on the log scale', () => {
    const side = (value: number, relative: number) => ({
      value,
      interval: [value / relative, value * relative] as [number, number],
    });
    const [low, high] = ratioInterval(side(100, 1.03), side(80, 1.04)) ?? [0, 0];
    const half = Math.hypot(Math.log(1.03), Math.log(1.04));
    expect(low).toBeCloseTo(0.8 * Math.exp(-half), 10);
    expect(high).toBeCloseTo(0.8 * Math.exp(half), 10);
    expect(ratioInterval({ value: 1, interval: [0, 2] }, side(1, 1.1))).toBeNull();
  });
});

describe('fleet', () => {
  const cases = Array.from({ length: 30 }, (_, index) => `case-${index}`);
  function fleet(count: number, speedOf: (node: number, index: number) => number, sd = 0.01): FleetNode[] {
    const random = seededRandom(77);
    return Array.from({ length: count }, (_, node) => ({
      host: `host-${node}`,
      label: null,
      cohort: 'like machines',
      values: new Map(
        cases.map((name, index) => [
          name,
          {
            case: name,
            metric: 'flops_per_second',
            better: 'higher' as const,
            values: [1e11 * speedOf(node, index) * Math.exp(sd * random.normal())],
          },
        ]),
      ),
    }));
  }
  const settings = { margin: 0.03, falseDiscoveryRate: 0.05 };
  it('names the slow node and the cases that show it', () => {
    const [cohort] = findOutliers(
      fleet(16, (node, index) => (node === 5 && index < 12 ? 0.85 : 1)),
      settings,
    );
    expect(cohort?.outliers.map(({ host }) => host)).toEqual(['host-5']);
    expect(cohort?.outliers[0]?.findings).toHaveLength(12);
    expect(cohort?.outliers[0]?.findings[0]?.worseBy).toBeGreaterThan(0.1);
  });
  it('finds nothing among like machines', () => {
    expect(
      findOutliers(
        fleet(40, () => 1),
        settings,
      )[0]?.outliers,
    ).toEqual([]);
  });
  it('calls nothing slow that is within the practical margin, however improbable', () => {
    expect(
      findOutliers(
        fleet(40, node => (node === 1 ? 0.98 : 1), 0.0005),
        settings,
      )[0]?.outliers,
    ).toEqual([]);
    expect(
      findOutliers(
        fleet(40, node => (node === 1 ? 0.98 : 1), 0.0005),
        { ...settings, margin: 0.01 },
      )[0]?.outliers,
    ).toHaveLength(1);
  });
  it('fires at eight machines, where mean and standard deviation cannot', () => {
    expect(
      findOutliers(
        fleet(8, node => (node === 2 ? 0.7 : 1)),
        settings,
      )[0]?.outliers.map(({ host }) => host),
    ).toEqual(['host-2']);
  });
  it('does not judge a cohort of four, and keeps cohorts apart', () => {
    const nodes = [
      ...fleet(4, node => (node === 0 ? 0.5 : 1)).map(node => ({ ...node, cohort: 'few' })),
      ...fleet(6, () => 1),
    ];
    const cohorts = findOutliers(nodes, settings);
    expect(cohorts.map(({ key, judged, nodes: count }) => [key, judged, count])).toEqual([
      ['like machines', true, 6],
      ['few', false, 4],
    ]);
    expect(cohorts[1]?.outliers).toEqual([]);
  });
});
