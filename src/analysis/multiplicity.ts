/** Corrections for judging many things at once. Both return adjusted p-values in the order given. */

/** Holm's step-down procedure (Scandinavian Journal of Statistics 6, 1979): controls the chance of any false alarm. */
export function holm(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 0;
  order.forEach((index, step) => {
    running = Math.max(running, Math.min(1, (pValues.length - step) * (pValues[index] ?? 1)));
    adjusted[index] = running;
  });
  return adjusted;
}

/**
 * Benjamini and Hochberg's step-up procedure (Journal of the Royal Statistical Society B 57, 1995): controls the expected
 * share of false alarms among the alarms.
 */
export function benjaminiHochberg(pValues: readonly number[]): number[] {
  const order = ascending(pValues);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let running = 1;
  for (let step = order.length - 1; step >= 0; step--) {
    const index = order[step] ?? 0;
    running = Math.min(running, ((pValues[index] ?? 1) * pValues.length) / (step + 1));
    adjusted[index] = running;
  }
  return adjusted;
}

function ascending(values: readonly number[]): number[] {
  return values.map((_, index) => index).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
}
