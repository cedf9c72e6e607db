/** Pure: what a gate found, as text for the terminal. */
import type { GateItem, GateResult } from '../../gate/evaluate.ts';
import type { Side } from '../../gate/judgement.ts';
import type { SelfTest, Share } from '../../gate/self-test.ts';
import { formatQuantity } from '../../units.ts';
import { caseNames } from './case-names.ts';
import { intervalText, ratioText } from './compare-text.ts';
import { renderTable } from './table.ts';

const ORDER = { FAIL: 0, UNFIT: 1, INCONCLUSIVE: 2, PASS: 3 } as const;

export function gateText(result: GateResult): string {
  const items = [...result.items].sort((a, b) => ORDER[a.verdict] - ORDER[b.verdict]);
  const names = caseNames(items.map(item => item.case));
  const table = renderTable({
    columns: [
      { header: 'verdict' },
      { header: 'rule', maxWidth: 18 },
      { header: 'case', shrink: true },
      { header: 'found', align: 'right' },
      { header: 'limit', align: 'right' },
    ],
    rows: items.map(item => [
      verdictText(item),
      item.rule,
      names.get(item.case) ?? item.case,
      foundText(item),
      limitText(item),
    ]),
  });
  const remarks = items
    .filter(item => item.verdict !== 'PASS')
    .map(item => `${item.verdict} ${item.rule}, ${item.case}: ${reasonText(item)}\n`);
  return `${result.verdict}: ${result.headline}. Claim: ${result.claim}.\n\n${table}\n${remarks.join('')}`;
}

export function verdictText(item: GateItem): string {
  return `${item.verdict}${item.level === 'warn' ? ' (warn)' : ''}${item.weak ? ' weak' : ''}`;
}

/** The reason, with what would decide. */
export function reasonText(item: GateItem): string {
  const needed = item.launchesNeeded;
  const sides = item.baseline === null ? '' : ' a side';
  const more = needed === null ? '' : `; about ${needed} ${plural(item.unit)}${sides} would probably decide`;
  const notes = item.notes.length === 0 ? '' : ` (${item.notes.join('; ')})`;
  return `${item.reason}${more}${notes}`;
}

export function foundText({ estimate }: GateItem): string {
  if (estimate === null) return '–';
  if (estimate.unit === 'ratio') return `${ratioText(estimate.value)} [${intervalText(estimate.interval)}]`;
  const half = (estimate.interval[1] - estimate.interval[0]) / 2 / estimate.value;
  return `${valueText(estimate.value, estimate.unit)} ±${(100 * half).toFixed(1)}%`;
}

export function limitText({ threshold, estimate }: GateItem): string {
  if (threshold === null) return '–';
  const unit = estimate?.unit ?? 'ratio';
  return threshold.map(value => (unit === 'ratio' ? ratioText(value) : valueText(value, unit))).join('..');
}

function valueText(value: number, unit: string): string {
  return unit === '1' ? `${(100 * value).toFixed(1)}%` : formatQuantity(value, unit);
}

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
    return `${lines.join('\n')}\n`;
  });
  return `${result.verdict}: ${result.headline}. Claim: ${result.claim}.\n\n${blocks.join('\n')}`;
}

function sideText(side: Side, { unit }: GateItem): string {
  const spread = side.spread === null ? 'spread unknown' : `spread ${(100 * side.spread).toFixed(2)} %`;
  const origin = `${counted(side.launches, 'launch')}, ${counted(side.runs, 'run')}, ${counted(side.nodes, 'machine')}`;
  return `${side.value.toPrecision(5)} from ${counted(side.units, unit ?? 'launch')} (${origin}), ${spread}`;
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
  const rows = test.rules.flatMap(rule => [
    [rule.rule, 'nothing', shareText(rule.falseFail), shareText(rule.pass)],
    ...rule.regressions.map(({ slowedBy, fail, pass }) => [
      '',
      `slowed by ${Number((100 * slowedBy).toPrecision(4))} %`,
      shareText(fail),
      shareText(pass),
    ]),
  ]);
  const table = renderTable({
    columns: [
      { header: 'rule', maxWidth: 20 },
      { header: 'what was done' },
      { header: 'FAIL', align: 'right' },
      { header: 'PASS', align: 'right' },
    ],
    rows,
  });
  return [
    `Self-test of ${test.policy}: ${test.repeats} splits, ${test.launchesPerSide} launches a side at least, seed ${test.seed}.\n`,
    table,
    `The whole gate on identical halves: FAIL ${shareText(test.gateFail)}, PASS ${shareText(test.gatePass)}.`,
    'Shares with Clopper-Pearson bounds of 95 %. Splits of the same launches overlap: the bounds are those of the simulation,',
    'not of the machine.\n',
  ].join('\n');
}

function shareText({ share, interval }: Share): string {
  const percent = (value: number): string => `${(100 * value).toFixed(1)}`;
  return Number.isNaN(share) ? '–' : `${percent(share)}% [${percent(interval[0])}..${percent(interval[1])}]`;
}
