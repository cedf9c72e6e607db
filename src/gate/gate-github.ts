/** Pure: workflow commands that GitHub shows as annotations. Its limits: ten errors and ten warnings a step. */
import type { GateItem, GateResult } from './evaluate.ts';

const MOST_OF_A_KIND = 10;
const MOST_CHARACTERS = 4000;

export function gateAnnotations(result: GateResult): string {
  const errors = result.items.filter(item => item.level === 'error' && item.verdict === 'FAIL');
  const warnings = result.items.filter(item => !errors.includes(item) && item.verdict !== 'PASS');
  const lines = [...commands('error', errors), ...commands('warning', warnings)];
  if (result.verdict === 'PASS') lines.push(`::notice title=aibench gate::${escapeData(`PASS: ${result.headline}`)}`);
  return lines.map(line => `${line}\n`).join('');
}

/** The last place of ten tells how many there are beyond. */
function commands(kind: 'error' | 'warning', items: readonly GateItem[]): string[] {
  const fits = items.length <= MOST_OF_A_KIND;
  const shown = fits ? items : items.slice(0, MOST_OF_A_KIND - 1);
  const lines = shown.map(item => {
    const title = escapeProperty(`${item.verdict} ${item.rule}`);
    return `::${kind} title=${title}::${escapeData(`${item.case}: ${item.reason}`.slice(0, MOST_CHARACTERS))}`;
  });
  if (!fits) lines.push(`::${kind} title=aibench gate::${items.length - shown.length} more; see the job summary`);
  return lines;
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A');
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C');
}
