/** `aibench tune`: measures the collective algorithms here, for `algorithm: auto`. */
import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('tune')
    .summary('choose collective algorithms by measuring them here')
    .description(
      'Measures every algorithm of each collective on this machine and keeps a table of the fastest by size in the cache folder. `algorithm: auto` then goes by it, and the result says so.',
    )
    .option('--collective <name>', 'only this one; may be repeated', (value: string, all: string[] = []) => [
      ...all,
      value,
    ])
    .option('--clear', 'remove the table: the built-in one is used again')
    .option('--json', 'print the table as JSON')
    .addHelpText(
      'after',
      `
Examples:
  aibench tune                          all collectives, some two minutes
  aibench tune --collective allreduce
  aibench tune --clear`,
    )
    .action(async (flags: { collective?: string[]; clear?: boolean; json?: boolean }) => {
      const { tune } = await import('./tune-action.ts');
      process.exitCode = await tune(flags);
    });
}
