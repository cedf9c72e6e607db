/** `aibench list`: what exists, and whether it can run here. */
import { Argument, type Command } from 'commander';
import { LISTS, type ListName } from './list-names.ts';

export function register(program: Command): void {
  program
    .command('list')
    .summary('what exists, and whether it can run here')
    .description(
      'Lists what aibench has, and for each whether it can run on this machine, with the reason and remedy where not.',
    )
    .addArgument(new Argument('[what]', 'what to list (default: everything but kernels and metrics)').choices(LISTS))
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      `
Examples:
  aibench list
  aibench list sources        sensors, and how to make the unreadable ones readable
  aibench list kernels --json`,
    )
    .action(async (what: ListName | undefined, flags: { json?: boolean }) => {
      const { list } = await import('./list-action.ts');
      process.stdout.write(await list(what, flags.json === true));
    });
}
