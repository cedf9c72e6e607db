/** What `aibench compare --fleet` does. */
import { findOutliers } from '../../analysis/fleet.ts';
import { readFleet } from '../../evidence/read-fleet.ts';
import { share } from '../choices.ts';
import { fleetMarkdown, fleetText } from '../render/fleet-text.ts';
import type { CompareFlags } from './compare.ts';

/** Share of the alarms of a fleet that may be false. */
const FALSE_DISCOVERY_RATE = 0.05;

export function compareFleet(files: readonly string[], flags: CompareFlags): void {
  const settings = { margin: share('--margin', flags.margin), falseDiscoveryRate: FALSE_DISCOVERY_RATE };
  const { nodes, notes } = readFleet(files);
  const fleet = {
    documents: files.length,
    nodes: nodes.length,
    settings,
    cohorts: findOutliers(nodes, settings),
    notes,
  };
  if (flags.json === true)
    process.stdout.write(`${JSON.stringify({ schema: 'aibench.fleet/1', ...fleet }, null, 2)}\n`);
  else process.stdout.write(flags.markdown === true ? fleetMarkdown(fleet) : fleetText(fleet));
}
