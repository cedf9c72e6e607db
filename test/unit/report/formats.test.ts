import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../src/gate/evaluate.ts';
import { gateAnnotations } from '../../../src/gate/gate-github.ts';
import { gateJunit } from '../../../src/gate/gate-junit.ts';
import { gateMarkdown } from '../../../src/gate/gate-markdown.ts';
import { parsePolicy } from '../../../src/gate/load.ts';
import { htmlReport } from '../../../src/report/html.ts';
import { REPORT_FORMATS } from '../../../src/report/registry.ts';
import type { ResultDocument } from '../../../src/results/schema.ts';
import { syntheticDocument } from '../../fixtures/synthetic.ts';
import { parseXml, validateJunit } from './xml-checks.ts';

const good = syntheticDocument({ seed: 1, cases: 3, launches: 5, watts: 100 });

/** Names and reasons that try to break out of every format. */
const nasty: ResultDocument = structuredClone(good);
const NASTY = `"><script>alert(1)</script>&amp;'|\`_*[x](y)\r\n::error::x,=cmd|"' /C calc'!A0\u0000\u001b\ud800 é 漢`;
nasty.host.label = NASTY;
nasty.suite.name = NASTY;
Object.assign(nasty.cases[0] ?? {}, { id: `gemm/${NASTY}`, device: NASTY });
Object.assign(nasty.cases[1] ?? {}, { status: 'failed', reason: NASTY });
Object.assign(nasty.cases[2] ?? {}, { status: 'skipped', reason: '=1+1' });

function render(name: string, ...documents: ResultDocument[]): string {
  const format = REPORT_FORMATS.find(candidate => candidate.name === name);
  if (format === undefined) throw new Error(name);
  return format.render(documents);
}

describe.each(REPORT_FORMATS.map(({ name }) => [name]))('%s', name => {
  it('is deterministic, takes no document, and nasty ones', () => {
    expect(render(name, good)).toBe(render(name, structuredClone(good)));
    expect(render(name)).toBeTypeOf('string');
    expect(render(name, nasty).length).toBeGreaterThan(0);
  });
  it('holds every measured value', () => {
    if (
      name === 'junit' ||
      name === 'markdown' ||
      name === 'ladder' ||
      name === 'llm' ||
      name === 'scaling' ||
      name === 'power-caps' ||
      name === 'gobench' ||
      name.endsWith('smaller')
    )
      return;
    expect(render(name, good)).toContain(String(good.cases[0]?.metrics.flops_per_second?.value));
  });
});

describe('ladder', () => {
  const steps = structuredClone(good);
  const step = (index: number, params: object, facts: object, rate: number) =>
    Object.assign(steps.cases[index] ?? {}, {
      workload: 'inference',
      params: { model: 'bert-base', batch: 1, ...params },
      facts,
      headline: 'samples_per_second',
      metrics: {
        samples_per_second: {
          value: rate,
          unit: 'samples/s',
          better: 'higher',
          interval: null,
          confidence: 0.95,
          launches: 1,
        },
      },
    });
  step(0, { precision: 'fp32' }, { modelBytes: 438e6, executedPrecision: 'fp32 100.0 %' }, 20);
  const int8 = { modelBytes: 182e6, fp32Cosine: 0.9991, fp32MaxError: 0.2, fp32Top1Agreement: 0.9375 };
  step(1, { precision: 'int8-dynamic' }, { ...int8, executedPrecision: 'int8 100.0 %' }, 50);
  Object.assign(steps.cases[2] ?? {}, { workload: 'inference', params: { model: 'x|<b>', precision: 'fp32' } });

  it('puts the steps of a model side by side, each against its fp32', () => {
    const lines = render('ladder', steps).split('\n');
    expect(lines).toContainEqual(
      expect.stringMatching(/^\| fp32 \| 20\.00 samples\/s \| 1\.00 \| 438\.0 .* reference /),
    );
    expect(lines).toContainEqual(
      expect.stringMatching(
        /^\| int8-dynamic \| 50\.00 samples\/s \| 2\.50 \| 182\.0 .* 0\.9991 \| 0\.200 \| 0\.94 \| int8 100\.0 % /,
      ),
    );
    expect(lines.filter(line => line.startsWith('**'))).toHaveLength(2);
    expect(render('ladder', steps)).not.toContain('<b>');
  });

  it('gives no gain for a number that must not be used, and a spread where there is one', () => {
    const invalid = structuredClone(steps);
    const [base, int8Case] = invalid.cases;
    Object.assign(int8Case ?? {}, { status: 'invalid' });
    const rate = base?.metrics.samples_per_second;
    if (rate !== undefined) rate.interval = [1, 4e9];
    expect(render('ladder', invalid)).toContain('samples/s ± &gt;100 % |');
    if (rate !== undefined) rate.interval = [19, 21];
    const text = render('ladder', invalid);
    expect(text).toContain('| int8-dynamic | (50.00 samples/s) | – |');
    expect(text).toContain('| fp32 | 20.00 samples/s ± 5.0 % | 1.00 |');
  });

  it('gives the gain with its interval over the launches', () => {
    const launched = structuredClone(steps);
    for (const [index, result] of launched.cases.slice(0, 2).entries()) {
      for (const [number, one] of result.launches.entries()) {
        // 20 and 50 rows per second, each launch a little off.
        const seconds = (index === 0 ? 0.05 : 0.02) * (1 + 0.01 * (number % 2));
        Object.assign(one, { samplesSeconds: [seconds], iterationsPerSample: 1, work: { items: 1 } });
      }
    }
    expect(render('ladder', launched)).toMatch(/\| int8-dynamic \| 50\.00 samples\/s \| 2\.50 \(2\.4\d to 2\.5\d\) \|/);
  });

  it('puts a smaller model beside the one for which it stands', () => {
    const smaller = structuredClone(steps);
    const last = smaller.cases[2];
    Object.assign(last ?? {}, structuredClone(smaller.cases[0]), {
      params: { model: 'distilbert', batch: 1, precision: 'fp32' },
      facts: { smallerOf: 'bert-base', modelBytes: 265e6, executedPrecision: 'fp32 100.0 %' },
    });
    Object.assign(last?.metrics.samples_per_second ?? {}, { value: 40 });
    const lines = render('ladder', smaller).split('\n');
    expect(lines.filter(line => line.startsWith('**'))).toHaveLength(1);
    expect(lines).toContainEqual(expect.stringMatching(/^\| distilbert fp32 \| 40\.00 samples\/s \| 2\.00 \| 265\.0 /));
  });
});

describe('llm', () => {
  const spoken = structuredClone(good);
  const metric = (value: number, unit: string) => ({
    value,
    unit,
    better: 'higher',
    interval: null,
    confidence: 0.95,
    launches: 1,
  });
  const generate = { model: 'llama-160m', mode: 'generate', precision: 'int4', batch: 4, sequence: 32, newTokens: 16 };
  const facts = { kvCacheBytesPerSequence: 3.5e6, kvCacheInPlace: true, modelBytes: 185e6, peakResidentBytes: 3e8 };
  Object.assign(spoken.cases[0] ?? {}, {
    workload: 'inference',
    params: generate,
    backend: 'ort-native',
    facts,
    energy: [],
    metrics: {
      time_to_first_token_seconds_p50: metric(0.25, 's'),
      prefill_tokens_per_second: metric(512, 'tok/s'),
      time_per_output_token_seconds: metric(0.01, 's'),
      inter_token_latency_seconds_p50: metric(0.009, 's'),
      inter_token_latency_seconds_p99: metric(0.02, 's'),
      decode_tokens_per_second: metric(400, 'tok/s'),
      output_tokens_per_second: metric(160, 'tok/s'),
    },
  });
  Object.assign(spoken.cases[1] ?? {}, {
    workload: 'inference',
    status: 'invalid',
    reason: 'ran as fp32.',
    params: { model: 'llama-160m', mode: 'decode', precision: 'fp16', batch: 1, context: 512 },
    backend: 'ort-node',
    facts: { ...facts, kvCacheInPlace: false },
    energy: [],
    metrics: { decode_tokens_per_second: metric(40, 'tok/s'), inferences_per_second: metric(40, 'inf/s') },
  });

  it('has reading and writing apart, the times of tokens, and the memory of a row', () => {
    const lines = render('llm', spoken).split('\n');
    expect(lines).toContain(
      '| llama-160m int4 ort-native | 4 | 32 + 16 | 250.0 | 512.0 | 10.00 | 9.000 | 20.00\\* | 400.0 | 160.0 | 3.5 | 185.0 | 300.0 | – | measured |',
    );
  });

  it('puts what must not be used in brackets and says why, and names a cache that is copied', () => {
    expect(render('llm', spoken)).toContain(
      '| llama-160m fp16 ort-node | 1 | 512 in the cache + 1 | – | – | (25.00) | – | – | (40.00) | – | 3.5 copied | 185.0 | 300.0 | – | invalid: ran as fp32. |',
    );
    expect(render('llm', good)).toBe('No case of a language model is in these documents.\n');
  });
});

describe('csv', () => {
  it('has the same number of fields in every row, whatever they hold', () => {
    const rows = parseCsv(render('csv', good, nasty));
    expect(new Set(rows.map(row => row.length))).toEqual(new Set([19]));
    expect(rows.some(row => row.includes('flops_per_second'))).toBe(true);
  });
  it('does not hand formulas to a spreadsheet', () => {
    for (const row of parseCsv(render('csv', nasty))) for (const field of row) expect(field).not.toMatch(/^[=+@\t]/);
  });
});

describe('junit', () => {
  it("is valid by Jenkins' schema", () => {
    validateJunit(render('junit', good, nasty));
    const suites = parseXml(render('junit', nasty)).children.filter(child => child.name === 'testsuite');
    expect(suites[0]?.attributes).toMatchObject({ tests: '3', failures: '1', errors: '0' });
  });
});

/** The schema itself: junit-10.xsd of Jenkins' xUnit plugin (MIT), judged by libxml2. */
const XSD = fileURLToPath(new URL('../../fixtures/junit-10.xsd', import.meta.url));
const hasXmllint = spawnSync('xmllint', ['--version']).status === 0;

function validateBySchema(text: string): void {
  const { status, stderr } = spawnSync('xmllint', ['--noout', '--nonet', '--schema', XSD, '-'], {
    input: text,
    encoding: 'utf8',
  });
  expect(stderr).toMatch(/^- validates$/m);
  expect(status).toBe(0);
}

describe.skipIf(!hasXmllint)('junit by xmllint (skipped where libxml2-utils is not installed)', () => {
  it('documents', () => validateBySchema(render('junit', good, nasty)));
  it('a gate', () => {
    const policy = parsePolicy(
      'schema: aibench.policy/1\nname: test\nrules:\n  - {id: a, reason: for the test, on: flops_per_second, not_worse: 5%}\n  - {id: b, level: warn, reason: for the test, on: latency_seconds_p50, better_by: 5%}\n',
      'p.yaml',
    ).value;
    validateBySchema(gateJunit(evaluate(policy, { baseline: [good], candidate: [good, nasty] })));
  });
});

describe('openmetrics', () => {
  it('keeps to the grammar: families together, labels escaped, EOF at the end', () => {
    const text = render('openmetrics', good, nasty);
    expect(text.endsWith('# EOF\n')).toBe(true);
    const families: string[] = [];
    const seen = new Set<string>();
    for (const line of text.split('\n').slice(0, -2)) {
      const type = /^# TYPE (\S+) gauge$/.exec(line)?.[1];
      if (type !== undefined) families.push(type);
      else if (!line.startsWith('# HELP ')) {
        const sample = /^([a-z_:][a-z0-9_:]*)\{((?:[a-z]+="(?:[^"\\\n]|\\["\\n])*",?)+)\} (-?[0-9.e+-]+)$/.exec(line);
        expect(sample, line).not.toBeNull();
        expect(sample?.[1]).toBe(families.at(-1));
        expect(seen.has(`${sample?.[1]}${sample?.[2]}`)).toBe(false);
        seen.add(`${sample?.[1]}${sample?.[2]}`);
      }
    }
    expect(new Set(families).size).toBe(families.length);
    expect(seen.size).toBeGreaterThan(20);
  });
});

describe('gobench', () => {
  it('has one line per launch that benchstat reads: name, count, pairs of value and unit', () => {
    const lines = render('gobench', good)
      .split('\n')
      .filter(line => line.startsWith('Benchmark'));
    expect(lines).toHaveLength(15);
    for (const line of lines) expect(line).toMatch(/^Benchmark[A-Z]\S* [1-9]\d*(?: [0-9.e+-]+ \S+)+$/);
    expect(render('gobench', good)).toContain('Unit FLOP/s better=higher');
  });
});

describe('JSON formats', () => {
  it('mlflow keeps its limits', () => {
    const many = syntheticDocument({ seed: 2, cases: 400, launches: 2, samples: 1 });
    const bodies = render('mlflow', many)
      .trim()
      .split('\n')
      .map(line => JSON.parse(line) as { metrics: { key: string; value: number }[] });
    expect(bodies).toHaveLength(2);
    for (const { metrics } of bodies) {
      expect(metrics.length).toBeLessThanOrEqual(1000);
      for (const { key } of metrics) expect(key).toMatch(/^[A-Za-z0-9_\-. /]{1,250}$/);
    }
  });
  it('bmf has a value and its bounds', () => {
    const parsed = JSON.parse(render('bmf', good)) as Record<
      string,
      Record<string, { value: number; lower_value: number; upper_value: number }>
    >;
    const metric = parsed[good.cases[0]?.id ?? '']?.['flops-per-second'];
    expect(metric?.lower_value).toBeLessThan(metric?.value ?? 0);
    expect(metric?.upper_value).toBeGreaterThan(metric?.value ?? Number.POSITIVE_INFINITY);
  });
  it('github-action-benchmark splits by direction', () => {
    const bigger = JSON.parse(render('github-action-benchmark', good)) as { unit: string }[];
    const smaller = JSON.parse(render('github-action-benchmark-smaller', good)) as { unit: string }[];
    expect(bigger.every(({ unit }) => unit !== 's' && unit !== 'W')).toBe(true);
    expect(new Set(smaller.map(({ unit }) => unit))).toEqual(new Set(['s', 'W', 'J·s/FLOP²']));
  });
});

describe('markdown', () => {
  it('lets no document make markup or break its table', () => {
    const text = render('markdown', nasty);
    expect(text).not.toMatch(/<script|\[x\]\(y\)/);
    for (const line of text.split('\n').filter(row => row.startsWith('|')))
      expect(line.replace(/\\\|/g, '').split('|')).toHaveLength(11);
  });
});

describe('html', () => {
  const page = htmlReport([good, nasty], ({ id }) => id);
  it('asks nothing of anybody and runs nothing', () => {
    expect(page).not.toMatch(/<script|<link|<img|<iframe|src=|url\(|@import|https?:/i);
    expect(page).toContain("default-src 'none'");
  });
  it('lets no document make markup', () => {
    expect(page).toContain('&lt;script&gt;alert(1)&lt;/script&gt;');
    expect(page).not.toContain('alert(1)</script>');
  });
  it('shows cases, energy, telemetry and their names for those who do not see them', () => {
    expect(page.match(/<tr>/g)?.length).toBeGreaterThan(6);
    expect(page).toContain('svg class="plot"');
    for (const svg of page.match(/<svg[^>]*>/g) ?? []) expect(svg).toMatch(/role="img" aria-label="[^"]+"/);
    expect(page).toMatch(/<html lang="en">/);
    expect(page).toMatch(/prefers-color-scheme:dark/);
    expect(page).not.toMatch(/NaN|undefined|Infinity/);
  });
});

describe('formats of a gate', () => {
  const policy = parsePolicy(
    'schema: aibench.policy/1\nname: test\nrules:\n  - {id: a, reason: for the test, on: flops_per_second, not_worse: 5%}\n',
    'p.yaml',
  ).value;
  const base = syntheticDocument({ seed: 1, cases: 30, launches: 6 });
  const slow = syntheticDocument({ seed: 2, cases: 30, launches: 6, speed: 0.8 });
  const result = evaluate(policy, { baseline: [base], candidate: [slow] });

  it('junit is valid and counts failures', () => {
    validateJunit(gateJunit(result));
    expect(parseXml(gateJunit(result)).attributes.failures).toBe('30');
  });
  it('annotations keep to ten of a kind and escape what GitHub reads', () => {
    const lines = gateAnnotations(result).trim().split('\n');
    expect(lines).toHaveLength(10);
    expect(lines.at(-1)).toContain('21 more');
    const odd = { ...result, items: result.items.slice(0, 1).map(item => ({ ...item, reason: 'a%b\n::error::c' })) };
    expect(gateAnnotations(odd).trim().split('\n')).toHaveLength(1);
    expect(gateAnnotations(odd)).toContain('a%25b%0A::error::c');
  });
  it('the summary fits the limit and says what it left out', () => {
    const text = gateMarkdown(result, 3000);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(3000);
    expect(text).toMatch(/\d+ more rows do not fit/);
    expect(gateMarkdown(result)).not.toMatch(/do not fit/);
  });
});

/** RFC 4180. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain = '', end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/g)) {
    row.push(quoted === undefined ? plain : quoted.replace(/""/g, '"'));
    if (end === '\r\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}
