/** Values as policies write them: `5%`, `200 GFLOP/s`, `10 ms`, `0.40 USD/Mtok`. Pure. */

/** `5%` or `0.5 %` as a share; null for anything else. A bare number is refused: nobody knows whether 5 means 500 %. */
export function parsePercent(text: string): number | null {
  const match = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  return match?.[1] === undefined ? null : Number(match[1]) / 100;
}

const PREFIX: Record<string, number> = {
  p: 1e-12,
  n: 1e-9,
  µ: 1e-6,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
};

/**
 * `200 GFLOP/s` in `FLOP/s` is 2e11. The unit must be the quantity's own, with or without an SI prefix.
 * @returns null where the text is no number with that unit.
 */
export function parseQuantity(text: string, unit: string): number | null {
  if (unit === '1') return parsePercent(text);
  const match = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d{1,3})?)\s*(\S+)$/.exec(text.trim());
  if (match?.[1] === undefined || match[2] === undefined || !match[2].endsWith(unit)) return null;
  const factor = PREFIX[match[2].slice(0, match[2].length - unit.length)];
  const value = factor === undefined ? Number.NaN : Number(match[1]) * factor;
  return Number.isFinite(value) && value > 0 ? value : null;
}
