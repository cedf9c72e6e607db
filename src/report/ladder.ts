/** Markdown: the steps of compression of each model side by side: speed, size, memory, energy, and the error that they cost. */
import { effectBounds, effectOf } from '../analysis/effect.ts';
import { launchValues } from '../analysis/observations.ts';
import type { CaseResult, Metric, ResultDocument } from '../results/schema.ts';
import type { ReportFormat } from './format.ts';
import { escapeMarkdown, markdownTable } from './markdown-table.ts';
import { hostName, machineWords } from './measurements.ts';
import { statusWords } from './status-words.ts';

const HEADERS = [
  'step',
  'rate ± 95 %',
  'x fp32 (95 %)',
  'size MB',
  'peak MB',
  'per joule',
  'cosine to fp32',
  'max error',
  'same top-1',
  'ran as',
  'status',
];

const NOTES = [
  'x fp32: the rate over that of the uncompressed model of the table, with the interval of the ratio over the launches. Where 1 lies in it, neither gain nor loss is shown; with one launch there is no interval.',
  'size: the file. peak: the whole process from the load to the first inference, its own memory before the load included.',
  'cosine, max error (over the root mean square of the output) and same top-1 are against the fp32 outputs on 16 rows. The weights are random: errors compare with each other and not with those of a trained model, and pruning hits random weights far harder. Those of a smaller model are against its own fp32: how near it comes to the large one is a matter of training.',
  'ran as: in which precision products with weights ran, by their time, from the operators that were executed. A rate in brackets must not be used as one of this step: see the status.',
];

export const ladder: ReportFormat = {
  name: 'ladder',
  summary: 'Markdown: precisions and prunings of each model side by side, with what they cost in the output',
  render: documents => {
    const parts = documents.flatMap(tablesOf);
    const notes = NOTES.map(note => `- ${escapeMarkdown(note)}`).join('\n');
    return parts.length === 0 ? 'No inference case is in these documents.\n' : `${[...parts, notes].join('\n\n')}\n`;
  },
};

function tablesOf(document: ResultDocument): string[] {
  const groups = new Map<string, CaseResult[]>();
  for (const result of document.cases.filter(({ workload }) => workload === 'inference')) {
    const key = groupOf(result);
    groups.set(key, [...(groups.get(key) ?? []), result]);
  }
  if (groups.size === 0) return [];
  const tables = [...groups].map(([key, cases]) => {
    const base = cases.find(isBase);
    const rows = cases.map(result => row(result, base));
    return `**${escapeMarkdown(key)}**\n\n${markdownTable(HEADERS, rows)}`;
  });
  const heading = `### ${escapeMarkdown(document.suite.name)} on ${escapeMarkdown(hostName(document))}`;
  return [heading, escapeMarkdown(machineWords(document)), ...tables];
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
    return `${ratio.toFixed(2)}${result === base ? '' : gainInterval(result, base)}`;
  };
  const usable = (text: string): string => (status === 'measured' || text === '–' ? text : `(${text})`);
  return [
    [facts.smallerOf === undefined ? undefined : params.model, params.precision, params.sparsity]
      .filter(part => part !== undefined)
      .join(' '),
    usable(metric === undefined ? '–' : rateText(metric)),
    gain(),
    megabytes('modelBytes'),
    megabytes('peakResidentBytes'),
    usable(perJoule ? `${perJoule.value.toPrecision(3)} ${perJoule.unit}` : '–'),
    isBase(result) ? 'reference' : number('fp32Cosine', 4),
    isUncompressed(result) ? '' : number('fp32MaxError', 3),
    isUncompressed(result) ? '' : number('fp32Top1Agreement', 2),
    typeof facts.executedPrecision === 'string' ? facts.executedPrecision : '–',
    statusWords(result),
  ];
}

/** 95 % of the ratio, by Welch's bounds on the logarithms of the launches' rates; nothing where there are too few launches. */
function gainInterval(result: CaseResult, base: CaseResult): string {
  const { headline } = result;
  const better = headline === null ? undefined : result.metrics[headline]?.better;
  if (headline === null || better === undefined || base.headline === null) return '';
  const effect = effectOf(launchValues(base, base.headline), launchValues(result, headline), better);
  if (typeof effect === 'string') return '';
  const [low, high] = effectBounds(effect, 0.025).map(Math.exp);
  return ` (${low?.toPrecision(3)} to ${high?.toPrecision(3)})`;
}

/** With the half width of the interval, where there are launches enough for one. */
function rateText({ value, unit, interval }: Metric): string {
  const half = interval === null || value === 0 ? null : (50 * (interval[1] - interval[0])) / value;
  // Wider than the value itself: how much wider says nothing more.
  const spread = half === null ? '' : half > 100 ? ' ± >100 %' : ` ± ${half.toFixed(1)} %`;
  return `${value.toPrecision(4)} ${unit}${spread}`;
}
