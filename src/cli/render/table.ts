/** Tables for the terminal: plain text, columns padded to the width that a terminal gives their characters. */

export interface Column {
  header: string;
  align?: 'left' | 'right';
  /** Longer cells are shortened in the middle. */
  maxWidth?: number;
  /** The column that gives way when the table is wider than `maxWidth`; default: the widest left-aligned one. */
  shrink?: boolean;
}

export interface Table {
  columns: readonly Column[];
  rows: readonly (readonly string[])[];
  /** Width to fit into; default 80. Columns never shrink below MINIMUM. */
  maxWidth?: number;
}

const GAP = '  ';
const MINIMUM = 8;

/** Lines without trailing blanks, header first, ending in a newline. An empty table is its header. */
export function renderTable({ columns, rows, maxWidth = 80 }: Table): string {
  const widths = columns.map((column, index) =>
    Math.min(
      column.maxWidth ?? Number.POSITIVE_INFINITY,
      Math.max(displayWidth(column.header), ...rows.map(row => displayWidth(row[index] ?? ''))),
    ),
  );
  narrow(columns, widths, maxWidth);
  const line = (cells: readonly string[]): string =>
    columns
      .map((column, index) => pad(cells[index] ?? '', widths[index] ?? 0, column.align ?? 'left'))
      .join(GAP)
      .trimEnd();
  const rule = widths.map(width => '-'.repeat(width)).join(GAP);
  return `${[line(columns.map(column => column.header)), rule, ...rows.map(line)].join('\n')}\n`;
}

/** Takes width away, first from the columns that offer it, until the table fits or nothing can give. */
function narrow(columns: readonly Column[], widths: number[], maxWidth: number): void {
  const order = columns
    .map((column, index) => ({ index, shrink: column.shrink === true, left: column.align !== 'right' }))
    .filter(entry => entry.shrink || entry.left)
    .sort((a, b) => Number(b.shrink) - Number(a.shrink) || (widths[b.index] ?? 0) - (widths[a.index] ?? 0));
  let excess = widths.reduce((total, width) => total + width, 0) + GAP.length * (columns.length - 1) - maxWidth;
  for (const { index } of order) {
    if (excess <= 0) return;
    const width = widths[index] ?? 0;
    const given = Math.min(excess, Math.max(0, width - MINIMUM));
    widths[index] = width - given;
    excess -= given;
  }
}

function pad(text: string, width: number, align: 'left' | 'right'): string {
  const shown = displayWidth(text) > width ? shorten(text, width) : text;
  const blanks = ' '.repeat(Math.max(0, width - displayWidth(shown)));
  return align === 'right' ? blanks + shown : shown + blanks;
}

/** Cuts out the middle: the ends of a case id are what tells cases apart. Colours are dropped from a text that is cut. */
export function shorten(text: string, width: number): string {
  const characters = [...text.replace(ANSI, '')];
  if (width <= 1) return '…'.slice(0, width);
  const head: string[] = [];
  const tail: string[] = [];
  let used = 1;
  for (let left = 0, right = characters.length - 1; left <= right; ) {
    const fromHead = head.length <= tail.length;
    const character = characters[fromHead ? left : right] ?? '';
    used += characterWidth(character);
    if (used > width) break;
    if (fromHead) {
      head.push(character);
      left += 1;
    } else {
      tail.unshift(character);
      right -= 1;
    }
  }
  return `${head.join('')}…${tail.join('')}`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour sequences begin with the escape character
const ANSI = /\u001b\[[0-9;]*m/g;

/** Columns that a terminal gives the text: colour sequences and combining marks take none, East Asian wide ones two. */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text.replace(ANSI, '')) width += characterWidth(character);
  return width;
}

const COMBINING = /\p{Mark}|\u200b|\u200d|\ufe0f/u;

/** East Asian Wide and Fullwidth blocks (Unicode Standard Annex 11), and the emoji blocks that terminals draw wide. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];

function characterWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (COMBINING.test(character)) return 0;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}
