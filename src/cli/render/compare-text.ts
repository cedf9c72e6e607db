/** Pure: a comparison as text for the terminal, within 80 columns. */
import type { ComparedMetric, Comparison } from '../../analysis/compare.ts';
import { formatQuantity, significant } from '../../units.ts';
import { caseNames } from './case-names.ts';
import { renderTable } from './table.ts';

export interface Arrangement {
  by: 'case' | 'metric';
  sort: 'case' | 'ratio' | 'p';
  onlyChanged: boolean;
}

/** Rows in the order asked for. `ratio` puts the worst first. */
export function arrangeRows(rows: readonly ComparedMetric[], { by, sort, onlyChanged }: Arrangement): ComparedMetric[] {
  const kept = rows.filter(row => !onlyChanged || row.verdict === 'better' || row.verdict === 'worse');
  const gain = (row: ComparedMetric): number => (row.better === 'higher' ? Math.log(row.ratio) : -Math.log(row.ratio));
  const ordered = [...kept];
  if (sort === 'ratio') ordered.sort((a, b) => gain(a) - gain(b));
  if (sort === 'p') ordered.sort((a, b) => (a.pCorrected ?? 1) - (b.pCorrected ?? 1));
  if (by === 'metric') {
    const order = [...new Set(rows.map(row => row.metric))];
    ordered.sort((a, b) => order.indexOf(a.metric) - order.indexOf(b.metric));
  }
  return ordered;
}

export interface Named {
  baseline: string;
  candidate: string;
}

export function comparisonText(comparison: Comparison & Named): string {
  const { rows, energy, confidence } = comparison;
  const percent = Number((100 * confidence).toPrecision(4));
  const parts = [`${comparison.baseline} → ${comparison.candidate}: ${comparison.claim}\n`];
  parts.push(rows.length === 0 ? 'No row to show.\n' : metricTable(rows, percent));
  if (energy.length > 0) parts.push(energyTable(comparison, percent));
  const remarks = [
    ...comparison.geometricMeans.map(
      mean => `geometric mean of ${mean.metric}: ${ratioText(mean.ratio)} over ${mean.cases.length} cases (no verdict)`,
    ),
    ...unfitRemarks(rows),
    ...comparison.apart.map(({ id, reason }) => `apart: ${id}: ${reason}`),
    ...comparison.notes.map(note => `note: ${note}`),
  ];
  parts.push(`${legend(comparison)}\n${remarks.map(remark => `${remark}\n`).join('')}`);
  return parts.join('\n');
}

function metricTable(rows: readonly ComparedMetric[], percent: number): string {
  const names = caseNames(rows.map(row => row.case));
  const several = new Set(rows.map(row => row.metric)).size > 1;
  return renderTable({
    columns: [
      { header: 'case', shrink: true },
      ...(several ? [{ header: 'metric', maxWidth: 20 }] : []),
      { header: 'baseline', align: 'right' as const },
      { header: 'ratio', align: 'right' as const },
      { header: `${percent}% interval`, align: 'right' as const },
      { header: 'finding' },
    ],
    rows: rows.map(row => [
      names.get(row.case) ?? row.case,
      ...(several ? [row.metric] : []),
      formatQuantity(row.baseline.value, row.unit),
      ratioText(row.ratio),
      row.difference === null ? '–' : intervalText(row.difference.interval),
      finding(row),
    ]),
  });
}

/** In a word, with a star where the sides were not fit and `weak` where launches are few. */
export function finding(row: ComparedMetric): string {
  const word = row.verdict === 'no difference shown' ? detectable(row) : row.verdict;
  return `${word}${row.weak ? ', weak' : ''}${row.unfit.length > 0 ? ' *' : ''}`;
}

function detectable({ difference }: ComparedMetric): string {
  const smallest = difference?.minimumDetectable;
  return smallest === null || smallest === undefined ? 'same?' : `same? (<${significant(100 * smallest)}%)`;
}

function energyTable({ energy }: Comparison, percent: number): string {
  const watts = (value: number | null): string => (value === null ? '–' : formatQuantity(value, 'W'));
  const names = caseNames(energy.map(row => row.case));
  return renderTable({
    columns: [
      { header: 'energy of', shrink: true },
      { header: 'scope' },
      { header: 'baseline', align: 'right' },
      { header: 'candidate', align: 'right' },
      { header: 'per watt', align: 'right' },
      { header: `${percent}% interval`, align: 'right' },
    ],
    rows: energy.map(row => [
      names.get(row.case) ?? row.case,
      row.scope,
      watts(row.baselineWatts),
      watts(row.candidateWatts),
      row.ratio === null ? '–' : ratioText(row.ratio),
      row.interval === null ? '–' : intervalText(row.interval),
    ]),
  });
}

function legend({ rows, unit }: Comparison): string {
  const lines = [
    `Ratio: candidate over baseline; the unit of the statistics is the ${unit}. Marks are corrected for ${rows.length} rows.`,
  ];
  if (rows.some(row => row.verdict === 'no difference shown'))
    lines.push('same? (<x%): no difference shown; one of x% or more would have been found with a chance of 80%.');
  return lines.join('\n');
}

function unfitRemarks(rows: readonly ComparedMetric[]): string[] {
  const reasons = new Map<string, number>();
  for (const row of rows) for (const reason of row.unfit) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  return [...reasons].map(([reason, count]) => `* unfit (${count} rows): ${reason}`);
}

export function ratioText(ratio: number): string {
  return ratio.toFixed(Math.abs(ratio - 1) < 0.1 ? 4 : 3);
}

export function intervalText([low, high]: readonly [number, number]): string {
  return `${ratioText(low)}..${ratioText(high)}`;
}
