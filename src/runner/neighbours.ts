/**
 * Finds other runs of aibench on this machine: two at once slow each other, and neither knows. Each run leaves a file with
 * its process id in a folder that all users share, and takes it away at its end.
 */
import { chmodSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';

export interface Presence {
  /** Process ids of other runs that are alive now. */
  others(): number[];
  leave(): void;
}

/** Announces this run. Where the folder cannot be used, others are simply not seen. */
export function announceRun(folder = path.join(os.tmpdir(), 'aibench-runs'), pid = process.pid): Presence {
  const own = path.join(folder, String(pid));
  try {
    mkdirSync(folder, { recursive: true });
    try {
      chmodSync(folder, 0o1777);
    } catch {
      // Somebody else's folder: it has been opened to all by its owner.
    }
    writeFileSync(own, startTime(pid) ?? '');
  } catch {
    return { others: () => [], leave: () => {} };
  }
  return {
    others: () => listRuns(folder).filter(other => other !== pid),
    leave: () => leave(own),
  };
}

/** Never fails: by then the document waits to be sealed. */
function leave(own: string): void {
  try {
    rmSync(own, { force: true });
  } catch {
    // Somebody made the folder read-only meanwhile: the process id tells the next run that this one is gone.
  }
}

function listRuns(folder: string): number[] {
  const alive: number[] = [];
  for (const name of namesIn(folder)) {
    const pid = Number(name);
    if (!/^[1-9]\d*$/.test(name) || !Number.isSafeInteger(pid)) continue;
    const file = path.join(folder, name);
    try {
      const recorded = readFileSync(file, 'utf8');
      // A process id may have been given to another process since.
      if (isAlive(pid) && recorded === (startTime(pid) ?? '')) alive.push(pid);
      else rmSync(file, { force: true });
    } catch (error) {
      // It has just left, or it is another user's who keeps his files to himself: then that it lives is all that can be known.
      if ((error as NodeJS.ErrnoException).code === 'EACCES' && isAlive(pid)) alive.push(pid);
    }
  }
  return alive;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/<pid>/stat: start time in ticks since boot; undefined where there is no /proc. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}
