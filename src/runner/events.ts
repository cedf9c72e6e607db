/** What happens in a run, for whoever shows it. */
import type { Launch } from '../results/schema.ts';
import type { Case } from '../suite/expand.ts';
import type { LiveReadings } from '../telemetry/recorder.ts';

export type RunEvent =
  | { type: 'started'; cases: number; launches: number; expectedSeconds: number }
  | { type: 'phase'; message: string }
  | { type: 'warning'; message: string }
  /** A case that no launch is made of: it cannot run here, or (`broken`) what it needs is there and fails. */
  | { type: 'skipped'; case: Case; reason: string; remedy: string; broken: boolean }
  | {
      type: 'launch-started';
      case: Case;
      index: number;
      done: number;
      total: number;
      secondsLeft: number;
      live: () => LiveReadings;
    }
  | { type: 'progress'; message: string }
  | {
      type: 'launch-ended';
      case: Case;
      launch: Launch;
      done: number;
      total: number;
      headline: { value: number; unit: string } | null;
    };
