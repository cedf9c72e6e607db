/** Pure: the table at the end of a run, and what to do about its warnings. Fits 80 columns. */
import { standsForCase } from '../../analysis/energy-scope.ts';
import type { CaseResult, ResultDocument, Warning } from '../../results/schema.ts';
import { formatDuration, formatQuantity, significant } from '../../units.ts';
import { caseLabel, caseLabels } from './case-label.ts';
import { sentences } from './sentence.ts';
import { renderTable } from './table.ts';
import { wrap } from './wrap.ts';

const STATUS: Record<CaseResult['status'], string> = {
  measured: 'ok',
  skipped: 'skipped',
  invalid: 'INVALID',
  failed: 'FAILED',
};

export function resultTable(document: ResultDocument, { width }: { width: number }): string {
  const labels = caseLabels(document.cases);
  const table = renderTable({
    columns: [
      { header: 'case', align: 'left' },
      { header: 'rate ± 95 %', align: 'right' },
      { header: 'limit', align: 'right' },
      { header: 'watts', align: 'right' },
      { header: 'per watt', align: 'right' },
      { header: 'status', align: 'left' },
    ],
    rows: document.cases.map((item, index) => [
      labels[index] ?? item.id,
      rate(item),
      limit(item),
      watts(item),
      perWatt(item),
      STATUS[item.status],
    ]),
    maxWidth: width,
  });
  const parts = [heading(document), table, ...notes(document, width)];
  return `${parts.filter(part => part !== '').join('\n')}\n`;
}

function heading({ suite, host, run, cases }: ResultDocument): string {
  const seconds = run.endedSeconds === null ? null : run.endedSeconds - run.startedSeconds;
  const count = cases.filter(item => item.status === 'measured').length;
  const took = seconds === null ? '' : `, ${formatDuration(seconds)}`;
  const state = run.state === 'complete' ? '' : `, ${run.state}`;
  return `${host.cpu.brand}, ${host.cpu.usableCores} cores · ${suite.name}: ${count} of ${cases.length} cases measured${took}${state}\n`;
}

function headline(item: CaseResult) {
  return item.headline === null ? undefined : item.metrics[item.headline];
}

function rate(item: CaseResult): string {
  const metric = headline(item);
  if (metric === undefined) return '–';
  const half = metric.interval === null ? null : (metric.interval[1] - metric.interval[0]) / 2 / metric.value;
  return `${formatQuantity(metric.value, metric.unit)}${half === null ? '' : ` ±${percent(half)}`}`;
}

function percent(share: number): string {
  // Wider than the value itself: how much wider says nothing more.
  if (share > 1) return '>100%';
  const value = 100 * share;
  return `${value >= 10 ? value.toFixed(0) : value.toFixed(1)}%`;
}

function limit({ limit }: CaseResult): string {
  if (limit === null) return '–';
  return `${percent(limit.fraction)}${limit.boundBy === 'memory' ? ' mem' : ''}`;
}

/** The widest valid scope stands first in `energy`; the watts of what did not do the work are no watts of the case. */
function bestEnergy(item: CaseResult) {
  return item.energy.find(standsForCase);
}

function watts(item: CaseResult): string {
  const power = bestEnergy(item)?.averageWatts;
  return power === null || power === undefined ? '–' : significant(power);
}

function perWatt(item: CaseResult): string {
  const efficiency = bestEnergy(item)?.throughputPerWatt;
  return efficiency === null || efficiency === undefined ? '–' : formatQuantity(efficiency.value, efficiency.unit);
}

/** Reasons of what was not measured, warnings with what to do, and why there are no watts where there are none. */
function notes(document: ResultDocument, width: number): string[] {
  const lines = unmeasuredWhy(document).map(
    ({ status, why, cases }) => `${STATUS[status]}  ${whichCases(cases)}${why}`,
  );
  for (const { warning, cases } of groupedWarnings(document)) {
    lines.push(`warning  ${whichCases(cases)}${sentences(warning.message, warning.remedy)}`);
  }
  if (!document.cases.some(item => bestEnergy(item) !== undefined)) lines.push(`no watts  ${whyNoPower(document)}`);
  return lines.map(line => wrap(line, width));
}

/** One line per reason: without a GPU all twenty cases of a GPU suite have the same one. */
function unmeasuredWhy(document: ResultDocument): { status: CaseResult['status']; why: string; cases: string[] }[] {
  const groups = new Map<string, { status: CaseResult['status']; why: string; cases: string[] }>();
  for (const item of document.cases) {
    if (item.status === 'measured') continue;
    const why = sentences(item.reason, item.remedy);
    const group = groups.get(`${item.status} ${why}`) ?? { status: item.status, why, cases: [] };
    groups.set(`${item.status} ${why}`, group);
    group.cases.push(caseLabel(item));
  }
  return [...groups.values()];
}

/** The message is the first case's own: its figures are not those of the others. */
function whichCases([first, ...others]: readonly string[]): string {
  if (first === undefined) return '';
  return others.length === 0 ? `${first}: ` : `${others.length + 1} cases, first ${first}: `;
}

/** One line per code: the same warning at twenty cases is one thing to do. */
function groupedWarnings(document: ResultDocument): { warning: Warning; cases: string[] }[] {
  const groups = new Map<string, { warning: Warning; cases: string[] }>();
  for (const warning of document.warnings) groups.set(warning.code, { warning, cases: [] });
  for (const item of document.cases) {
    for (const warning of item.warnings) {
      const group = groups.get(warning.code) ?? { warning, cases: [] };
      group.cases.push(caseLabel(item));
      groups.set(warning.code, group);
    }
  }
  return [...groups.values()];
}

const WHAT_REASONS_MEAN = 'The energy of each case in the document has its reason.';

/** A sensor that was read and gave no number for a case says more than one that is not there. */
function whyNoPower({ telemetry, cases }: ResultDocument): string {
  const entries = cases.flatMap(item => item.energy).filter(entry => entry.status !== 'unavailable');
  const invalid = entries.find(entry => entry.status === 'invalid');
  if (invalid !== undefined)
    return sentences(`The sensor ${invalid.source} gives no energy: ${invalid.reason ?? ''}`, WHAT_REASONS_MEAN);
  const power = telemetry.sources.filter(source => source.unit === 'J' || source.unit === 'W');
  const denied = power.find(source => source.status === 'denied');
  const [other] = entries;
  if (denied === undefined && other !== undefined)
    return sentences(
      `No sensor of what did the work was read; ${other.source}: ${other.reason ?? ''}`,
      WHAT_REASONS_MEAN,
    );
  const shown = denied ?? power[0];
  return shown === undefined
    ? 'No power sensor was found. `aibench list sources` says what was looked for.'
    : sentences(shown.reason ?? 'No power sensor can be read.', shown.remedy);
}
