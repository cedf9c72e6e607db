/** Runs the built command line as a user would, in a folder of its own. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..', '..');
const bin = path.join(root, 'bin', 'aibench.js');

export interface Ran {
  status: number | null;
  stdout: string;
  stderr: string;
}

export interface CliOptions {
  cwd?: string;
  env?: Record<string, string | undefined>;
  timeoutSeconds?: number;
}

export function temporaryFolder(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'aibench-e2e-'));
}

function environment(options: CliOptions): NodeJS.ProcessEnv {
  return { ...process.env, NO_COLOR: '1', ...options.env };
}

export function aibench(args: string[], options: CliOptions = {}): Ran {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: options.cwd ?? temporaryFolder(),
    env: environment(options),
    encoding: 'utf8',
    timeout: (options.timeoutSeconds ?? 60) * 1000,
    maxBuffer: 64 << 20,
  });
  return { status, stdout, stderr };
}

/** Starts it and hands back the process, for Ctrl-C and two at once. */
export function startAibench(args: string[], options: CliOptions = {}): ChildProcess & { ended: Promise<Ran> } {
  const child = spawn(process.execPath, [bin, ...args], {
    cwd: options.cwd ?? temporaryFolder(),
    env: environment(options),
    detached: true,
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', chunk => {
    stdout += chunk;
  });
  child.stderr.on('data', chunk => {
    stderr += chunk;
  });
  const ended = new Promise<Ran>(resolve => child.on('close', status => resolve({ status, stdout, stderr })));
  return Object.assign(child, { ended });
}

/** Resolves when standard error has shown `text`. */
export function untilShown(child: ChildProcess, text: string | RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let seen = '';
    child.stderr?.on('data', chunk => {
      seen += chunk;
      if (typeof text === 'string' ? seen.includes(text) : text.test(seen)) resolve();
    });
    child.on('close', () => reject(new Error(`it ended before it showed ${text}: ${seen}`)));
  });
}
