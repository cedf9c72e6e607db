/**
 * The entry of a launch: a process that sees one case, runs it once through its walk (prepare, verify, measure, verify
 * what was timed) and sends the result. A crash here costs this launch and nothing else.
 */
import { EXIT } from '../errors.ts';
import { loadAddon } from '../native/addon.ts';
import { measureCase, toFailure } from './measure-case.ts';
import type { CoordinatorMessage, LaunchMessage, LaunchRequest } from './protocol.ts';

const stopping = new AbortController();

// Ctrl-C reaches the whole process group; the coordinator decides what it means and tells us over the channel.
process.on('SIGINT', () => {});
process.on('disconnect', () => process.exit(EXIT.internal));
process.on('message', (message: CoordinatorMessage) => {
  if (message.type === 'stop') stopping.abort();
  else void run(message.request);
});
send({ type: 'ready' });

async function run(request: LaunchRequest): Promise<void> {
  try {
    await measureCase(request, loadAddon(), stopping.signal, send);
  } catch (error) {
    send({ type: 'failure', failure: toFailure(error) });
  }
  // Native threads of libraries that never end (ONNX Runtime's pool) must not keep the process.
  process.disconnect();
  process.exit(EXIT.ok);
}

function send(message: LaunchMessage): void {
  process.send?.(message);
}
