/** What `aibench sign` does. */
import { AibenchError } from '../../errors.ts';
import { verifyDocument } from '../../evidence/verify.ts';
import { readDocument } from '../../results/read.ts';
import { readPrivateKey, signDocument, writeKeyPair } from '../../results/sign.ts';
import { writeOutput } from '../write-output.ts';
import type { SignFlags } from './sign.ts';

export function signAction(file: string | undefined, flags: SignFlags): void {
  if (flags.generateKey !== undefined) {
    const key = writeKeyPair(flags.generateKey);
    process.stdout.write(`${key}\n`);
    process.stderr.write(`Wrote ${flags.generateKey} (private, mode 600) and ${flags.generateKey}.pub.\n`);
    if (file === undefined) return;
  }
  const keyFile = flags.key ?? flags.generateKey;
  if (file === undefined || keyFile === undefined) {
    throw new AibenchError('USAGE', 'A document and a key are needed.', 'aibench sign --key lab.key result.json');
  }
  const key = readPrivateKey(keyFile);
  const document = readDocument(file);
  const { seal, mismatches } = verifyDocument(document);
  const other = mismatches.find(({ where }) => where !== 'seal.signature');
  if (seal !== 'intact' || other !== undefined) {
    const fact = other === undefined ? `its seal is ${seal}` : `${other.where}: ${other.what}`;
    throw new AibenchError(
      'SIGN_REFUSED',
      `${file} is not signed, since it does not hold: ${fact}.`,
      'Sign the file as `aibench run` wrote it.',
    );
  }
  writeOutput(flags.output ?? file, `${JSON.stringify(signDocument(document, key))}\n`);
}
