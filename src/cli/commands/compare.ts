/** `aibench compare`: what changed between documents, and which node of a fleet is odd. */
import type { Command } from 'commander';
import { AibenchError } from '../../errors.ts';

export interface CompareFlags {
  fleet?: boolean;
  confidence: string;
  metric?: string[];
  allMetrics?: boolean;
  by: string;
  sort: string;
  only?: string;
  margin: string;
  json?: boolean;
  markdown?: boolean;
}

const repeat = (value: string, previous: string[] = []): string[] => [...previous, value];

/** Documents below which compiling the schema takes longer than it saves. */
const FEW = 10;

export function register(program: Command): void {
  program
    .command('compare')
    .description('compare result documents: ratios with intervals, and what may be said of them')
    .argument('<documents...>', 'the first is the baseline of all others; with --fleet all are equal')
    .option('--fleet', 'look for the odd node among many like machines')
    .option('--metric <name>', 'compare this metric (repeat for more); default: the headline of each case', repeat)
    .option('--all-metrics', 'compare every metric that both have')
    .option('--by <group>', 'group rows by case or metric', 'case')
    .option('--sort <order>', 'order rows by case, ratio or p', 'case')
    .option('--only <rows>', 'changed: leave out rows where no difference was shown')
    .option('--confidence <share>', 'of the intervals', '95%')
    .option('--margin <share>', 'with --fleet: less than this below the median is never called slow', '3%')
    .option('--json', 'print JSON alone')
    .option('--markdown', 'print Markdown')
    .addHelpText(
      'after',
      `
Examples:
  aibench compare before.json after.json
  aibench compare before.json after.json --only changed --sort ratio
  aibench compare base.json a.json b.json --all-metrics --markdown > report.md
  aibench compare --fleet results/*.json --margin 5%

A difference is marked only where it stands after correction for the number of rows. To decide with an exit code,
write a policy: aibench gate --help.`,
    )
    .action(async (documents: string[], flags: CompareFlags) => {
      if (flags.json === true && flags.markdown === true)
        throw new AibenchError('USAGE', '--json and --markdown exclude each other.', 'Give one of them.');
      if (flags.fleet === true) (await import('./compare-fleet-action.ts')).compareFleet(documents, flags);
      else {
        if (documents.length <= FEW) await import('../../config/interpreted-schemas.ts');
        (await import('./compare-action.ts')).comparePairs(documents, flags);
      }
    });
}
