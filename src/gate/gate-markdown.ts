/** Pure: what a gate found, as Markdown; also the job summary of GitHub, which takes at most 1 MiB. */
import { escapeMarkdown, markdownTable } from '../report/markdown-table.ts';
import type { GateItem, GateResult } from './evaluate.ts';

/** GitHub's limit of a step summary, with room for what other steps wrote. */
export const SUMMARY_LIMIT_BYTES = 900 * 1024;

/** Rows are dropped from the end, passes first, until the text fits `limit` bytes; how many is said. */
export function gateMarkdown(result: GateResult, limit = Number.POSITIVE_INFINITY): string {
  const order = { FAIL: 0, UNFIT: 1, INCONCLUSIVE: 2, PASS: 3 } as const;
  const items = [...result.items].sort((a, b) => order[a.verdict] - order[b.verdict]);
  let shown = items.length;
  let text = render(result, items, shown);
  while (Buffer.byteLength(text) > limit && shown > 0) {
    shown = Math.floor(shown * Math.min(0.9, limit / Buffer.byteLength(text)));
    text = render(result, items, shown);
  }
  return text;
}

function render({ verdict, headline, claim }: GateResult, items: readonly GateItem[], shown: number): string {
  const parts = [
    `## ${verdict}: ${escapeMarkdown(headline)}`,
    `Claim: ${claim}.`,
    markdownTable(
      ['verdict', 'level', 'rule', 'case', 'ratio or value', 'interval', 'reason'],
      items
        .slice(0, shown)
        .map(item => [
          item.verdict,
          item.level,
          item.rule,
          item.case,
          item.estimate === null ? '–' : `${item.estimate.value.toPrecision(4)} ${unitText(item)}`,
          item.estimate === null ? '–' : item.estimate.interval.map(end => end.toPrecision(4)).join('..'),
          item.reason,
        ]),
    ),
  ];
  if (shown < items.length) parts.push(`${items.length - shown} more rows do not fit here; \`--json\` has them.`);
  return `${parts.join('\n\n')}\n`;
}

function unitText({ estimate }: GateItem): string {
  return estimate === null || estimate.unit === 'ratio' || estimate.unit === '1' ? '' : estimate.unit;
}
