/** `aibench export`: documents in the formats of others. */
import type { Command } from 'commander';

export interface ExportFlags {
  format?: string;
  output?: string;
}

export function register(program: Command): void {
  program
    .command('export')
    .description('write documents in another format: csv, junit, markdown, openmetrics, ...')
    .argument('[documents...]', 'result documents')
    .option('-f, --format <name>', 'the format; without it the known ones are listed')
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .addHelpText(
      'after',
      `
Examples:
  aibench export
  aibench export --format csv results/*.json > all.csv
  aibench export --format gobench old.json > old.txt && benchstat old.txt new.txt
  aibench export --format junit result.json -o junit.xml`,
    )
    .action(async (documents: string[], flags: ExportFlags) => {
      const { exportAction } = await import('./export-action.ts');
      exportAction(documents, flags);
    });
}
