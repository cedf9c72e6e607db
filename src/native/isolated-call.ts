/**
 * Calls a function of the addon in a process of its own, with a time limit: for vendors' libraries, which may hang or crash
 * where a driver is broken. What happens there costs this one answer.
 */
import { fork } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from './addon.ts';
import type { NativeAddon } from './types.ts';

/** Functions that look for something and take and give plain data. */
export type ProbeName = Extract<keyof NativeAddon, `probe${string}`>;

export interface IsolatedRequest {
  name: ProbeName;
  args: unknown[];
}
export type IsolatedReply = { ready: true } | { value: unknown } | { error: { message: string; remedy: string } };

export type IsolatedAnswer<T> =
  | { status: 'ok'; value: T }
  /** `kind`: it took too long, the process ended without an answer, or the call threw. */
  | { status: 'failed'; kind: 'hang' | 'crash' | 'error'; reason: string; remedy: string };

const START_LIMIT_MS = 60_000;
const ENTRY = path.join(packageRoot, 'dist', 'app', 'isolated-process.js');

/** Never rejects. @param what names the library in the reason: "the CUDA driver" */
export function callIsolated<K extends ProbeName>(
  name: K,
  args: Parameters<NativeAddon[K]>,
  what: string,
  timeoutSeconds: number,
): Promise<IsolatedAnswer<ReturnType<NativeAddon[K]>>> {
  return new Promise(resolve => {
    const child = fork(ENTRY, { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], serialization: 'advanced' });
    let answer: IsolatedAnswer<ReturnType<NativeAddon[K]>> | undefined;
    let timedOut = false;
    const end = (): void => {
      timedOut = true;
      child.kill('SIGKILL');
    };
    // The limit is the library's: a busy machine may take its time to start a process.
    let timer = setTimeout(end, START_LIMIT_MS);
    child.on('message', (reply: IsolatedReply) => {
      if ('ready' in reply) {
        clearTimeout(timer);
        timer = setTimeout(end, timeoutSeconds * 1000);
        child.send({ name, args } satisfies IsolatedRequest);
        return;
      }
      answer =
        'value' in reply
          ? { status: 'ok', value: reply.value as ReturnType<NativeAddon[K]> }
          : { status: 'failed', kind: 'error', reason: reply.error.message, remedy: reply.error.remedy };
    });
    child.on('error', error => {
      answer ??= {
        status: 'failed',
        kind: 'error',
        reason: `no process could be started to look for ${what}: ${error.message}`,
        remedy: 'Free memory or processes and run again.',
      };
      resolve(answer);
    });
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve(answer ?? silence(what, timedOut, timeoutSeconds, signal ?? `exit code ${code}`));
    });
  });
}

function silence<T>(what: string, timedOut: boolean, limit: number, end: string): IsolatedAnswer<T> {
  if (timedOut)
    return {
      status: 'failed',
      kind: 'hang',
      reason: `${what} did not answer within ${limit} s`,
      remedy: 'A driver hangs: look for its messages with `dmesg`, reload it or reboot.',
    };
  return {
    status: 'failed',
    kind: 'crash',
    reason: `${what} crashed while it was opened (${end})`,
    remedy: 'Reinstall the driver or library, or reboot; the crash is in code that is not part of aibench.',
  };
}
