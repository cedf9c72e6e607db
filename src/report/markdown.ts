/** Tables for a merge request or a wiki. */
import type { CaseResult } from '../results/schema.ts';
import { formatQuantity } from '../units.ts';
import type { ReportFormat } from './format.ts';
import { energyDelayText, energyOf, heatWords, limitWords } from './heat.ts';
import { escapeMarkdown, markdownTable } from './markdown-table.ts';
import { hostName, machineWords } from './measurements.ts';

export const markdown: ReportFormat = {
  name: 'markdown',
  summary: 'a table per document, for merge requests and wikis',
  render: documents =>
    `${documents
      .map(document =>
        [
          `### ${escapeMarkdown(document.suite.name)} on ${escapeMarkdown(hostName(document))}`,
          escapeMarkdown(machineWords(document)),
          markdownTable(
            [
              'case',
              'status',
              'headline',
              'interval',
              'of limit',
              'power',
              'per watt',
              'energy x time',
              'heat and limits',
            ],
            document.cases.map(caseRow),
          ),
        ].join('\n\n'),
      )
      .join('\n\n')}\n`,
};

function caseRow(result: CaseResult): string[] {
  const metric = result.headline === null ? undefined : result.metrics[result.headline];
  const energy = energyOf(result);
  const perWatt = energy?.throughputPerWatt;
  return [
    result.id,
    result.status === 'measured' ? 'measured' : `${result.status}: ${result.reason ?? ''}`,
    metric === undefined ? '–' : formatQuantity(metric.value, metric.unit),
    metric === undefined || metric.interval === null
      ? '–'
      : metric.interval.map(end => formatQuantity(end, metric.unit)).join(' .. '),
    result.limit === null
      ? '–'
      : `${(100 * result.limit.fraction).toFixed(1)} % of ${result.limit.name}${result.limit.boundBy === undefined ? '' : ` (${result.limit.boundBy})`}`,
    energy === undefined || energy.averageWatts === null
      ? '–'
      : `${formatQuantity(energy.averageWatts, 'W')} (${energy.scope})`,
    perWatt === null || perWatt === undefined ? '–' : formatQuantity(perWatt.value, perWatt.unit),
    energyDelayText(energy),
    [...limitWords(energy), ...heatWords(result)].join(', ') || '–',
  ];
}
