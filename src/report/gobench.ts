/**
 * The Go benchmark format (golang/proposal 14313), one line per launch, since benchstat takes each line for one
 * independent measurement. Units that benchstat does not know get their direction stated.
 */
import { metricDefinition } from '../analysis/metrics.ts';
import { usableLaunches } from '../analysis/summarize.ts';
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import type { ReportFormat } from './format.ts';
import { hostName } from './measurements.ts';

export const gobench: ReportFormat = {
  name: 'gobench',
  summary: 'Go benchmark format, one line per launch, for benchstat',
  render: documents => {
    const units = new Map<string, 'higher' | 'lower'>();
    const body = documents.map(document => documentLines(document, units)).join('');
    const directions = [...units].map(([unit, better]) => `Unit ${unit} better=${better}\n`);
    return directions.join('') + body;
  },
};

function documentLines(document: ResultDocument, units: Map<string, 'higher' | 'lower'>): string {
  const configuration = [
    `goos: ${token(document.host.os.platform)}`,
    `goarch: ${token(document.host.cpu.arch)}`,
    `cpu: ${oneLine(document.host.cpu.brand)}`,
    `host: ${oneLine(hostName(document))}`,
    `suite: ${oneLine(document.suite.name)}`,
  ];
  const lines = document.cases
    .filter(({ status }) => status === 'measured')
    .flatMap(result => caseLines(result, units));
  return `${configuration.join('\n')}\n${lines.map(line => `${line}\n`).join('')}`;
}

function caseLines(result: CaseResult, units: Map<string, 'higher' | 'lower'>): string[] {
  const definitions = Object.keys(result.metrics).flatMap(name => metricDefinition(name) ?? []);
  return usableLaunches(result.launches).map(launch => {
    const values = definitions.flatMap(definition => {
      const value = definition.ofLaunch(launch);
      if (value === null) return [];
      // Seconds of a quantile are not the "sec/op" that benchstat knows: the metric's name tells them apart.
      const unit =
        definition.unit === 's' ? `sec/${definition.name.replace(/^latency_seconds_/, '')}` : token(definition.unit);
      units.set(unit, definition.better);
      return [`${value} ${unit}`];
    });
    const iterations = Math.max(1, Math.round(launch.samplesSeconds.length * launch.iterationsPerSample));
    return [benchmarkName(result), iterations, ...values].join(' ');
  });
}

/** `gemm/dtype=f32,m=64/backend=native` → `BenchmarkGemm/dtype=f32/m=64/backend=native`. */
function benchmarkName({ id }: CaseResult): string {
  const name = token(id.replaceAll(',', '/'));
  return `Benchmark${name.charAt(0).toUpperCase()}${name.slice(1)}`;
}

function token(text: string): string {
  return text.replace(/\s+/g, '_');
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
