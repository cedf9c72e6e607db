/**
 * What the sensors said during each sample, kept up while the run goes on, so that a run that dies keeps it too. A launch is gone
 * through once, when readings after its end have come in; again only where a long run's readings were merged since, so that what
 * stands in the document is what its own telemetry gives (`aibench verify`).
 */
import { sensorsOf } from '../analysis/energy-scope.ts';
import { launchConditions } from '../analysis/thermal.ts';
import type { CaseResult, Launch, ResultDocument } from '../results/schema.ts';

interface Tagged {
  conditions: Launch['conditions'];
  /** Merged readings of all series when it was made. */
  merged: number;
}

export class SampleTags {
  readonly #known = new WeakMap<Launch, Tagged>();

  /** The cases with their launches tagged from this telemetry. `isLast`: there will be no more readings. */
  apply(cases: readonly CaseResult[], telemetry: ResultDocument['telemetry'], isLast: boolean): CaseResult[] {
    const merged = telemetry.series.reduce((sum, one) => sum + (one.merged ?? 0), 0);
    const latest = Math.max(...telemetry.series.map(one => one.timeSeconds[one.timeSeconds.length - 1] ?? 0));
    return cases.map(item => ({
      ...item,
      launches: item.launches.map(launch => {
        const before = this.#known.get(launch);
        const tagged =
          before?.merged === merged && !isLast ? before : { conditions: conditionsOf(launch, item, telemetry), merged };
        if ((launch.windowSeconds?.[1] ?? 0) + SETTLED_SECONDS < latest) this.#known.set(launch, tagged);
        const { conditions } = tagged;
        return conditions === undefined ? launch : { ...launch, conditions };
      }),
    }));
  }
}

/** The slowest sensor that speaks of conditions is read twice a second; one reading after the window is all that they need. */
const SETTLED_SECONDS = 2;

function conditionsOf(launch: Launch, item: CaseResult, telemetry: ResultDocument['telemetry']): Launch['conditions'] {
  return launchConditions(launch, { ...telemetry, device: item.device, sensors: sensorsOf(item.facts) });
}
