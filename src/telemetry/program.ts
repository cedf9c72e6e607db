/** Running a vendor's own tool for a reading. What it printed stays here: reasons are made from errno names and known texts. */
import { execFile } from 'node:child_process';
import { errnoOf } from '../host/kernel-files.ts';

export type ProgramAnswer = { ok: true; text: string } | { ok: false; errno: string; text: string };

/** Without a shell. Killed when the signal aborts. Never rejects; `text` of a failure is standard error. */
export function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<ProgramAnswer> {
  return new Promise(resolve => {
    execFile(program, [...args], { signal, killSignal: 'SIGKILL', maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      resolve(error ? { ok: false, errno: errnoOf(error), text: stderr } : { ok: true, text: stdout });
    });
  });
}
