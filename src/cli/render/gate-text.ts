/** Pure: what a gate found, as text for the terminal. */
import { quantity } from '../../analysis/observations.ts';
import type { GateItem, GateResult } from '../../gate/evaluate.ts';
import type { Side } from '../../gate/judgement.ts';
import type { SelfTest, Share } from '../../gate/self-test.ts';
import { formatQuantity } from '../../units.ts';
import { caseNames } from './case-names.ts';
import { printable } from './printable.ts';
import { renderTable } from './table.ts';
import { wrap } from './wrap.ts';

const ORDER = { FAIL: 0, UNFIT: 1, INCONCLUSIVE: 2, PASS: 3 } as const;

const WIDTH = 80;
/** Checks named in one remark. */
const LISTED = 6;

export function gateText(result: GateResult): string {
  const items = [...result.items].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  const names = caseNames(items.map(item => item.case));
  const table = renderTable({
    columns: [
      { header: 'verdict' },
      { header: 'rule', maxWidth: 22 },
      { header: 'case', shrink: true },
      { header: 'found', align: 'right' },
      { header: 'limit', align: 'right' },
    ],
    rows: items.map(item => [
      verdictText(item),
      item.level === 'warn' ? `(warn) ${item.rule}` : item.rule,
      names.get(item.case) ?? printable(item.case),
      foundText(item),
      limitText(item),
    ]),
  });
  const remarks = remarksOf(items, names);
  return `${headText(result)}\n\n${table}${remarks.length === 0 ? '' : `\n${remarks.join('\n')}\n`}`;
}

function headText({ verdict, headline, claim }: GateResult): string {
  return wrap(`${verdict}: ${headline}. Claim: ${claim}.`, WIDTH);
}

/** What did not pass and why; the same reason at many checks is said once. */
function remarksOf(items: readonly GateItem[], names: ReadonlyMap<string, string>): string[] {
  const groups = new Map<string, { verdict: string; reason: string; checks: string[] }>();
  for (const item of items) {
    if (item.verdict === 'PASS') continue;
    const reason = reasonText(item);
    const key = `${item.verdict} ${reason}`;
    const group = groups.get(key) ?? { verdict: item.verdict, reason, checks: [] };
    group.checks.push(`${item.rule} on ${names.get(item.case) ?? item.case}`);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ verdict, reason, checks }) => {
    const more = checks.length > LISTED ? ` and ${checks.length - LISTED} more` : '';
    return wrap(printable(`${verdict} ${checks.slice(0, LISTED).join('; ')}${more}: ${reason}`), WIDTH);
  });
}

function verdictText(item: GateItem): string {
  return item.weak ? `${item.verdict}, weak` : item.verdict;
}

/** The reason, with what would decide. */
function reasonText(item: GateItem): string {
  const needed = item.launchesNeeded;
  const sides = item.baseline === null ? '' : ' a side';
  const more = needed === null ? '' : `; about ${needed} ${plural(item.unit)}${sides} would probably decide`;
  const notes = item.notes.length === 0 ? '' : ` (${item.notes.join('; ')})`;
  return `${item.reason}${more}${notes}`;
}

function foundText({ estimate }: GateItem): string {
  if (estimate === null) return '–';
  if (estimate.unit === 'ratio') return `${ratio(estimate.value)} [${estimate.interval.map(ratio).join('..')}]`;
  const half = (estimate.interval[1] - estimate.interval[0]) / 2 / estimate.value;
  return `${valueText(estimate.value, estimate.unit)} ±${(100 * half).toFixed(1)}%`;
}

function limitText({ threshold, estimate }: GateItem): string {
  if (threshold === null) return '–';
  const unit = estimate?.unit ?? 'ratio';
  return threshold.map(value => (unit === 'ratio' ? ratio(value) : valueText(value, unit))).join('..');
}

/** A tenth of a per cent: finer than any margin that noise lets anyone decide. */
function ratio(value: number): string {
  return value.toFixed(3);
}

function valueText(value: number, unit: string): string {
  return unit === '1' ? `${(100 * value).toFixed(1)}%` : formatQuantity(value, unit);
}

const EXPLAIN_INDENT = ' '.repeat(14);

/** Everything that a verdict rests on, item by item. */
export function explainText(result: GateResult, reasons: ReadonlyMap<string, string>): string {
  const blocks = result.items.map(item => {
    const lines = [
      `${item.verdict}  ${item.rule}  (${item.kind} on ${item.quantity}, level ${item.level})`,
      `  case        ${item.case}`,
      `  why a rule  ${reasons.get(item.rule) ?? ''}`,
      `  finding     ${reasonText(item)}`,
    ];
    if (item.baseline !== null) lines.push(`  baseline    ${sideText(item.baseline, item)}`);
    if (item.candidate !== null) lines.push(`  candidate   ${sideText(item.candidate, item)}`);
    if (item.estimate !== null) {
      const percent = Number((100 * item.estimate.confidence).toPrecision(4));
      lines.push(`  estimate    ${foundText(item)}, interval of ${percent} %: each end is a one-sided bound`);
      lines.push(`  held to     ${limitText(item)}`);
    }
    if (item.pFail !== null)
      lines.push(
        `  p           ${item.pFail.toPrecision(3)} alone, ${item.pFailCorrected?.toPrecision(3) ?? '–'} corrected (Holm)`,
      );
    return `${lines.map(line => wrap(printable(line), WIDTH, EXPLAIN_INDENT)).join('\n')}\n`;
  });
  return `${headText(result)}\n\n${blocks.join('\n')}`;
}

function sideText(side: Side, { unit, quantity: name }: GateItem): string {
  const spread = side.spread === null ? 'spread unknown' : `spread ${(100 * side.spread).toFixed(2)} %`;
  const origin = `${counted(side.launches, 'launch')}, ${counted(side.runs, 'run')}, ${counted(side.nodes, 'machine')}`;
  const measure = quantity(name)?.unit;
  const value = measure === undefined ? side.value.toPrecision(5) : valueText(side.value, measure);
  return `${value} from ${counted(side.units, unit ?? 'launch')} (${origin}), ${spread}`;
}

function counted(count: number, name: string): string {
  return `${count} ${count === 1 ? name : pluralOf(name)}`;
}

function pluralOf(name: string): string {
  return name === 'launch' ? 'launches' : `${name}s`;
}

function plural(unit: GateItem['unit']): string {
  return pluralOf(unit ?? 'launch');
}

export function selfTestText(test: SelfTest): string {
  const rows = test.rules.flatMap(({ rule, identical, seeded }) => [
    [rule, 'nothing', shareText(identical.fail), shareText(identical.pass)],
    ...seeded.map(({ change, fail, pass }) => [
      '',
      `${change < 0 ? 'slowed' : 'sped up'} by ${Number((100 * Math.abs(change)).toPrecision(4))} %`,
      shareText(fail),
      shareText(pass),
    ]),
  ]);
  const table = renderTable({
    columns: [
      { header: 'rule', maxWidth: 22 },
      { header: 'what was done' },
      { header: 'FAIL', align: 'right' },
      { header: 'PASS', align: 'right' },
    ],
    rows,
  });
  const lines = [
    `Whole gate, nothing done: FAIL ${shareText(test.gate.fail)}, PASS ${shareText(test.gate.pass)}.`,
    ...test.untested.map(({ rule, reason }) => `not tested: ${rule}: ${reason}`),
    'Shares with Clopper-Pearson bounds of 95 %. Splits of the same launches overlap: the bounds are those of the simulation, not of the machine. A rule better_by is right to FAIL where nothing was done.',
  ];
  const head = `Self-test of ${test.policy}: ${test.repeats} splits, ${test.launchesPerSide} launches a side at least, seed ${test.seed}.`;
  return `${wrap(head, WIDTH)}\n\n${table}\n${lines.map(line => `${wrap(printable(line), WIDTH)}\n`).join('')}`;
}

function shareText({ share, interval }: Share): string {
  const percent = (value: number): string => `${(100 * value).toFixed(1)}`;
  return Number.isNaN(share) ? '–' : `${percent(share)}% [${percent(interval[0])}..${percent(interval[1])}]`;
}
