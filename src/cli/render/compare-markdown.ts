/** Pure: a comparison as Markdown. */
import type { Comparison } from '../../analysis/compare.ts';
import { escapeMarkdown, markdownTable } from '../../report/markdown-table.ts';
import { formatQuantity } from '../../units.ts';
import { caseNames } from './case-names.ts';
import {
  detectableText,
  finding,
  geometricMeanText,
  intervalText,
  type Named,
  ratioText,
  shareText,
} from './compare-text.ts';

export function comparisonMarkdown(comparison: Comparison & Named): string {
  const { rows, energy, apart, energyApart, notes, geometricMeans } = comparison;
  const names = caseNames(rows.map(row => row.case));
  const percent = Number((100 * comparison.confidence).toPrecision(4));
  const parts = [
    `### ${escapeMarkdown(`${comparison.baseline} → ${comparison.candidate}`)}`,
    `Claim: ${comparison.claim}.`,
  ];
  parts.push(
    markdownTable(
      ['case', 'metric', 'baseline', 'candidate', 'ratio', `${percent} % interval`, 'p (Holm)', 'finds', 'finding'],
      rows.map(row => [
        row.case,
        row.metric,
        sideText(row.baseline, row.unit, row.difference?.baselineSpread),
        sideText(row.candidate, row.unit, row.difference?.candidateSpread),
        ratioText(row.ratio),
        row.difference === null ? '–' : intervalText(row.difference.interval),
        row.pCorrected === null ? '–' : row.pCorrected.toPrecision(2),
        detectableText(row),
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
    ...geometricMeans.flatMap(mean => {
      const text = geometricMeanText(mean, names);
      return text === null ? [] : [`${escapeMarkdown(text)}.`];
    }),
    ...apart.map(({ id, reason }) => `Apart: ${escapeMarkdown(`${id}: ${reason}`)}.`),
    ...energyApart.map(({ id, reason }) => `Energy apart: ${escapeMarkdown(`${id}: ${reason}`)}.`),
    ...notes.map(note => `Note: ${escapeMarkdown(note)}.`),
  ];
  if (remarks.length > 0) parts.push(remarks.map(remark => `- ${remark}`).join('\n'));
  return `${parts.join('\n\n')}\n`;
}

function sideText(
  { value, units }: { value: number; units: number },
  unit: string,
  spread: number | undefined,
): string {
  return `${formatQuantity(value, unit)} (n ${units}, sd ${shareText(spread)})`;
}
