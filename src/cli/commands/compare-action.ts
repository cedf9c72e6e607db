/** What `aibench compare` does. */
import { type Comparison, compareDocuments } from '../../analysis/compare.ts';
import { findOutliers } from '../../analysis/fleet.ts';
import { METRICS } from '../../analysis/metrics.ts';
import { LIMIT_FRACTION } from '../../analysis/observations.ts';
import { AibenchError } from '../../errors.ts';
import { readFleet } from '../../results/read-fleet.ts';
import { oneOf, share } from '../choices.ts';
import { readDocuments, sealNotes } from '../documents.ts';
import { comparisonMarkdown } from '../render/compare-markdown.ts';
import { arrangeRows, comparisonText } from '../render/compare-text.ts';
import { fleetMarkdown, fleetText } from '../render/fleet-text.ts';
import type { CompareFlags } from './compare.ts';

export interface NamedComparison extends Comparison {
  baseline: string;
  candidate: string;
}

/** Rate at which alarms of a fleet may be false. */
const FALSE_DISCOVERY_RATE = 0.05;

export function compareAction(files: readonly string[], flags: CompareFlags): void {
  if (flags.json === true && flags.markdown === true)
    throw new AibenchError('USAGE', '--json and --markdown exclude each other.', 'Give one of them.');
  if (flags.fleet === true) compareFleet(files, flags);
  else comparePairs(files, flags);
}

function comparePairs(files: readonly string[], flags: CompareFlags): void {
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
      ...comparison,
      rows: arrangeRows(comparison.rows, arrangement),
      notes: [...seals, ...comparison.notes],
    };
  });
  if (flags.json === true) writeJson({ schema: 'aibench.comparison/1', comparisons });
  else process.stdout.write(comparisons.map(flags.markdown === true ? comparisonMarkdown : comparisonText).join('\n'));
}

function compareFleet(files: readonly string[], flags: CompareFlags): void {
  const settings = { margin: share('--margin', flags.margin), falseDiscoveryRate: FALSE_DISCOVERY_RATE };
  const { nodes, notes } = readFleet(files);
  const fleet = {
    documents: files.length,
    nodes: nodes.length,
    settings,
    cohorts: findOutliers(nodes, settings),
    notes,
  };
  if (flags.json === true) writeJson({ schema: 'aibench.fleet/1', ...fleet });
  else process.stdout.write(flags.markdown === true ? fleetMarkdown(fleet) : fleetText(fleet));
}

function writeJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}
