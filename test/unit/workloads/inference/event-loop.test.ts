import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { watchEventLoop } from '../../../../src/workloads/inference/event-loop.ts';

describe('watchEventLoop', () => {
  it('sees a loop that is held up on purpose, knows whose work it was, and gives the result', async () => {
    const { result, longestStall } = await watchEventLoop(async () => {
      await wait(30);
      const end = performance.now() + 150;
      while (performance.now() < end);
      await wait(30);
      return 'done';
    });
    expect(result).toBe('done');
    expect(longestStall.seconds).toBeGreaterThan(0.12);
    expect(longestStall.ownSeconds).toBeGreaterThan(0.12);
    expect(longestStall.ownSeconds).toBeLessThanOrEqual(longestStall.seconds);
  });

  it('a loop that waits is not at work', async () => {
    const { longestStall } = await watchEventLoop(() => wait(80));
    expect(longestStall.ownSeconds).toBeLessThanOrEqual(longestStall.seconds);
    expect(longestStall.seconds).toBeGreaterThanOrEqual(0);
  });

  it('is zero where nothing could be seen, and rejects with the work', async () => {
    expect((await watchEventLoop(async () => 1)).longestStall).toEqual({ seconds: 0, ownSeconds: 0 });
    await expect(watchEventLoop(() => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
  });
});
