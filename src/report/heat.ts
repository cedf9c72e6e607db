/** How hot and how held back a case was, and under which power limit, in a few words. Pure. */
import { standsForCase } from '../analysis/energy-scope.ts';
import type { CaseEnergy, CaseResult } from '../results/schema.ts';
import { formatQuantity } from '../units.ts';

/** The entry that stands for the case: the widest valid scope of what did the work. */
export function energyOf({ energy }: CaseResult): CaseEnergy | undefined {
  return energy.find(standsForCase);
}

/** `sustained`, `81 °C`, `12.0 % throttled`, `97.3 % at the limit`; what no sensor tells is left out. */
export function heatWords({ thermal }: CaseResult): string[] {
  if (thermal === undefined) return [];
  const { maxTemperatureCelsius, throttledFraction, powerCappedFraction } = thermal;
  const share = (value: number | null, what: string): string[] =>
    value === null || value < 0.0005 ? [] : [`${shareText(value)} ${what}`];
  return [
    ...(thermal.regime === 'sustained' ? ['sustained'] : []),
    ...(maxTemperatureCelsius === null ? [] : [`${maxTemperatureCelsius.toFixed(0)} °C`]),
    ...share(throttledFraction, 'throttled'),
    ...share(powerCappedFraction, 'at the limit'),
  ];
}

/** `limit 205 W`, where each part of what the entry covers has one. */
export function limitWords(entry: CaseEnergy | undefined): string[] {
  return entry?.capWatts === undefined ? [] : [`limit ${formatQuantity(entry.capWatts, 'W')}`];
}

export function shareText(value: number): string {
  return `${(100 * value).toFixed(1)} %`;
}

/** Energy times time per unit of work, with its unit; three digits. */
export function energyDelayText(entry: CaseEnergy | undefined): string {
  const product = entry?.energyDelay;
  return product === undefined ? '–' : `${product.value.toPrecision(3)} ${product.unit}`;
}
