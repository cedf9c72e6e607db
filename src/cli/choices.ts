/** Values of flags, read strictly. */
import { nearest } from '../config/nearest.ts';
import { AibenchError } from '../errors.ts';
import { parsePercent } from '../gate/quantity-text.ts';

/** @throws AibenchError USAGE, exit 2, with the nearest known value. */
export function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find(candidate => candidate === value);
  if (found !== undefined) return found;
  const guess = nearest(value, known);
  const hint = guess === null ? '.' : `; did you mean \`${guess}\`?`;
  throw new AibenchError('USAGE', `${flag} cannot be \`${value}\`${hint}`, `It is one of ${known.join(', ')}.`);
}

/** A share between 0 and 1, written as `5%`. */
export function share(flag: string, text: string): number {
  const value = parsePercent(text);
  if (value !== null && value > 0 && value < 1) return value;
  throw new AibenchError(
    'USAGE',
    `${flag} cannot be \`${text}\`.`,
    'Write a percentage between 0 and 100, such as 5%.',
  );
}

export function wholeNumber(flag: string, text: string, least: number, most: number): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new AibenchError('USAGE', `${flag} cannot be \`${text}\`.`, `Write a whole number from ${least} to ${most}.`);
}
