/** `aibench gate`: decides by a policy, with an exit code. Its subcommands write, explain and test policies. */
import type { Command } from 'commander';

export interface GateFlags {
  policy: string;
  baseline?: string[];
  json?: boolean;
  markdown?: string;
  junit?: string;
  github?: boolean;
  selfTest?: boolean;
  repeats: string;
}

export interface ExplainFlags {
  policy: string;
  baseline?: string[];
  rule?: string;
  case?: string;
}

export interface InitFlags {
  margin: string;
  output?: string;
}

export interface AcceptanceFlags {
  lot: string;
  defectRate: string;
  confidence: string;
  accept: string;
  tested?: string;
  failures?: string;
  json?: boolean;
}

const repeat = (value: string, previous: string[] = []): string[] => [...previous, value];

export function register(program: Command): void {
  const gate = program
    .command('gate')
    .description('decide by a policy: PASS, FAIL, INCONCLUSIVE or UNFIT')
    .argument('[candidates...]', 'documents to judge; several of one machine are its runs')
    .option('--policy <file>', 'the policy (YAML); `aibench gate init` writes one')
    .option('--baseline <file>', 'document to hold them against (repeat for more)', repeat)
    .option('--json', 'print JSON alone')
    .option('--markdown <file>', 'also write a summary in Markdown')
    .option('--junit <file>', 'also write JUnit XML')
    .option('--github', 'print annotations, and append to $GITHUB_STEP_SUMMARY')
    .option(
      '--self-test',
      'judge the policy itself: false alarms on identical halves, and what it finds of seeded regressions',
    )
    .option('--repeats <count>', 'splits of the self-test', '200')
    .addHelpText(
      'after',
      `
Examples:
  aibench gate init baseline.json --margin 5% -o policy.yaml
  aibench gate --policy policy.yaml --baseline baseline.json candidate.json
  aibench gate explain --policy policy.yaml --baseline baseline.json candidate.json
  aibench gate --self-test --policy policy.yaml --baseline baseline.json
  aibench gate acceptance --lot 1000 --defect-rate 1% --confidence 95%

Exit codes: 0 every check passes; 1 a failure is proven; 2 the policy or a document is bad; 3 undecided or unfit.
Nothing that is missing ever passes.`,
    )
    .action(async (candidates: string[], flags: GateFlags) => {
      const { gateAction } = await import('./gate-action.ts');
      gateAction(candidates, flags);
    });
  registerInit(gate);
  registerExplain(gate);
  registerAcceptance(gate);
  for (const command of gate.commands) command.exitOverride().showHelpAfterError('(--help shows what there is)');
}

function registerInit(gate: Command): void {
  gate
    .command('init')
    .description('write a commented policy for what a document holds')
    .argument('<document>', 'a result document')
    .requiredOption('--margin <share>', 'loss that you accept, such as 5%: there is no default')
    .option('-o, --output <file>', 'where to write it (default: standard output)')
    .addHelpText('after', '\nExample:\n  aibench gate init baseline.json --margin 5% -o policy.yaml')
    .action(async (document: string, flags: InitFlags) => {
      const { initAction } = await import('./gate-init-action.ts');
      initAction(document, flags);
    });
}

function registerExplain(gate: Command): void {
  gate
    .command('explain')
    .description('say why each verdict fell: the numbers, the bounds, the tests')
    .argument('<candidates...>', 'documents to judge')
    .option('--policy <file>', 'the policy')
    .option('--baseline <file>', 'document to hold them against (repeat for more)', repeat)
    .option('--rule <id>', 'only this rule')
    .option('--case <text>', 'only cases whose id contains this')
    .addHelpText('after', '\nExample:\n  aibench gate explain --policy p.yaml --baseline b.json c.json --rule gemm')
    .action(async (candidates: string[], _flags: ExplainFlags, command: Command) => {
      const { explainAction } = await import('./gate-action.ts');
      explainAction(candidates, command.optsWithGlobals<ExplainFlags>());
    });
}

function registerAcceptance(gate: Command): void {
  gate
    .command('acceptance')
    .description('how many nodes of a delivery to test, and what k failures say of all')
    .requiredOption('--lot <count>', 'nodes delivered')
    .requiredOption('--defect-rate <share>', 'share of bad nodes that must not slip through')
    .option('--confidence <share>', 'with which it must not', '95%')
    .option('--accept <count>', 'failures among the tested up to which the delivery is accepted', '0')
    .option('--tested <count>', 'nodes that were tested')
    .option('--failures <count>', 'how many of them failed')
    .option('--json', 'print JSON alone')
    .addHelpText(
      'after',
      `
Examples:
  aibench gate acceptance --lot 1000 --defect-rate 1%
  aibench gate acceptance --lot 1000 --defect-rate 1% --tested 300 --failures 2`,
    )
    .action(async (_flags: AcceptanceFlags, command: Command) => {
      const { acceptanceAction } = await import('./gate-acceptance-action.ts');
      acceptanceAction(command.optsWithGlobals<AcceptanceFlags>());
    });
}
