/** What `aibench verify` does. */
import { AibenchError, EXIT, type ExitCode } from '../../errors.ts';
import { type Mismatch, type Verification, verifyDocument } from '../../evidence/verify.ts';
import { readDocument } from '../../results/read.ts';
import { publicText, readPublicKey } from '../../results/sign.ts';
import type { VerifyFlags } from './verify.ts';

interface Verified extends Verification {
  file: string;
  holds: boolean;
}

/** A file that is no document: named with its sentence, so that the others are still checked. */
interface Unread {
  file: string;
  holds: false;
  error: { code: string; message: string; remedy: string };
}

/** Mismatches shown of one file; --json has all. */
const SHOWN = 20;

export function verifyAction(files: readonly string[], flags: VerifyFlags): void {
  const keys = (flags.key ?? []).map(file => publicText(readPublicKey(file)));
  const demanded = flags.requireSignature === true || keys.length > 0;
  let exitCode: ExitCode = EXIT.ok;
  const results = files.map((file): Verified | Unread => {
    try {
      const found = verifyDocument(readDocument(file));
      const mismatches = [...found.mismatches, ...demands(found, keys, demanded)];
      if (mismatches.length > 0) exitCode = worse(exitCode, EXIT.failed);
      return { file, holds: mismatches.length === 0, ...found, mismatches };
    } catch (error) {
      if (!(error instanceof AibenchError)) throw error;
      const { code, message, remedy } = error;
      exitCode = worse(exitCode, error.exitCode);
      return { file, holds: false, error: { code, message, remedy } };
    }
  });
  if (flags.json === true)
    process.stdout.write(`${JSON.stringify({ schema: 'aibench.verify/1', results }, null, 2)}\n`);
  else process.stdout.write(results.map(resultText).join(''));
  process.exitCode = exitCode;
}

function worse(a: ExitCode, b: ExitCode): ExitCode {
  return a > b ? a : b;
}

function demands({ seal, signature }: Verification, keys: readonly string[], demanded: boolean): Mismatch[] {
  const found: Mismatch[] = [];
  if (seal === 'absent') found.push({ where: 'seal', what: 'there is none: nothing shows that the document is whole' });
  if (demanded && signature.state === 'absent') found.push({ where: 'seal.signature', what: 'there is none' });
  if (keys.length > 0 && signature.state === 'good' && !keys.includes(signature.key))
    found.push({ where: 'seal.signature', what: `it is by ${signature.key}, which is none of the keys given` });
  return found;
}

function resultText(result: Verified | Unread): string {
  if ('error' in result) {
    const { code, message, remedy } = result.error;
    return `NO DOCUMENT  ${message}\n  ${remedy} [${code}]\n`;
  }
  const { file, holds, signature, recomputed, mismatches } = result;
  const signed = signature.state === 'good' ? `, signed by ${signature.key}` : '';
  const head = `${holds ? 'holds' : 'DOES NOT HOLD'}  ${file}: ${recomputed} summaries worked out again${signed}\n`;
  const lines = mismatches.slice(0, SHOWN).map(({ where, what }) => `  ${where}: ${what}\n`);
  const more = mismatches.length > SHOWN ? `  and ${mismatches.length - SHOWN} more (--json has all)\n` : '';
  return head + lines.join('') + more;
}
