/** A SessionHost whose work is done in a Worker thread, so that the event loop of the launch stays free. */
import { Worker } from 'node:worker_threads';
import { AibenchError, EXIT } from '../../errors.ts';
import { modelLabel } from './params.ts';
import type { HostSpec, SessionHost } from './session-host.ts';
import type { HostMethod, Reply, Request, SerialisedError } from './worker-protocol.ts';

export interface RemoteHost extends SessionHost {
  /** Ends a running measure() after the sample in hand. */
  stop(): void;
}

/** Starts the thread. Nothing is loaded before load() is called. */
export function startSessionWorker(spec: HostSpec, progress: (message: string) => void): RemoteHost {
  // Shared memory and not a message, since the thread computes most of the time.
  const stopFlag = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(entry(), { name: 'aibench-inference', workerData: { spec, stopFlag } });
  const pending = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  let lost: Error | null = null;
  let calls = 0;

  const fail = (error: Error): void => {
    lost ??= error;
    for (const { reject } of pending.values()) reject(lost);
    pending.clear();
  };
  worker.on('error', fail);
  worker.on('exit', () => fail(hostLost(modelLabel(spec.params))));
  worker.on('message', (reply: Reply) => {
    if (reply.kind === 'progress') return progress(reply.message);
    const call = pending.get(reply.id);
    pending.delete(reply.id);
    if (reply.kind === 'result') call?.resolve(reply.value);
    else call?.reject(revive(reply.error));
  });

  const call = <T>(method: HostMethod, ...args: unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      if (lost !== null) return reject(lost);
      const id = calls++;
      pending.set(id, { resolve: value => resolve(value as T), reject });
      worker.postMessage({ id, method, args } satisfies Request);
    });

  return {
    load: () => call('load'),
    verify: () => call('verify'),
    measure: timing => call('measure', timing),
    verifyTimed: () => call('verifyTimed'),
    injectFault: fault => call('injectFault', fault),
    dispose: async () => {
      try {
        if (lost === null) await call('dispose');
      } finally {
        await worker.terminate();
      }
    },
    stop: () => {
      Atomics.store(stopFlag, 0, 1);
    },
  };
}

/** Beside this file, compiled or not. */
function entry(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './session-worker.ts' : './session-worker.js', import.meta.url);
}

function revive({ code, message, remedy, exitCode }: SerialisedError): Error {
  return code === null ? new Error(message) : new AibenchError(code, message, remedy, exitCode);
}

/** For a call whose answer will never come. */
function hostLost(label: string): AibenchError {
  return new AibenchError(
    'ENGINE_CRASHED',
    `The thread that ran ${label} ended without an answer.`,
    'Run the case alone with fewer threads; if it happens again, the model crashes ONNX Runtime.',
    EXIT.failed,
  );
}
