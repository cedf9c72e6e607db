/** Pure: a comparison as text for the terminal, within 80 columns. */
import type { ComparedMetric, Comparison, GeometricMean } from '../../analysis/compare.ts';
import { formatQuantity } from '../../units.ts';
import { caseNames } from './case-names.ts';
import { printable } from './printable.ts';
import { type Column, renderTable } from './table.ts';
import { wrap } from './wrap.ts';

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
  by: 'case' | 'metric';
}

const WIDTH = 80;
/** Reasons and cases listed in a remark; --json has all. */
const LISTED = 8;

export function comparisonText(comparison: Comparison & Named): string {
  const { rows, energy, confidence } = comparison;
  const percent = Number((100 * confidence).toPrecision(4));
  const names = caseNames([...rows, ...energy].map(row => row.case));
  const parts = [wrap(printable(`${comparison.baseline} → ${comparison.candidate}: ${comparison.claim}`), WIDTH)];
  const sections = sectionsOf(rows, comparison.by, names);
  if (rows.length === 0) parts.push('No row to show.');
  for (const section of sections) parts.push(titled(section, findingsTable(section, percent)));
  if (rows.length > 0) parts.push('Both sides:');
  for (const section of sections) parts.push(titled(section, sidesTable(section)));
  if (energy.length > 0) parts.push(energyTable(comparison, names, percent));
  parts.push(remarksOf(comparison, names).join('\n'));
  return `${parts.map(part => part.trimEnd()).join('\n\n')}\n`;
}

/** Rows that stand in one table; each with the name that tells it from the others there. */
interface Section {
  title: string | null;
  first: string;
  rows: { name: string; row: ComparedMetric }[];
}

/** One table where each case stands once; with several metrics of a case one table per case, or per metric where asked. */
function sectionsOf(rows: readonly ComparedMetric[], by: Named['by'], names: ReadonlyMap<string, string>): Section[] {
  const nameOf = (row: ComparedMetric): string => names.get(row.case) ?? printable(row.case);
  const once = new Set(rows.map(row => row.case)).size === rows.length;
  if (once && by === 'case')
    return rows.length === 0
      ? []
      : [{ title: null, first: 'case', rows: rows.map(row => ({ name: nameOf(row), row })) }];
  const sections = new Map<string, Section>();
  for (const row of rows) {
    const key = by === 'metric' ? row.metric : row.case;
    const section = sections.get(key) ?? {
      title: by === 'metric' ? `${row.metric}, ${row.better} is better` : nameOf(row),
      first: by === 'metric' ? 'case' : 'metric',
      rows: [],
    };
    section.rows.push({ name: by === 'metric' ? nameOf(row) : row.metric, row });
    sections.set(key, section);
  }
  return [...sections.values()];
}

function titled({ title }: Section, table: string): string {
  return title === null ? table : `${title}\n${table}`;
}

function findingsTable({ first, rows }: Section, percent: number): string {
  return renderTable({
    columns: [
      { header: first, shrink: true },
      { header: 'ratio', align: 'right' },
      { header: `${percent}% interval`, align: 'right' },
      { header: 'finds', align: 'right' },
      { header: 'finding' },
    ],
    rows: rows.map(({ name, row }) => [
      name,
      ratioText(row.ratio),
      row.difference === null ? '–' : intervalText(row.difference.interval),
      detectableText(row),
      finding(row),
    ]),
  });
}

function sidesTable({ first, rows }: Section): string {
  const side = (header: string): Column[] => [
    { header, align: 'right' },
    { header: 'n', align: 'right' },
    { header: 'sd', align: 'right' },
  ];
  return renderTable({
    columns: [{ header: first, shrink: true }, ...side('baseline'), ...side('candidate')],
    rows: rows.map(({ name, row }) => [
      name,
      formatQuantity(row.baseline.value, row.unit),
      String(row.baseline.units),
      shareText(row.difference?.baselineSpread),
      formatQuantity(row.candidate.value, row.unit),
      String(row.candidate.units),
      shareText(row.difference?.candidateSpread),
    ]),
  });
}

/** In words, with `weak` where launches are few and a star where the machine was not fit. */
export function finding(row: ComparedMetric): string {
  return `${row.verdict}${row.weak ? ', weak' : ''}${row.unfit.length > 0 ? ' *' : ''}`;
}

/** The smallest true change that would be found with a chance of 80 %. */
export function detectableText({ difference }: ComparedMetric): string {
  return shareText(difference?.minimumDetectable);
}

export function shareText(share: number | null | undefined): string {
  if (share === null || share === undefined || Number.isNaN(share)) return '–';
  if (share > 1) return '>100%';
  return `${(100 * share).toFixed(share >= 0.0995 ? 0 : 1)}%`;
}

function energyTable({ energy }: Comparison, names: ReadonlyMap<string, string>, percent: number): string {
  const watts = (value: number | null): string => (value === null ? '–' : formatQuantity(value, 'W'));
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
      names.get(row.case) ?? printable(row.case),
      row.scope,
      watts(row.baselineWatts),
      watts(row.candidateWatts),
      row.ratio === null ? '–' : ratioText(row.ratio),
      row.interval === null ? '–' : intervalText(row.interval),
    ]),
  });
}

function remarksOf(comparison: Comparison, names: ReadonlyMap<string, string>): string[] {
  const { rows, unit, apart, energyApart, notes } = comparison;
  const lines: string[] = [];
  if (rows.length > 0) {
    const units = unit === 'launch' ? 'launches' : unit === 'run' ? 'runs' : 'machines';
    lines.push(
      `Ratio: candidate over baseline. n: ${units}; sd: their spread. finds: the smallest true change that would be found with a chance of 80 %. Findings are corrected for ${counted(rows.length, 'row')}.`,
    );
  }
  lines.push(...comparison.geometricMeans.flatMap(mean => geometricMeanText(mean, names) ?? []));
  lines.push(...unfitRemarks(rows));
  lines.push(...apart.map(({ id, reason }) => `apart: ${id}: ${reason}`));
  lines.push(...energyApart.map(({ id, reason }) => `energy apart: ${id}: ${reason}`));
  lines.push(...notes.map(note => `note: ${note}`));
  return lines.map(line => wrap(printable(line), WIDTH));
}

/** With the cases that it covers; null for one case, whose own ratio stands in the table. */
export function geometricMeanText({ metric, ratio, cases }: GeometricMean, names: ReadonlyMap<string, string>) {
  if (cases.length < 2) return null;
  const shown = cases.slice(0, LISTED).map(id => names.get(id) ?? id);
  const more = cases.length > LISTED ? ` and ${cases.length - LISTED} more` : '';
  return `geometric mean of ${metric}: ${ratioText(ratio)} (no verdict) over ${cases.length} cases: ${shown.join('; ')}${more}`;
}

function unfitRemarks(rows: readonly ComparedMetric[]): string[] {
  const reasons = new Map<string, number>();
  for (const row of rows) for (const reason of row.unfit) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  const all = [...reasons].map(([reason, count]) => `* not fit to be judged, ${counted(count, 'row')}: ${reason}`);
  return all.length <= LISTED ? all : [...all.slice(0, LISTED), `* and ${all.length - LISTED} more (--json has all)`];
}

function counted(count: number, name: string): string {
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}

export function ratioText(ratio: number): string {
  return ratio.toFixed(digitsOf(ratio));
}

/** Both ends with the same digits. */
export function intervalText([low, high]: readonly [number, number]): string {
  const digits = Math.min(digitsOf(low), digitsOf(high));
  return `${low.toFixed(digits)}..${high.toFixed(digits)}`;
}

function digitsOf(ratio: number): number {
  return Math.abs(ratio - 1) < 0.1 ? 3 : 2;
}
