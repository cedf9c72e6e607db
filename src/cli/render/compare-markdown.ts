/** Pure: a comparison as Markdown. */
import type { Comparison } from '../../analysis/compare.ts';
import { escapeMarkdown, markdownTable } from '../../report/markdown-table.ts';
import { formatQuantity } from '../../units.ts';
import { finding, intervalText, type Named, ratioText } from './compare-text.ts';

export function comparisonMarkdown(comparison: Comparison & Named): string {
  const { rows, energy, apart, notes, geometricMeans } = comparison;
  const percent = Number((100 * comparison.confidence).toPrecision(4));
  const parts = [
    `### ${escapeMarkdown(`${comparison.baseline} → ${comparison.candidate}`)}`,
    `Claim: ${comparison.claim}.`,
  ];
  parts.push(
    markdownTable(
      ['case', 'metric', 'baseline', 'candidate', 'ratio', `${percent} % interval`, 'p (Holm)', 'finding'],
      rows.map(row => [
        row.case,
        row.metric,
        formatQuantity(row.baseline.value, row.unit),
        formatQuantity(row.candidate.value, row.unit),
        ratioText(row.ratio),
        row.difference === null ? '–' : intervalText(row.difference.interval),
        row.pCorrected === null ? '–' : row.pCorrected.toPrecision(2),
        finding(row),
      ]),
    ),
  );
  if (energy.length > 0) {
    parts.push(
      markdownTable(
        ['energy of', 'source', 'scope', 'per watt', 'interval'],
        energy.map(row => [
          row.case,
          row.source,
          row.scope,
          row.ratio === null ? '–' : ratioText(row.ratio),
          row.interval === null ? '–' : intervalText(row.interval),
        ]),
      ),
    );
  }
  const remarks = [
    ...geometricMeans.map(
      mean =>
        `Geometric mean of ${mean.metric} over ${mean.cases.length} cases: ${ratioText(mean.ratio)} (no verdict).`,
    ),
    ...apart.map(({ id, reason }) => `Apart: ${escapeMarkdown(`${id}: ${reason}`)}.`),
    ...notes.map(note => `Note: ${escapeMarkdown(note)}.`),
  ];
  if (remarks.length > 0) parts.push(remarks.map(remark => `- ${remark}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}
