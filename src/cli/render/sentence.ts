/** Pure: facts and remedies from different rooms as whole sentences: a capital at the start, a full stop at the end. */
export function sentences(...parts: (string | undefined)[]): string {
  return parts
    .map(part => part?.trim() ?? '')
    .filter(part => part !== '')
    .map(part => `${part.charAt(0).toUpperCase()}${part.slice(1)}${/[.!?]$/.test(part) ? '' : '.'}`)
    .join(' ');
}
