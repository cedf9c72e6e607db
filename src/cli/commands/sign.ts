/** `aibench sign`: Ed25519 signatures of sealed documents. */
import type { Command } from 'commander';

export interface SignFlags {
  key?: string;
  generateKey?: string;
  output?: string;
}

export function register(program: Command): void {
  program
    .command('sign')
    .description('sign a sealed document with an Ed25519 key')
    .argument('[document]', 'a result document with an intact seal')
    .option('--key <file>', 'private key (PEM, readable by you alone)')
    .option('--generate-key <file>', 'make a new key pair: <file> and <file>.pub')
    .option('-o, --output <file>', 'where to write it (default: in place)')
    .addHelpText(
      'after',
      `
Examples:
  aibench sign --generate-key lab.key
  aibench sign --key lab.key result.json -o signed.json`,
    )
    .action(async (document: string | undefined, flags: SignFlags) => {
      const { signAction } = await import('./sign-action.ts');
      signAction(document, flags);
    });
}
