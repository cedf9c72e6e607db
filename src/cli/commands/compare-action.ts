/** What `aibench compare` does with pairs; fleets are in compare-fleet-action.ts. */
import { type Comparison, compareDocuments } from '../../analysis/compare.ts';
import { METRICS } from '../../analysis/metrics.ts';
import { LIMIT_FRACTION } from '../../analysis/observations.ts';
import { AibenchError } from '../../errors.ts';
import { oneOf, share } from '../choices.ts';
import { readDocuments, sealNotes } from '../documents.ts';
import { comparisonMarkdown } from '../render/compare-markdown.ts';
import { arrangeRows, comparisonText } from '../render/compare-text.ts';
import type { CompareFlags } from './compare.ts';

export interface NamedComparison extends Comparison {
  baseline: string;
  candidate: string;
  /** How the rows are grouped. */
  by: 'case' | 'metric';
}

export function comparePairs(files: readonly string[], flags: CompareFlags): void {
  const confidence = share('--confidence', flags.confidence);
  const arrangement = {
    by: oneOf('--by', flags.by, ['case', 'metric'] as const),
    sort: oneOf('--sort', flags.sort, ['case', 'ratio', 'p'] as const),
    onlyChanged: flags.only !== undefined && oneOf('--only', flags.only, ['changed'] as const) === 'changed',
  };
  const known = [...METRICS.map(metric => metric.name), LIMIT_FRACTION];
  const named = flags.metric?.map(name => oneOf('--metric', name, known));
  if (files.length < 2)
    throw new AibenchError('USAGE', 'There is nothing to compare with: one document was given.', 'Name two or more.');
  const [baseline, ...candidates] = readDocuments(files);
  if (baseline === undefined) return;
  const seals = sealNotes(files, [baseline, ...candidates]);
  const comparisons = candidates.map((candidate, index): NamedComparison => {
    const metrics = named ?? (flags.allMetrics === true ? 'all' : 'headline');
    const comparison = compareDocuments([baseline], [candidate], { confidence, metrics });
    return {
      baseline: files[0] ?? '',
      candidate: files[index + 1] ?? '',
      by: arrangement.by,
      ...comparison,
      rows: arrangeRows(comparison.rows, arrangement),
      notes: [...seals, ...comparison.notes],
    };
  });
  if (flags.json === true)
    process.stdout.write(`${JSON.stringify({ schema: 'aibench.comparison/1', comparisons }, null, 2)}\n`);
  else
    process.stdout.write(comparisons.map(flags.markdown === true ? comparisonMarkdown : comparisonText).join('\n\n'));
}
