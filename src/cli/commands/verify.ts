/** `aibench verify`: do documents hold together? */
import type { Command } from 'commander';

export interface VerifyFlags {
  key?: string[];
  requireSignature?: boolean;
  json?: boolean;
}

const repeat = (value: string, previous: string[] = []): string[] => [...previous, value];

export function register(program: Command): void {
  program
    .command('verify')
    .description('check seal and signature, and work out every summary again')
    .argument('<documents...>', 'result documents')
    .option('--key <file>', 'public key that must have signed them (repeat: one of these)', repeat)
    .option('--require-signature', 'a document without a signature does not hold')
    .option('--json', 'print JSON alone')
    .addHelpText(
      'after',
      `
Examples:
  aibench verify result.json
  aibench verify --key vendor.pub delivery/*.json

A file that is no document is named with its reason, and the others are still checked.
Exit codes: 0 all hold; 1 something does not; 2 a file is no document.
A seal proves that nothing changed since; only a signature proves who wrote it.`,
    )
    .action(async (documents: string[], flags: VerifyFlags) => {
      const { verifyAction } = await import('./verify-action.ts');
      verifyAction(documents, flags);
    });
}
