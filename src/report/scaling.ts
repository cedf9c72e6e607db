/** Markdown: speed-up, efficiency and energy per operation over threads or ranks (analysis/scaling.ts). */
import { type ScalingGroup, scalingGroups } from '../analysis/scaling.ts';
import type { ResultDocument } from '../results/schema.ts';
import type { ReportFormat } from './format.ts';
import { escapeMarkdown, markdownTable } from './markdown-table.ts';
import { hostName } from './measurements.ts';

export const SCALING_HEADERS = ['cores', 'rate', 'speed-up', 'efficiency', 'energy per operation'];

export const scaling: ReportFormat = {
  name: 'scaling',
  summary: 'Markdown: strong and weak scaling over threads and ranks, with efficiency and energy per operation',
  render: documents => {
    const parts = documents.flatMap(tablesOf);
    const none =
      'No two measured cases of these documents differ only in their threads or ranks; see suites/scaling.yaml.\n';
    return parts.length === 0 ? none : `${parts.join('\n\n')}\n`;
  },
};

function tablesOf(document: ResultDocument): string[] {
  return scalingGroups(document).map(group => {
    const title = escapeMarkdown(`${hostName(document)}: ${group.kind} scaling of ${group.workload}, ${group.common}`);
    return `**${title}**\n\n${markdownTable(SCALING_HEADERS, scalingRows(group))}`;
  });
}

/** Cells as text, for this table and for the page. */
export function scalingRows({ points }: ScalingGroup): string[][] {
  return points.map(({ cores, rate, speedUp, efficiency, efficiencyInterval, joulesPerWork, crowded }) => [
    `${cores}${crowded ? ' (more than there are)' : ''}`,
    `${rate.value.toPrecision(4)} ${rate.unit}`,
    speedUp === null ? '–' : speedUp.toFixed(2),
    `${efficiency.toFixed(2)}${efficiencyInterval ? ` [${efficiencyInterval.map(value => value.toFixed(2)).join(', ')}]` : ''}`,
    joulesPerWork === null ? 'not measured' : `${joulesPerWork.toPrecision(3)} J/${rate.unit.replace(/\/s$/, '')}`,
  ]);
}
