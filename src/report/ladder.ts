/** Markdown: the steps of compression of each model side by side: speed, size, memory, energy, and the error that they cost. */
import type { CaseResult, Metric, ResultDocument } from '../results/schema.ts';
import type { ReportFormat } from './format.ts';
import { escapeMarkdown, markdownTable } from './markdown-table.ts';
import { hostName } from './measurements.ts';

const HEADERS = [
  'step',
  'rate',
  'x',
  'size MB',
  'peak MB',
  'per joule',
  'cosine',
  'max error',
  'top-1',
  'ran as',
  'status',
];

export const ladder: ReportFormat = {
  name: 'ladder',
  summary: 'Markdown: precisions and prunings of each model side by side, with what they cost in the output',
  render: documents => {
    const parts = documents.flatMap(tablesOf);
    return parts.length === 0 ? 'No inference case is in these documents.\n' : `${parts.join('\n\n')}\n`;
  },
};

function tablesOf(document: ResultDocument): string[] {
  const groups = new Map<string, CaseResult[]>();
  for (const result of document.cases.filter(({ workload }) => workload === 'inference')) {
    const key = groupOf(result);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  return [...groups].map(([key, cases]) => {
    const base = cases.find(isBase);
    const rows = cases.map(result => row(result, base));
    return `**${escapeMarkdown(`${hostName(document)}: ${key}`)}**\n\n${markdownTable(HEADERS, rows)}`;
  });
}

/** Everything of a case but the step: what is compared is one model, or the smaller one that stands for it, doing the same work. */
function groupOf({ params, backend, facts }: CaseResult): string {
  const { precision: _precision, sparsity: _sparsity, model, ...rest } = params;
  const others = Object.entries(rest).map(([name, value]) => `${name}=${String(value)}`);
  return [String(facts.smallerOf ?? model), ...others, backend].join(' ');
}

function isUncompressed({ params }: CaseResult): boolean {
  return params.precision === 'fp32' && params.sparsity === undefined;
}

function isBase(result: CaseResult): boolean {
  return isUncompressed(result) && result.facts.smallerOf === undefined;
}

function row(result: CaseResult, base: CaseResult | undefined): string[] {
  const { facts, params, headline, metrics, energy, status } = result;
  const metric = headline === null ? undefined : metrics[headline];
  const reference = base?.headline === undefined || base.headline === null ? undefined : base.metrics[base.headline];
  const perJoule = energy.find(entry => entry.status === 'ok' && entry.throughputPerWatt !== null)?.throughputPerWatt;
  const megabytes = (name: string): string => (typeof facts[name] === 'number' ? (facts[name] / 1e6).toFixed(1) : '–');
  const number = (name: string, digits: number): string =>
    typeof facts[name] === 'number' ? facts[name].toFixed(digits) : '–';
  const gain = (): string => {
    if (metric === undefined || reference === undefined || reference.unit !== metric.unit) return '–';
    // A number that must not be used is no gain.
    if (status !== 'measured' || base?.status !== 'measured') return '–';
    const ratio = metric.better === 'higher' ? metric.value / reference.value : reference.value / metric.value;
    return ratio.toFixed(2);
  };
  return [
    [facts.smallerOf === undefined ? undefined : params.model, params.precision, params.sparsity]
      .filter(part => part !== undefined)
      .join(' '),
    metric === undefined ? '–' : rateText(metric),
    gain(),
    megabytes('modelBytes'),
    megabytes('peakResidentBytes'),
    perJoule ? `${perJoule.value.toPrecision(3)} ${perJoule.unit}` : '–',
    isBase(result) ? 'reference' : number('fp32Cosine', 4),
    isUncompressed(result) ? '' : number('fp32MaxError', 3),
    isUncompressed(result) ? '' : number('fp32Top1Agreement', 2),
    typeof facts.executedPrecision === 'string' ? facts.executedPrecision : '–',
    status,
  ];
}

/** With the half width of the interval, where there are launches enough for one. */
function rateText({ value, unit, interval }: Metric): string {
  const half =
    interval === null || value === 0 ? '' : ` ± ${((50 * (interval[1] - interval[0])) / value).toFixed(1)} %`;
  return `${value.toPrecision(4)} ${unit}${half}`;
}
