/** One launch, from the coordinator's side: starts the process, follows it, and turns whatever happens into a record. */
import { type ChildProcess, fork } from 'node:child_process';
import path from 'node:path';
import { packageRoot } from '../native/addon.ts';
import type { Verification } from '../results/schema.ts';
import type { CoordinatorMessage, LaunchFailure, LaunchMessage, LaunchRequest, LaunchSuccess } from './protocol.ts';

export type LaunchOutcome =
  | { kind: 'measured'; result: LaunchSuccess }
  /** The output was wrong: the number, if any, must not be used. */
  | { kind: 'wrong'; verification: Verification; when: 'before' | 'after' }
  | { kind: 'failed'; failure: LaunchFailure };

export interface LaunchOptions {
  request: LaunchRequest;
  /** The launch is ended and counts as failed after this long. */
  timeoutSeconds: number;
  /** A launch that hangs is the case's last: the next would hang as long. */
  hangEndsCase?: boolean;
  signal: AbortSignal;
  onProgress(message: string): void;
}

const ENTRY = path.join(packageRoot, 'dist', 'app', 'launch-process.js');
const STDERR_KEPT = 2000;
/** After Ctrl-C a launch may finish its sample and its verification; then it is ended. */
const STOP_GRACE_MS = 15_000;

/** Runs one launch to its end. Never rejects: a crash, a hang and a refusal are outcomes. */
export function runLaunch(options: LaunchOptions): Promise<LaunchOutcome> {
  return new Promise(resolve => {
    const child = fork(ENTRY, { stdio: ['ignore', 'ignore', 'pipe', 'ipc'], serialization: 'advanced' });
    let stderr = '';
    let outcome: LaunchOutcome | undefined;
    let timedOut = false;
    const timer = setTimeout(() => {
      timedOut = true;
      child.kill('SIGKILL');
    }, options.timeoutSeconds * 1000);
    const stop = (): void => {
      tell(child, { type: 'stop' });
      setTimeout(() => child.kill('SIGKILL'), STOP_GRACE_MS).unref();
    };
    if (options.signal.aborted) stop();
    options.signal.addEventListener('abort', stop, { once: true });

    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => {
      stderr = (stderr + chunk).slice(-STDERR_KEPT);
    });
    child.on('message', (message: LaunchMessage) => {
      if (message.type === 'ready') tell(child, { type: 'start', request: options.request });
      else if (message.type === 'progress') options.onProgress(message.message);
      else if (message.type === 'result') outcome = { kind: 'measured', result: message.result };
      else if (message.type === 'verified-wrong')
        outcome = { kind: 'wrong', verification: message.verification, when: message.when };
      else outcome = { kind: 'failed', failure: message.failure };
    });
    child.on('error', error => {
      outcome ??= failed(
        'LAUNCH_NOT_STARTED',
        `The launch could not be started: ${error.message}.`,
        'Free memory or processes and run again.',
      );
    });
    child.on('close', (code, signalName) => {
      clearTimeout(timer);
      options.signal.removeEventListener('abort', stop);
      resolve(outcome ?? crash(code, signalName, timedOut, options, stderr));
    });
  });
}

function crash(
  code: number | null,
  signalName: string | null,
  timedOut: boolean,
  { timeoutSeconds, hangEndsCase }: LaunchOptions,
  stderr: string,
): LaunchOutcome {
  const last = stderr.trim().split('\n').at(-1)?.trim().slice(0, 300);
  const detail = last ? ` Its last words: ${last}` : '';
  if (timedOut) {
    return failed(
      'LAUNCH_TIMEOUT',
      `The launch did not end within ${Math.round(timeoutSeconds)} s and was ended.${detail}`,
      'Run the case alone with --filter and --launches 1.',
      hangEndsCase,
    );
  }
  if (signalName === 'SIGKILL') {
    return failed(
      'LAUNCH_KILLED',
      `The launch was killed (SIGKILL), as the kernel does when memory runs out.${detail}`,
      'Choose a smaller size, or see `dmesg` for the out-of-memory killer.',
    );
  }
  return failed(
    'LAUNCH_CRASHED',
    signalName === null
      ? `The launch ended with exit code ${code} and no result.${detail}`
      : `The launch crashed with ${signalName}.${detail}`,
    'The other launches and cases are not touched; please report it with the case id.',
  );
}

function failed(code: string, message: string, remedy: string, permanent = false): LaunchOutcome {
  return { kind: 'failed', failure: { code, message, remedy, permanent, unavailable: false } };
}

function tell(child: ChildProcess, message: CoordinatorMessage): void {
  if (child.connected) child.send(message);
}
