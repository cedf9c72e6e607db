/** HTML as text: everything that comes from a document is escaped here, and nowhere else is markup made of it. */

/** Markup that may be put into a page as it is. */
export interface Html {
  readonly markup: string;
}

export type HtmlPart = string | number | Html | readonly Html[] | null;

/** html`<td>${value}</td>`: strings are escaped, Html is put in as it is, null is nothing. */
export function html(strings: TemplateStringsArray, ...parts: readonly HtmlPart[]): Html {
  let markup = strings[0] ?? '';
  parts.forEach((part, index) => {
    markup += partMarkup(part) + (strings[index + 1] ?? '');
  });
  return { markup };
}

function partMarkup(part: HtmlPart): string {
  if (part === null) return '';
  if (typeof part === 'number') return String(part);
  if (typeof part === 'string') return escapeHtml(part);
  if ('markup' in part) return part.markup;
  return part.map(({ markup }) => markup).join('');
}

export function escapeHtml(text: string): string {
  return text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/>/g, '&gt;')
    .replace(/"/g, '&quot;')
    .replace(/'/g, '&#39;');
}
