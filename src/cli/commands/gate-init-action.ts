/** What `aibench gate init` does. */
import { AibenchError } from '../../errors.ts';
import { initialPolicy } from '../../gate/init.ts';
import { parsePolicy } from '../../gate/load.ts';
import { readDocument } from '../../results/read.ts';
import { share } from '../choices.ts';
import { writeOutput } from '../write-output.ts';
import type { InitFlags } from './gate.ts';

export function initAction(file: string, flags: InitFlags): void {
  share('--margin', flags.margin);
  const document = readDocument(file);
  if (!document.cases.some(({ status, headline }) => status === 'measured' && headline !== null))
    throw new AibenchError(
      'POLICY_EMPTY',
      `${file} holds no measured case to make a rule of.`,
      'Take a document of a run that measured something.',
    );
  const text = initialPolicy(document, flags.margin);
  parsePolicy(text, flags.output ?? 'policy.yaml');
  writeOutput(flags.output, text);
}
