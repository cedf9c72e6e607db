/** The command line's outline. A command's module is light; what it needs is loaded when it runs. */
import { Command } from 'commander';
import { register as registerCompare } from './commands/compare.ts';
import { register as registerDoctor } from './commands/doctor.ts';
import { register as registerExport } from './commands/export.ts';
import { register as registerGate } from './commands/gate.ts';
import { register as registerImport } from './commands/import.ts';
import { register as registerList } from './commands/list.ts';
import { register as registerMonitor } from './commands/monitor.ts';
import { register as registerReport } from './commands/report.ts';
import { register as registerRun } from './commands/run.ts';
import { register as registerSign } from './commands/sign.ts';
import { register as registerTune } from './commands/tune.ts';
import { register as registerVerify } from './commands/verify.ts';
import { packageVersion } from './version.ts';

export function createProgram(): Command {
  const program = new Command('aibench')
    .description(
      'Benchmarks the machines that AI runs on: compute, memory, collectives and inference, with energy and proof.',
    )
    .version(packageVersion(), '-V, --version')
    .showHelpAfterError('(--help shows what there is)')
    .showSuggestionAfterError()
    .exitOverride()
    .addHelpText(
      'after',
      `
Examples:
  aibench run                         the quick suite: a table, and a document beside it
  aibench run node -o node.json       ten minutes, for a number to keep
  aibench doctor                      is this machine fit to be measured?
  aibench compare old.json new.json   what changed, and is it real?
  aibench gate --policy p.yaml new.json   decide, with an exit code for CI

Exit codes: 0 fine, 1 a case or a gate failed, 2 wrong input, 3 nothing measured or undecided, 4 our defect.`,
    );
  for (const register of [
    registerRun,
    registerList,
    registerDoctor,
    registerTune,
    registerMonitor,
    registerCompare,
    registerGate,
    registerReport,
    registerExport,
    registerImport,
    registerVerify,
    registerSign,
  ]) {
    register(program);
  }
  // Subcommands made above do not inherit this.
  for (const command of program.commands) command.exitOverride().showHelpAfterError('(--help shows what there is)');
  return program;
}
