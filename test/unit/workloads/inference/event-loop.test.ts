import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchEventLoop } from '../../../../src/workloads/inference/event-loop.ts';

describe('watchEventLoop', () => {
  it('sees a loop that is held up on purpose, and gives the result', async () => {
    const { result, longestStallSeconds } = await watchEventLoop(async () => {
      await wait(30);
      const end = performance.now() + 150;
      while (performance.now() < end);
      await wait(30);
      return 'done';
    });
    expect(result).toBe('done');
    expect(longestStallSeconds).toBeGreaterThan(0.12);
  });

  it('is zero where nothing could be seen, and rejects with the work', async () => {
    expect((await watchEventLoop(async () => 1)).longestStallSeconds).toBe(0);
    await expect(watchEventLoop(() => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
  });
});
