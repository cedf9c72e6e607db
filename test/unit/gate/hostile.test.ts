/**
 * Documents and policies that were made to harm, through the path that `aibench gate` takes: every one has to end in one
 * sentence and exit code 2, and none may pass. The seeds are fixed, so a failure names a mutation that can be repeated.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../src/analysis/random.ts';
import { judgeFiles } from '../../../src/cli/commands/gate-action.ts';
import { AibenchError } from '../../../src/errors.ts';
import { sealDocument } from '../../../src/results/seal.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';

const POLICY = `schema: aibench.policy/1
name: hostile
rules:
  - id: rate
    reason: for the test
    on: flops_per_second{workload:gemm}
    not_worse: 20%
  - id: power
    reason: for the test
    on: throughput_per_watt{scope:package}
    not_worse: 20%
`;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-hostile-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const good = syntheticDocument({ seed: 1, cases: 2, launches: 5, watts: 100 });
const other = syntheticDocument({ seed: 2, cases: 2, launches: 5, watts: 100 });

function place(name: string, text: string | Buffer): string {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
}

/** The error of the gate on this candidate (and policy), or the verdict where there was none. */
function outcome(candidate: string | Buffer, policy = POLICY): AibenchError | string {
  const baselineFile = place('baseline.json', JSON.stringify(good));
  const candidateFile = place('candidate.json', candidate);
  const policyFile = place('policy.yaml', policy);
  try {
    return judgeFiles([candidateFile], { policy: policyFile, baseline: [baselineFile] }).result.verdict;
  } catch (error) {
    if (error instanceof AibenchError) return error;
    throw error;
  }
}

function expectRefused(found: AibenchError | string): void {
  expect(found).toBeInstanceOf(AibenchError);
  if (!(found instanceof AibenchError)) return;
  expect(found.exitCode).toBe(2);
  expect(found.message).not.toMatch(/\n| {4}at /);
  expect(found.message.length).toBeLessThan(2000);
  expect(found.remedy).not.toBe('');
}

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

/** Every place in a document that holds something: containers with the keys of their entries. */
function places(root: Json): { container: Json[] | Record<string, Json>; key: string }[] {
  const found: { container: Json[] | Record<string, Json>; key: string }[] = [];
  const visit = (value: Json): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, item] of Object.entries(value)) {
      found.push({ container: value as Record<string, Json>, key });
      visit(item);
    }
  };
  visit(root);
  return found;
}

const REPLACEMENTS: readonly ((old: Json) => Json)[] = [
  () => 'NaN',
  () => 1e308,
  () => -1e308,
  () => null,
  () => [],
  () => ({}),
  () => true,
  old => (typeof old === 'number' ? -old - 1 : `${String(old)}x`),
  old => (typeof old === 'number' ? old * (1 + 1e-6) + 1e-6 : 'swapped'),
  old => [old],
  old => ({ nested: old }),
];

function mutate(random: Random): string {
  const copy = structuredClone(good) as unknown as Json;
  const all = places(copy).filter(({ key }) => key !== 'digest');
  const { container, key } = all[random.below(all.length)] ?? { container: [], key: '0' };
  const old = Reflect.get(container, key) as Json;
  if (random.below(6) === 0 && !Array.isArray(container)) Reflect.deleteProperty(container, key);
  else {
    let next = old;
    // A replacement that happens to be what was there changes nothing.
    while (JSON.stringify(next) === JSON.stringify(old))
      next = REPLACEMENTS[random.below(REPLACEMENTS.length)]?.(old) ?? 'x';
    Reflect.set(container, key, next);
  }
  return JSON.stringify(copy);
}

describe('mutated documents', () => {
  it('the documents themselves pass', () => {
    expect(outcome(JSON.stringify(other))).toBe('PASS');
  });

  it.each(Array.from({ length: 200 }, (_, seed) => seed))('one change anywhere, seed %d', seed => {
    expectRefused(outcome(mutate(seededRandom(1000 + seed))));
  });

  const text = JSON.stringify(other);
  const texts: [string, string | Buffer][] = [
    ['empty', ''],
    ['blank', '  \n'],
    ['not JSON', 'launches: 5'],
    ['null', 'null'],
    ['a number', '12'],
    ['an array', '[]'],
    ['another schema', '{"schema":"other/1"}'],
    ['a newer version', text.replace('aibench.result/1', 'aibench.result/2')],
    ['a version beyond counting', text.replace('aibench.result/1', `aibench.result/${'9'.repeat(400)}`)],
    ['cut short', text.slice(0, text.length / 2)],
    ['cut by one', text.slice(0, -1)],
    ['two documents', text + text],
    ['trailing garbage', `${text}x`],
    ['NaN literal', text.replace(/"value":[\d.e+]+/, '"value":NaN')],
    ['Infinity literal', text.replace(/"value":[\d.e+]+/, '"value":1e999')],
    ['minus infinity', text.replace(/"value":[\d.e+]+/, '"value":-1e999')],
    ['deep arrays', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['deep objects', `${'{"a":'.repeat(100_000)}1${'}'.repeat(100_000)}`],
    [
      'deep inside',
      text
        .replace('"facts":{}', `"facts":${'['.repeat(5000)}${']'.repeat(5000)}`)
        .replace('"state":{}', `"state":${'['.repeat(5000)}${']'.repeat(5000)}`),
    ],
    ['prototype key', text.replace('{', '{"__proto__":{"polluted":true},')],
    ['prototype key inside', text.replace('"state":{}', '"state":{"__proto__":1}')],
    ['constructor key', text.replace('"state":{}', '"state":{"constructor":{"prototype":1}}')],
    ['escaped prototype key', text.replace('"state":{}', '"state":{"\\u005f_proto__":1}')],
    ['a key twice', text.replace('"createdAt"', '"createdAt":"2020-01-01T00:00:00Z","createdAt"')],
    ['a sample key twice', text.replace('"samplesSeconds"', '"samplesSeconds":[1e-9],"samplesSeconds"')],
    ['a key twice, one escaped', text.replace('"schema"', '"\\u0073chema":"x","schema"')],
    ['a byte order mark in UTF-16', Buffer.from(`\ufeff${text}`, 'utf16le')],
    ['binary', Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 37) % 256))],
    ['zero bytes', Buffer.alloc(4096)],
    ['a string of a megabyte', text.replace('"label"', '"label"').replace('"gcc 12.2"', `"${'x'.repeat(1 << 20)}"`)],
    ['an id that is no id', text.replace(/"id":"[0-9a-f-]{36}"/, '"id":"../../etc/passwd"')],
    ['a date that is no date', text.replace(/"createdAt":"[^"]+"/, '"createdAt":"yesterday"')],
  ];
  it.each(texts)('%s', (_name, candidate) => {
    expectRefused(outcome(candidate));
  });
  it('nothing was put into the prototype of all objects', () => {
    expect(Reflect.get({}, 'polluted')).toBeUndefined();
  });

  /** Whoever changes a document can seal it again: then what is worked out again has to tell. */
  const forged: [string, (document: typeof other) => void][] = [
    ['faster samples', document => document.cases[0]?.launches[0]?.samplesSeconds.splice(0, 1, 1e-6)],
    ['a sample taken out', document => document.cases[0]?.launches[0]?.samplesSeconds.pop()],
    ['a launch taken out', document => document.cases[0]?.launches.pop()],
    ['a better value', document => Object.assign(document.cases[0]?.metrics.flops_per_second ?? {}, { value: 9e11 })],
    [
      'a narrower interval',
      document => Object.assign(document.cases[0]?.metrics.flops_per_second ?? {}, { interval: [1.99e11, 2e11] }),
    ],
    ['an interval turned round', document => document.cases[0]?.metrics.flops_per_second?.interval?.reverse()],
    ['a unit', document => Object.assign(document.cases[0]?.metrics.flops_per_second ?? {}, { unit: 'GFLOP/s' })],
    ['a direction', document => Object.assign(document.cases[0]?.metrics.flops_per_second ?? {}, { better: 'lower' })],
    [
      'more launches than there are',
      document => Object.assign(document.cases[0]?.metrics.flops_per_second ?? {}, { launches: 50 }),
    ],
    ['more work', document => Object.assign(document.cases[0]?.launches[0]?.work ?? {}, { flops: 4e9 })],
    [
      'an unknown metric',
      document =>
        Object.assign(document.cases[0]?.metrics ?? {}, {
          speed: { value: 1, unit: 'x', better: 'higher', interval: null, confidence: 0.95, launches: 5 },
        }),
    ],
    ['less energy', document => Object.assign(document.cases[0]?.energy[0] ?? {}, { joules: 1 })],
    ['negative joules', document => Object.assign(document.cases[0]?.energy[0] ?? {}, { joules: -5 })],
    ['less power', document => Object.assign(document.cases[0]?.energy[0] ?? {}, { averageWatts: 50 })],
    ['another scope', document => Object.assign(document.cases[0]?.energy[0] ?? {}, { scope: 'wall' })],
    ['another source', document => Object.assign(document.cases[0]?.energy[0] ?? {}, { source: 'nvml/gpu-0' })],
    [
      'more per watt',
      document => Object.assign(document.cases[0]?.energy[0]?.throughputPerWatt ?? {}, { value: 1e12 }),
    ],
    ['no uncertainty', document => Object.assign(document.cases[0]?.energy[0]?.uncertainty ?? {}, { relative: 0 })],
    [
      'telemetry scaled',
      document =>
        document.telemetry.series[0]?.values.forEach((value, index, all) => {
          all[index] = (value ?? 0) / 2;
        }),
    ],
    ['telemetry cut', document => document.telemetry.series[0]?.values.pop()],
    ['telemetry of nothing', document => document.telemetry.sources.pop()],
    ['telemetry backwards', document => document.telemetry.series[0]?.timeSeconds.reverse()],
    ['telemetry in watts', document => Object.assign(document.telemetry.series[0] ?? {}, { unit: 'W' })],
    [
      'a window of no length',
      document => Object.assign(document.cases[0]?.launches[0] ?? {}, { windowSeconds: [200, 200] }),
    ],
    [
      'a window backwards',
      document => Object.assign(document.cases[0]?.launches[0] ?? {}, { windowSeconds: [200, 100] }),
    ],
    ['no verification', document => Object.assign(document.cases[0] ?? {}, { verification: null })],
    [
      'a launch that was wrong',
      document => Object.assign(document.cases[0]?.launches[0]?.verification ?? {}, { passed: false }),
    ],
    [
      'a limit that was beaten',
      document =>
        Object.assign(document.cases[0] ?? {}, { limit: { name: 'peak', value: 1e11, unit: 'FLOP/s', fraction: 2 } }),
    ],
    [
      'a limit from nowhere',
      document =>
        Object.assign(document.cases[0] ?? {}, { limit: { name: 'peak', value: 1e12, unit: 'FLOP/s', fraction: 0.2 } }),
    ],
    [
      'a headline that is not there',
      document => Object.assign(document.cases[0] ?? {}, { headline: 'decode_tokens_per_second' }),
    ],
    ['a case twice', document => document.cases.push(structuredClone(document.cases[0] ?? document.cases[1]) as never)],
    ['an algorithm of its own', document => Object.assign(document.seal ?? {}, { algorithm: 'none' })],
  ];
  it.each(forged)('forged and sealed again: %s', (name, change) => {
    const copy = structuredClone(other);
    change(copy);
    const algorithm = copy.seal?.algorithm;
    const sealed = sealDocument(copy);
    if (name === 'an algorithm of its own') Object.assign(sealed.seal ?? {}, { algorithm });
    expectRefused(outcome(JSON.stringify(sealed)));
  });

  it('a seal taken off is refused unless the policy allows it', () => {
    const { seal: _seal, ...bare } = other;
    expectRefused(outcome(JSON.stringify(bare)));
    expect(outcome(JSON.stringify(bare), POLICY.replace('rules:', 'evidence:\n  seal: optional\nrules:'))).toBe('PASS');
  });
});

describe('mutated policies', () => {
  const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
    .split('')
    .map((name, index) => `${name}: &${name} [${Array(9).fill(`*${'abcdefgh'[index]}`).join(',')}]`)
    .join('\n')}\n`;
  const policies: [string, string][] = [
    ['empty', ''],
    ['a scalar', 'hello'],
    ['a list', '- a\n- b'],
    ['broken YAML', `${POLICY}\n  : : [`],
    ['tabs', POLICY.replace('  - id', '\t- id')],
    ['another schema', POLICY.replace('policy/1', 'policy/9')],
    ['no rules', 'schema: aibench.policy/1\nname: none\nrules: []\n'],
    ['rules that are no list', 'schema: aibench.policy/1\nname: none\nrules: 5\n'],
    ['an unknown key', `${POLICY}extra: 1\n`],
    ['an unknown key in a rule', POLICY.replace('    not_worse: 20%', '    not_worse: 20%\n    tolerance: 5')],
    ['a misspelt kind', POLICY.replace('not_worse', 'not_wrose')],
    ['a key twice', POLICY.replace('name: hostile', 'name: hostile\nname: again')],
    ['a rule twice', POLICY.replace('id: power', 'id: rate')],
    ['two kinds', POLICY.replace('    not_worse: 20%', '    not_worse: 20%\n    better_by: 3%')],
    ['no kind', POLICY.replace('    not_worse: 20%\n', '')],
    ['no reason', POLICY.replace('    reason: for the test\n', '')],
    ['an empty reason', POLICY.replace('reason: for the test', 'reason: ""')],
    ['no margin', POLICY.replace('not_worse: 20%', 'not_worse:')],
    ['a bare margin', POLICY.replace('20%', '20')],
    ['a share as margin', POLICY.replace('20%', '0.2')],
    ['a negative margin', POLICY.replace('20%', '-20%')],
    ['a margin of nothing', POLICY.replace('20%', '0%')],
    ['a margin of all', POLICY.replace('20%', '100%')],
    ['an enormous margin', POLICY.replace('20%', '1e308%')],
    ['NaN as margin', POLICY.replace('20%', '.nan')],
    ['infinity as margin', POLICY.replace('20%', '.inf')],
    ['an alpha beyond sense', POLICY.replace('name: hostile', 'name: hostile\nalpha: 0.9')],
    ['alpha NaN', POLICY.replace('name: hostile', 'name: hostile\nalpha: .nan')],
    ['an unknown level', POLICY.replace('    reason', '    level: fatal\n    reason')],
    ['no rule that decides', POLICY.replaceAll('    reason', '    level: warn\n    reason')],
    ['an unknown metric', POLICY.replace('flops_per_second', 'flopz_per_second')],
    ['an unknown tag', POLICY.replace('workload:gemm', 'worklod:gemm')],
    ['a selector that matches nothing', POLICY.replace('workload:gemm', 'workload:resnet50')],
    ['a selector that is broken', POLICY.replace('{workload:gemm}', '{workload}')],
    ['a selector without an end', POLICY.replace('{workload:gemm}', '{workload:gemm')],
    ['a tag twice', POLICY.replace('workload:gemm', 'workload:gemm,workload:gemm')],
    ['an expression', POLICY.replace('workload:gemm', 'workload:\u0024{process.exit(1)}')],
    ['energy without scope', POLICY.replace('{scope:package}', '')],
    ['energy of two scopes', POLICY.replace('scope:package', 'scope:package|wall')],
    ['a scope for a rate', POLICY.replace('workload:gemm', 'workload:gemm,scope:package')],
    [
      'a share above the limit',
      POLICY.replace('flops_per_second', 'limit_fraction').replace('not_worse: 20%', 'at_least: 120%'),
    ],
    ['a bootstrap over five launches', POLICY.replace('flops_per_second', 'latency_seconds_p99')],
    ['a metric that no case has', POLICY.replace('flops_per_second{workload:gemm}', 'decode_tokens_per_second')],
    ['a wrong unit', POLICY.replace('not_worse: 20%', 'at_least: 5 GB/s')],
    ['a value without unit', POLICY.replace('not_worse: 20%', 'at_least: 5')],
    ['a negative value', POLICY.replace('not_worse: 20%', 'at_least: -5 GFLOP/s')],
    ['a value of 1e999', POLICY.replace('not_worse: 20%', 'at_least: 1e999 FLOP/s')],
    ['a quantile of a rate', POLICY.replace('not_worse: 20%', 'quantile_at_most: {quantile: 99%, value: 1 s}')],
    [
      'a quantile that no launch can hold',
      POLICY.replace('flops_per_second', 'latency_seconds_p50').replace(
        'not_worse: 20%',
        'quantile_at_most: {quantile: 99%, value: 1 s}',
      ),
    ],
    ['costs without costs', POLICY.replace('flops_per_second{workload:gemm}', 'flop_per_currency{scope:package}')],
    [
      'costs with a negative price',
      `${POLICY}costs: {currency: USD, pricePerUnit: -1, lifetimeHours: 1, powerPricePerKilowattHour: 1, pue: 1}\n`,
    ],
    [
      'a PUE below one',
      `${POLICY}costs: {currency: USD, pricePerUnit: 1, lifetimeHours: 1, powerPricePerKilowattHour: 1, pue: 0.5}\n`,
    ],
    ['an alias of itself', 'schema: aibench.policy/1\nname: x\nrules: &r [*r]\n'],
    ['a cycle through a map', 'schema: aibench.policy/1\nname: x\nrules: &r\n  - id: *r\n'],
    ['an alias of nothing', POLICY.replace('20%', '*nothing')],
    ['an alias bomb', bomb + POLICY],
    ['a merge key', POLICY.replace('name: hostile', 'name: hostile\n<<: {a: 1}')],
    ['deep nesting', `${POLICY}costs: ${'['.repeat(2000)}${']'.repeat(2000)}\n`],
    ['deep maps', `${POLICY}costs: ${'{a: '.repeat(300)}1${'}'.repeat(300)}\n`],
    ['a prototype key', `${POLICY}__proto__: {level: "off"}\n`],
    ['a constructor key', POLICY.replace('    reason', '    constructor: {a: 1}\n    reason')],
    ['a tag of JavaScript', POLICY.replace('20%', '!!js/function "function(){}"')],
    ['binary', '\u0000\u0001\u0002'],
    ['two documents', `${POLICY}---\n${POLICY}`],
    ['a megabyte and more', `${POLICY}# ${'x'.repeat(1 << 20)}\n`],
    ['a signer that is no key', POLICY.replace('rules:', 'evidence: {signedBy: [me]}\nrules:')],
    [
      'a signer that did not sign',
      POLICY.replace('rules:', `evidence: {signedBy: ["ed25519:${'A'.repeat(43)}="]}\nrules:`),
    ],
  ];
  it.each(policies)('%s', (_name, policy) => {
    expectRefused(outcome(JSON.stringify(other), policy));
  });
  it('names file and line of what is wrong', () => {
    const found = outcome(JSON.stringify(other), POLICY.replace('flops_per_second', 'flopz_per_second'));
    if (typeof found === 'string') throw new Error(found);
    expect(found.message).toMatch(
      /policy\.yaml:6:\d+: rule rate: unknown metric `flopz_per_second`; did you mean `flops_per_second`\?/,
    );
  });
});
