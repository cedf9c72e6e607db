/** Whether what a run left is right: its KV cache by the logits that it leads to, and the token that was chosen. */
import type { NamedTensors, TensorValue } from '../../../models/tensor.ts';
import type { Verification } from '../../../results/schema.ts';
import { compareOutputs, rootMeanSquare, type Tolerance, toNumbers } from '../compare.ts';
import type { Reference } from './reference.ts';
import type { RunOutcome } from './runs.ts';
import type { Text } from './sequence.ts';

export interface Check {
  text: Text;
  outcome: RunOutcome;
}

/**
 * The last token of each run's text is put in once more on the cache that the run left, and its logits are compared with the
 * reference's behind the whole text. The token that the run chose must be the reference's choice, or as near to it as the tolerance makes two logits.
 * @param alter for tests of the verification: damages an output
 */
export async function checkRuns(
  checks: readonly Check[],
  reference: Reference,
  alter: (outputs: NamedTensors, other: NamedTensors) => NamedTensors,
): Promise<Verification> {
  const expected = (await reference.logits(checks.map(({ outcome }) => outcome.held))).map(logits => ({ logits }));
  const actual: NamedTensors[] = [];
  for (const { text, outcome } of checks) {
    await text.keep(outcome.held.length - 1);
    actual.push({ logits: await text.logits(outcome.held.slice(-1)) });
  }
  const [first = {}] = actual;
  // Of a single run there is no other output: a stale one is then that of another text.
  const other = actual[1] ?? { logits: reversed(first.logits as TensorValue) };
  const outputs = [alter(first, other), ...actual.slice(1)];
  const method = `logits behind the text on the cache that the run left, ${reference.against}`;
  const compared = compareOutputs(outputs, expected, reference.tolerance);
  const shown = { ...compared, method: `${method}: ${compared.method.split(': ').at(-1)}` };
  if (!compared.passed) return shown;
  for (const [index, { outcome }] of checks.entries()) {
    const gap = choiceGap((expected[index] as { logits: TensorValue }).logits, outcome.chosen.at(-1) ?? -1);
    const allowed = 2 * bound(reference.tolerance);
    if (!(gap <= allowed)) {
      return {
        method: `the token that was chosen, ${reference.against}: highest logit less its own, over rms`,
        passed: false,
        error: Number.isFinite(gap) ? gap : null,
        tolerance: allowed,
      };
    }
  }
  return shown;
}

/** What two logits may be off together, in rms of the logits: the highest of some ten thousand is some four rms. */
function bound({ element }: Tolerance): number {
  return 5 * element;
}

/** How far below the highest logit the chosen token's is, over the root mean square. */
export function choiceGap(logits: TensorValue, chosen: number): number {
  const values = toNumbers(logits);
  const highest = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
  return (highest - (values[chosen] ?? Number.NaN)) / rootMeanSquare(values);
}

function reversed(logits: TensorValue): TensorValue {
  return { ...logits, data: Float32Array.from(logits.data as Float32Array).reverse() };
}
