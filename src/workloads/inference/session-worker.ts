/** Entry of the Worker thread in which a session lives; worker-client.ts is its other end. */
import { parentPort, workerData } from 'node:worker_threads';
import { AibenchError, messageOf } from '../../errors.ts';
import type { BackendName } from './backends.ts';
import { openEngine } from './engines.ts';
import { createLlamaCppHost } from './llama-cpp/host.ts';
import { createSessionHost, type HostSpec } from './session-host.ts';
import type { LoopHooks } from './timed-loop.ts';
import type { HostMethod, Reply, Request, SerialisedError } from './worker-protocol.ts';

const port = parentPort;
if (port === null) throw new Error('session-worker is the entry of a Worker');

const { spec, stopFlag } = workerData as { spec: HostSpec<BackendName>; stopFlag: Int32Array };
const hooks: LoopHooks = {
  stopped: () => Atomics.load(stopFlag, 0) !== 0,
  progress: message => send({ kind: 'progress', message }),
};
const { backend } = spec;
const host =
  backend === 'node-llama-cpp'
    ? createLlamaCppHost(spec, hooks)
    : createSessionHost({ ...spec, backend }, () => openEngine(backend), hooks);

port.on('message', async ({ id, method, args }: Request) => {
  try {
    const call = host[method] as (...values: unknown[]) => Promise<unknown>;
    send({ kind: 'result', id, value: await call(...args) });
  } catch (error) {
    send({ kind: 'error', id, error: serialise(error, method) });
  }
});

function send(reply: Reply): void {
  port?.postMessage(reply);
}

function serialise(error: unknown, method: HostMethod): SerialisedError {
  if (error instanceof AibenchError) {
    const { code, message, remedy, exitCode } = error;
    return { code, message, remedy, exitCode };
  }
  return { code: null, message: `${method}: ${messageOf(error)}`, remedy: '', exitCode: 4 };
}
