/** Pure: what a table says of whether a case's numbers may be used. */
import type { CaseResult } from '../results/schema.ts';

/** `measured`, or why not, with the codes of the case's warnings. */
export function statusWords({ status, reason, warnings }: CaseResult): string {
  const codes = [...new Set(warnings.map(({ code }) => code))].join(', ');
  const said = status === 'measured' || reason === undefined ? status : `${status}: ${reason}`;
  return codes === '' ? said : `${said} (${codes})`;
}
