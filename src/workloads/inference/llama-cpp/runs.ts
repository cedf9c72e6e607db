/** What a case runs on llama.cpp, in the same three modes as on ONNX Runtime; every run is timed around llama.cpp alone. */
import type { Generated } from '../generation.ts';
import type { InferenceParams } from '../params.ts';
import { monotonicSeconds } from '../timed-loop.ts';
import type { Text } from './sequence.ts';

/** What a run left: the tokens it chose, and those that its cache must hold now. */
export interface RunOutcome {
  seconds: number;
  chosen: number[];
  held: readonly number[];
  /** Of a generation. */
  tokenTimes?: Pick<Generated, 'firstTokenSeconds' | 'interTokenSeconds'>;
}

export interface TimedRun {
  /** Tokens that go in before anything is timed, once. */
  prepare(): Promise<void>;
  run(): Promise<RunOutcome>;
  /** All tokens in front of the first one that a run chooses. */
  before: readonly number[];
}

/** Tokens that a case's texts begin with, and the room that one needs. One token more is for the verification. */
export function textLengths({ mode, sequence, context, newTokens }: InferenceParams): { given: number; room: number } {
  const given = mode === 'decode' ? (context ?? 0) + 1 : (sequence ?? 1);
  return { given, room: given + (newTokens ?? 0) + 1 };
}

/** @param given as many tokens as textLengths says */
export function timedRun(text: Text, { mode, newTokens }: InferenceParams, given: readonly number[]): TimedRun {
  if (mode === 'decode') return decodeStep(text, given);
  return mode === 'generate' ? generation(text, given, newTokens ?? 1) : prefill(text, given);
}

function prefill(text: Text, prompt: readonly number[]): TimedRun {
  return {
    before: prompt,
    prepare: async () => {},
    run: async () => {
      await text.keep(0);
      const start = monotonicSeconds();
      const tokens = text.generate(prompt);
      const token = await taken(tokens);
      const seconds = monotonicSeconds() - start;
      await tokens.return();
      return { seconds, chosen: [token], held: prompt };
    },
  };
}

/** One token on a cache that stays as long as it is: what the step adds is dropped, outside the time. */
function decodeStep(text: Text, given: readonly number[]): TimedRun {
  const context = given.slice(0, -1);
  const next = given.slice(-1);
  return {
    before: given,
    prepare: async () => {
      await text.keep(0);
      await text.fill(context);
    },
    run: async () => {
      await text.keep(context.length);
      const start = monotonicSeconds();
      const tokens = text.generate(next);
      const token = await taken(tokens);
      const seconds = monotonicSeconds() - start;
      await tokens.return();
      return { seconds, chosen: [token], held: given };
    },
  };
}

function generation(text: Text, prompt: readonly number[], newTokens: number): TimedRun {
  return {
    before: prompt,
    prepare: async () => {},
    run: async () => {
      await text.keep(0);
      const start = monotonicSeconds();
      const tokens = text.generate(prompt);
      const chosen = [await taken(tokens)];
      let last = monotonicSeconds();
      const firstTokenSeconds = last - start;
      const interTokenSeconds: number[] = [];
      while (chosen.length < newTokens) {
        chosen.push(await taken(tokens));
        const now = monotonicSeconds();
        interTokenSeconds.push(now - last);
        last = now;
      }
      await tokens.return();
      return {
        seconds: last - start,
        chosen,
        held: [...prompt, ...chosen.slice(0, -1)],
        tokenTimes: { firstTokenSeconds, interTokenSeconds },
      };
    },
  };
}

async function taken(tokens: AsyncGenerator<number, void, undefined | number>): Promise<number> {
  const { value, done } = await tokens.next();
  if (done === true || value === undefined) throw new Error('llama.cpp gave no token');
  return value;
}
