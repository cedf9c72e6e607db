/** Entry of the command line: parses argv, runs a command, turns whatever is thrown into one sentence and an exit code. */
import { CommanderError } from 'commander';
import { AibenchError, AibenchErrors, EXIT, messageOf } from '../errors.ts';
import { createProgram } from './program.ts';

// `aibench list | head` closes our standard output early: that is no error.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.ok);
  process.exit(report(error));
});
// Nobody may be reading the progress any more (`aibench run 2>&1 | head`): the run goes on without it.
process.stderr.on('error', () => {});

try {
  await createProgram().parseAsync(process.argv);
} catch (error) {
  process.exitCode = report(error);
}

function report(error: unknown): number {
  if (error instanceof AibenchErrors) {
    const list = error.lines.map(line => `  - ${line}\n`).join('');
    console.error(
      `aibench: ${error.errors.length} of the files cannot be used:\n${list}  ${error.remedy} [${error.code}]`,
    );
    return error.exitCode;
  }
  if (error instanceof AibenchError) {
    console.error(`aibench: ${error.message}\n  ${error.remedy} [${error.code}]`);
    return error.exitCode;
  }
  // Commander has printed its own sentence; --help and --version are not errors.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const { code, syscall } = (error ?? {}) as NodeJS.ErrnoException;
  // Standard output is a file on a full disk; other files have their own sentence (results/write.ts).
  if (syscall === 'write' && (code === 'ENOSPC' || code === 'EDQUOT')) {
    console.error(
      'aibench: The output cannot be written: the disk is full.\n  Free space, or send it elsewhere. [OUTPUT_UNWRITABLE]',
    );
    return EXIT.usage;
  }
  console.error(
    `aibench: ${messageOf(error)}\n  This is a defect of aibench; please report it with the command that you ran. [INTERNAL]`,
  );
  if (process.env.AIBENCH_DEBUG !== undefined && error instanceof Error) console.error(error.stack);
  return EXIT.internal;
}
