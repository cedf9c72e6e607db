/** `aibench run`: the main job. The walk itself is in runner/run-suite.ts. */
import { type Command, InvalidArgumentError } from 'commander';
import type { RunFlags } from './run-flags.ts';

const repeat = (value: string, previous: string[] = []): string[] => [...previous, value];

function wholeNumber(least: number) {
  return (text: string): number => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > 2 ** 32 - 1)
      throw new InvalidArgumentError(`It must be a whole number from ${least} on.`);
    return value;
  };
}

export function register(program: Command): void {
  program
    .command('run')
    .summary('run a suite: a table, and a result document')
    .description('Runs a suite on this machine, shows progress, prints a table and writes the result document.')
    .argument('[suite]', 'a suite of ours by name, or a YAML file', 'quick')
    .option('-o, --output <file>', 'where the document goes (default: aibench-<suite>-<time>.json here)')
    .option('--filter <pattern>', 'only cases whose id holds this text; * stands for anything; may be repeated', repeat)
    .option('--dry-run', 'print the cases and the expected time, and stop')
    .option('--launches <n>', 'launches of each case: separate processes, the unit of statistics', wholeNumber(1))
    .option('--seed <n>', 'seed of inputs and order (default: random, and recorded)', wholeNumber(0))
    .option('--model <file.onnx>', 'add an inference case for your own model; may be repeated', repeat)
    .option(
      '--set <key=value>',
      'change the suite: launches, idleSeconds, observerPairs, timing.<key>, params.<key>; may be repeated',
      repeat,
    )
    .option('--label <text>', 'a name for this machine in the document')
    .option(
      '--cool-to <celsius>',
      'before each launch wait, at most 5 minutes, until the hottest processor or GPU is no warmer',
      wholeNumber(1),
    )
    .option(
      '--rated-watts <w>',
      'add estimates from this rated power and the load to the document; they are no measurements',
      wholeNumber(1),
    )
    .option('--json', 'print the document instead of the table')
    .option('-q, --quiet', 'no progress')
    .addHelpText(
      'after',
      `
Examples:
  aibench run                                   the quick suite, under 90 s
  aibench run node -o node.json                 ten minutes, tighter intervals
  aibench run --filter 'gemm/*f32*' --launches 10
  aibench run --model my.onnx --filter my.onnx --set params.batch=8
  aibench run suites/node.yaml --dry-run        what would run, and for how long
  aibench run smoke --json | jq '.cases[].metrics'

Ctrl-C ends the launch in hand, keeps what is measured and exits 130.
Exit codes: 0 fine, 1 a case failed, 2 wrong flags or suite, 3 nothing could be measured, 4 our defect.`,
    )
    .action(async (suite: string, flags: RunFlags) => {
      const { run } = await import('./run-action.ts');
      process.exitCode = await run(suite, flags);
    });
}
