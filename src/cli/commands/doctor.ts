/** `aibench doctor`: is this machine fit to be measured, and what to do about each gap. */
import type { Command } from 'commander';

export function register(program: Command): void {
  program
    .command('doctor')
    .summary('is this machine fit to be measured?')
    .description(
      'Shows machine, devices, libraries, sensors and fitness for measuring, and what to do about each gap. Changes nothing.',
    )
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  aibench doctor\n  aibench doctor --json | jq .warnings\n\nExit codes: 0 fit, 3 unfit.',
    )
    .action(async (flags: { json?: boolean }) => {
      const { doctor } = await import('./doctor-action.ts');
      process.exitCode = await doctor(flags.json === true);
    });
}
