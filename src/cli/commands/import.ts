/** `aibench import`: other tools' output as result documents. */
import type { Command } from 'commander';

export interface ImportFlags {
  format?: string;
  output?: string;
  label?: string;
}

export function register(program: Command): void {
  program
    .command('import')
    .description("turn another tool's output into a result document, with its provenance")
    .argument('[files...]', 'what the tool wrote; several files of one tool are several launches')
    .option('-f, --format <name>', 'the tool; without a file the known ones are listed')
    .option('-o, --output <file>', 'where to write the document (default: standard output)')
    .option('--label <text>', 'name of the machine that it came from')
    .addHelpText(
      'after',
      `
Examples:
  aibench import
  aibench import --format nccl-tests all_reduce.log --label dgx-7 -o dgx-7.json
  aibench import --format hyperfine bench.json -o bench.result.json

The document says what was imported and holds its digest. What the tool did not record stays empty: it is never guessed.`,
    )
    .action(async (files: string[], flags: ImportFlags) => {
      const { importAction } = await import('./import-action.ts');
      importAction(files, flags);
    });
}
