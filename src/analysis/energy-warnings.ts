/** What a reader of a case's energy must know: sensors that disagree, windows that hold much besides work. Pure. */
import type { CaseEnergy, Warning } from '../results/schema.ts';
import { overlap, type SourceGroup } from './energy-scope.ts';
import type { EnergyLaunch } from './energy-work.ts';

/** A counter and an integrated gauge of the same thing that differ by more than this are worth a warning. */
const CROSS_CHECK_LIMIT = 0.05;
/** Less of the window than this spent in samples: the energy holds much that is no work. */
const MIN_SAMPLED_FRACTION = 0.9;

export function crossCheck(groups: readonly SourceGroup[], entries: readonly CaseEnergy[]): Warning[] {
  const joulesOf = (group: SourceGroup): number | null =>
    entries.find(entry => entry.source === group.id)?.joules ?? null;
  const out: Warning[] = [];
  for (const counter of groups.filter(group => group.kind === 'counter')) {
    for (const gauge of groups.filter(group => group.kind === 'gauge')) {
      const [a, b] = [joulesOf(counter), joulesOf(gauge)];
      const isSame =
        counter.scope === gauge.scope &&
        counter.covers.every(token => gauge.covers.includes(token)) &&
        overlap(gauge.covers, counter.covers);
      if (a === null || b === null || !isSame || Math.abs(a - b) <= CROSS_CHECK_LIMIT * a) continue;
      const percent = ((100 * (b - a)) / a).toFixed(1);
      out.push({
        code: 'ENERGY_CROSS_CHECK',
        message: `The power gauge ${gauge.id} integrates to ${percent} % beside the energy counter ${counter.id} over the same windows.`,
        remedy:
          'Trust the counter; lengthen the launches, so that a gauge that averages or looks only part of the time catches up.',
      });
    }
  }
  return out;
}

export function dilution(launches: readonly EnergyLaunch[]): Warning[] {
  let sampled = 0;
  let whole = 0;
  for (const launch of launches) {
    sampled += launch.samplesSeconds.reduce((sum, sample) => sum + sample, 0);
    whole += (launch.windowSeconds?.[1] ?? 0) - (launch.windowSeconds?.[0] ?? 0);
  }
  if (whole <= 0 || sampled >= MIN_SAMPLED_FRACTION * whole) return [];
  return [
    {
      code: 'ENERGY_WINDOW_DILUTED',
      message: `Only ${((100 * sampled) / whole).toFixed(0)} % of the measured windows was spent in samples; the energy of the rest is counted too.`,
      remedy: 'Use longer samples (minSampleSeconds), so that less time passes between them.',
    },
  ];
}
