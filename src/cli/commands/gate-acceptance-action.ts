/** What `aibench gate acceptance` does. */
import { acceptancePlan, conclude } from '../../analysis/acceptance.ts';
import { AibenchError } from '../../errors.ts';
import { share, wholeNumber } from '../choices.ts';
import { wrap } from '../render/wrap.ts';
import type { AcceptanceFlags } from './gate.ts';

const LARGEST_LOT = 10_000_000;

export function acceptanceAction(flags: AcceptanceFlags): void {
  const lot = wholeNumber('--lot', flags.lot, 1, LARGEST_LOT);
  const defectRate = share('--defect-rate', flags.defectRate);
  const confidence = share('--confidence', flags.confidence);
  const acceptUpTo = wholeNumber('--accept', flags.accept, 0, lot);
  if ((flags.tested === undefined) !== (flags.failures === undefined))
    throw new AibenchError('USAGE', '--tested and --failures belong together.', 'Give both, or neither.');
  const plan = acceptancePlan(lot, defectRate, confidence, acceptUpTo);
  if (plan === null) {
    throw new AibenchError(
      'USAGE',
      `${flags.defectRate} of ${lot} nodes is no more than the ${acceptUpTo} failures that are accepted: no sample can tell.`,
      'Accept fewer failures, or state a higher defect rate.',
    );
  }
  const tested = flags.tested === undefined ? null : wholeNumber('--tested', flags.tested, 1, lot);
  const failures = flags.failures === undefined ? null : wholeNumber('--failures', flags.failures, 0, tested ?? lot);
  const conclusion = tested === null || failures === null ? null : conclude(lot, tested, failures, confidence);
  const accepted = conclusion === null ? null : conclusion.mostDefectRate < defectRate;
  if (flags.json === true) {
    process.stdout.write(
      `${JSON.stringify({ schema: 'aibench.acceptance/1', plan, conclusion, accepted }, null, 2)}\n`,
    );
    return;
  }
  const percent = (value: number): string => `${Number((100 * value).toPrecision(3))} %`;
  const lines = [
    `Test ${plan.sample} of ${lot} nodes, chosen at random; accept with ${acceptUpTo === 0 ? 'no failure' : `at most ${acceptUpTo} failure${acceptUpTo === 1 ? '' : 's'}`}.`,
    `A delivery with ${percent(defectRate)} bad nodes then passes with a chance of ${percent(plan.consumerRisk)}.`,
  ];
  if (conclusion !== null) {
    lines.push(
      `${conclusion.failures} of ${conclusion.tested} failed: with ${percent(confidence)} confidence at most ${conclusion.mostDefects} of ${lot} nodes (${percent(conclusion.mostDefectRate)}) are bad.`,
      `That ${accepted === true ? 'rules out' : 'does not rule out'} ${percent(defectRate)}: ${accepted === true ? 'accept' : 'do not accept'}.`,
    );
  }
  process.stdout.write(`${lines.map(line => wrap(line, 80)).join('\n')}\n`);
}
