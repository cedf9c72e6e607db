/** A row of block characters for a series of numbers. Pure. */

const BLOCKS = '▁▂▃▄▅▆▇█';

/** The last `width` values, scaled between their least and greatest; a gap for null; the middle block where all are equal. */
export function sparkline(values: readonly (number | null)[], width: number): string {
  const shown = values.slice(-width);
  const known = shown.filter((value): value is number => value !== null);
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const blocks = shown.map(value => {
    if (value === null) return ' ';
    const share = high > low ? (value - low) / (high - low) : 0.5;
    return BLOCKS[Math.min(BLOCKS.length - 1, Math.floor(share * BLOCKS.length))] ?? ' ';
  });
  return blocks.join('').padStart(width);
}
