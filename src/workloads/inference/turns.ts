/** The runs that are timed, one per set of inputs, taken in turn; what the last one left is kept for the verification. */
import type { NamedTensors } from '../../models/tensor.ts';
import type { BoundInference } from './engine.ts';
import { monotonicSeconds, type TimeRuns } from './timed-loop.ts';

export interface Turns {
  /** One inference on the inputs whose turn it is, for whoever schedules each by itself. */
  query(): Promise<void>;
  /**
   * So many inferences back to back, and the seconds that they took. An engine that times itself does them on one set of
   * inputs and without JavaScript in between; `npm run bench:inference` holds both ways against the engine's floor.
   */
  timeRuns: TimeRuns;
  last(): { set: number; outputs: NamedTensors } | undefined;
}

export function takeTurns(runs: readonly BoundInference[]): Turns {
  let turn = 0;
  let last: { set: number; outputs: NamedTensors } | undefined;
  const next = (): [number, BoundInference] => {
    const set = turn % runs.length;
    turn += 1;
    return [set, runs[set] as BoundInference];
  };
  const inside = async (iterations: number): Promise<number> => {
    const [set, run] = next();
    const seconds = (run as Required<BoundInference>).time(iterations);
    last = { set, outputs: (run as Required<BoundInference>).outputs() };
    return seconds;
  };
  const fromJavaScript = async (iterations: number): Promise<number> => {
    let set = 0;
    let outputs: NamedTensors = {};
    const start = monotonicSeconds();
    for (let i = 0; i < iterations; i++) {
      set = turn++ % runs.length;
      outputs = await (runs[set] as BoundInference)();
    }
    const seconds = monotonicSeconds() - start;
    last = { set, outputs };
    return seconds;
  };
  return {
    query: async () => {
      const [set, run] = next();
      last = { set, outputs: await run() };
    },
    timeRuns: runs.every(run => run.time !== undefined && run.outputs !== undefined) ? inside : fromJavaScript,
    last: () => last,
  };
}
