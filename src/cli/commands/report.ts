/** `aibench report`: one self-contained page. */
import type { Command } from 'commander';

export interface ReportFlags {
  output: string;
}

export function register(program: Command): void {
  program
    .command('report')
    .description('write one self-contained HTML page')
    .argument('<documents...>', 'result documents')
    .requiredOption('-o, --output <file>', 'the page')
    .addHelpText('after', '\nExample:\n  aibench report result.json -o page.html')
    .action(async (documents: string[], flags: ReportFlags) => {
      const { reportAction } = await import('./report-action.ts');
      reportAction(documents, flags);
    });
}
