/**
 * Markdown: each case under the power limits that its documents were measured under, one row per limit: rate, power, work per joule,
 * energy times time, and how much of the run stood at the limit. The limits are those that the machine's owner set between the
 * runs; aibench reads them and sets none. Documents of one machine and readings of one source only: a limit of another part is
 * another question.
 */
import type { CaseEnergy, CaseResult, ResultDocument } from '../results/schema.ts';
import { formatQuantity } from '../units.ts';
import type { ReportFormat } from './format.ts';
import { energyDelayText, shareText } from './heat.ts';
import { escapeMarkdown, markdownTable } from './markdown-table.ts';
import { hostName } from './measurements.ts';

const HEADERS = [
  ...['limit', 'rate', 'of full', 'power', 'per joule', 'of full'],
  ...['energy x time', 'at the limit', 'throttled', 'hottest'],
];

export const powerCaps: ReportFormat = {
  name: 'power-caps',
  summary:
    'Markdown: each case under the power limits that you set between runs, with work per joule and energy times time',
  render: documents => {
    const parts = groupsOf(documents).flatMap(tableOf);
    const none =
      'No case of these documents was measured under two power limits of one source; see "Performance at power limits" in docs/energy.md.\n';
    return parts.length === 0 ? none : `${parts.join('\n\n')}\n`;
  },
};

interface Row {
  result: CaseResult;
  entry: CaseEnergy;
  capWatts: number;
}

interface Group {
  title: string;
  rows: Row[];
}

/** By machine, case and source, in the order in which they are met. */
function groupsOf(documents: readonly ResultDocument[]): Group[] {
  const groups = new Map<string, Group>();
  for (const document of documents) {
    for (const result of document.cases.filter(({ status }) => status === 'measured')) {
      for (const entry of result.energy) {
        const { capWatts, status, throughputPerWatt } = entry;
        if (status !== 'ok' || capWatts === undefined || throughputPerWatt === null) continue;
        const key = JSON.stringify([document.host.id, result.id, entry.source]);
        const title = `${hostName(document)}: ${result.id}, ${entry.source} (${entry.scope})`;
        const group = groups.get(key) ?? { title, rows: [] };
        groups.set(key, group);
        group.rows.push({ result, entry, capWatts });
      }
    }
  }
  return [...groups.values()];
}

/** Highest limit first: that is what the others are held against. */
function tableOf({ title, rows }: Group): string[] {
  if (new Set(rows.map(({ capWatts }) => capWatts)).size < 2) return [];
  const sorted = [...rows].sort((a, b) => b.capWatts - a.capWatts);
  const full = sorted[0];
  return [
    `**${escapeMarkdown(title)}**\n\n${markdownTable(
      HEADERS,
      sorted.map(row => cells(row, full)),
    )}`,
  ];
}

function cells({ result, entry, capWatts }: Row, full: Row | undefined): string[] {
  const metric = metricOf(result);
  const reference = full && metricOf(full.result);
  const perJoule = entry.throughputPerWatt;
  const fullPerJoule = full?.entry.throughputPerWatt;
  const { thermal } = result;
  const known = (value: number | null | undefined, text: (value: number) => string): string =>
    value === null || value === undefined ? '–' : text(value);
  return [
    formatQuantity(capWatts, 'W'),
    metric === undefined ? '–' : formatQuantity(metric.value, metric.unit),
    metric === undefined || reference === undefined ? '–' : (metric.value / reference.value).toFixed(3),
    known(entry.averageWatts, value => formatQuantity(value, 'W')),
    perJoule === null ? '–' : formatQuantity(perJoule.value, perJoule.unit),
    perJoule && fullPerJoule ? (perJoule.value / fullPerJoule.value).toFixed(3) : '–',
    energyDelayText(entry),
    known(thermal?.powerCappedFraction, shareText),
    known(thermal?.throttledFraction, shareText),
    known(thermal?.maxTemperatureCelsius, value => `${value.toFixed(0)} °C`),
  ];
}

function metricOf({ headline, metrics }: CaseResult) {
  return headline === null ? undefined : metrics[headline];
}
