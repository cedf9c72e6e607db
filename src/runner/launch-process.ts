/**
 * The entry of a launch: a process that sees one case, runs it once through its walk (prepare, verify, measure, verify
 * what was timed) and sends the result. A crash here costs this launch and nothing else.
 */
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import { loadAddon } from '../native/addon.ts';
import { findWorkload } from '../workloads/registry.ts';
import type { Prepared } from '../workloads/workload.ts';
import type { CoordinatorMessage, LaunchFailure, LaunchMessage, LaunchRequest } from './protocol.ts';

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
    await measureCase(request);
  } catch (error) {
    send({ type: 'failure', failure: toFailure(error) });
  }
  // Native threads of libraries that never end (ONNX Runtime's pool) must not keep the process.
  process.disconnect();
  process.exit(EXIT.ok);
}

async function measureCase(request: LaunchRequest): Promise<void> {
  const workload = findWorkload(request.workload);
  if (workload === undefined)
    throw new AibenchError(
      'WORKLOAD_UNKNOWN',
      `There is no workload ${request.workload}.`,
      'See `aibench list workloads`.',
    );
  let prepared: Prepared | undefined;
  try {
    progress('preparing');
    prepared = await workload.prepare(request.params, request.backend, {
      native: loadAddon(),
      machine: request.machine,
      seed: request.seed,
      timing: request.timing,
      cacheDir: request.cacheDir,
      signal: stopping.signal,
      progress,
    });
    progress('verifying');
    const first = await prepared.verify();
    if (!first.passed) return send({ type: 'verified-wrong', verification: first, when: 'before' });
    progress('measuring');
    const cpuBefore = process.cpuUsage();
    const measurement = await prepared.measure();
    const cpu = process.cpuUsage(cpuBefore);
    progress('verifying what was timed');
    const verification = await prepared.verifyTimed();
    if (!verification.passed) return send({ type: 'verified-wrong', verification, when: 'after' });
    send({
      type: 'result',
      result: {
        ...measurement,
        pid: process.pid,
        verification,
        facts: prepared.facts,
        warnings: prepared.warnings,
        state: {
          cpuSeconds: (cpu.user + cpu.system) / 1e6,
          peakResidentBytes: process.resourceUsage().maxRSS * 1024,
          involuntaryContextSwitches: process.resourceUsage().involuntaryContextSwitches,
        },
      },
    });
  } finally {
    await prepared?.dispose();
  }
}

function progress(message: string): void {
  send({ type: 'progress', message });
}

function send(message: LaunchMessage): void {
  process.send?.(message);
}

function toFailure(error: unknown): LaunchFailure {
  if (error instanceof AibenchError)
    return {
      code: error.code,
      message: error.message,
      remedy: error.remedy,
      permanent: true,
      unavailable: error.exitCode === EXIT.unmeasured,
    };
  const { code } = error as { code?: unknown };
  return {
    code: typeof code === 'string' ? code : 'LAUNCH_FAILED',
    message: messageOf(error),
    remedy: 'Run the case alone with --filter; if it stays, please report it.',
    permanent: false,
    unavailable: false,
  };
}
