/** The entry of callIsolated's process: makes one call, sends the answer, ends without waiting for a library's threads. */
import { messageOf } from '../errors.ts';
import { loadAddon } from './addon.ts';
import type { IsolatedReply, IsolatedRequest } from './isolated-call.ts';

process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
process.on('message', ({ name, args }: IsolatedRequest) => {
  process.send?.(answer(name, args), () => process.kill(process.pid, 'SIGKILL'));
});

process.send?.({ ready: true } satisfies IsolatedReply);

function answer(name: IsolatedRequest['name'], args: unknown[]): IsolatedReply {
  try {
    const call = loadAddon()[name] as (...given: unknown[]) => unknown;
    return { value: call(...args) };
  } catch (error) {
    const { remedy } = error as { remedy?: unknown };
    return { error: { message: messageOf(error), remedy: typeof remedy === 'string' ? remedy : '' } };
  }
}
