/** Running a vendor's own tool for a reading. What it printed stays here: reasons are made from errno names and known texts. */
import { execFile } from 'node:child_process';
import { errnoOf } from '../host/kernel-files.ts';

export type ProgramAnswer = { ok: true; text: string } | { ok: false; errno: string; text: string };

/** Without a shell. Killed when the signal aborts. Never rejects; `text` of a failure is standard error. */
export function runProgram(program: string, args: readonly string[], signal: AbortSignal): Promise<ProgramAnswer> {
  return new Promise(resolve => {
    execFile(program, [...args], { signal, killSignal: 'SIGKILL', maxBuffer: 1 << 20 }, (error, stdout, stderr) => {
      resolve(error ? { ok: false, errno: errnoOfRun(program, error), text: stderr } : { ok: true, text: stdout });
    });
  });
}

/** A folder of PATH that this user may not search, or a file there that is no program, gives EACCES: the program is not there for him. */
function errnoOfRun(program: string, error: Error): string {
  const errno = errnoOf(error);
  const isSpawn = (error as NodeJS.ErrnoException).syscall?.startsWith('spawn') === true;
  return errno === 'EACCES' && isSpawn && !program.includes('/') ? 'ENOENT' : errno;
}
