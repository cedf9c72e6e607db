/** Messages between the launch's main thread and the Worker in which a session lives. */
import type { ExitCode } from '../../errors.ts';
import type { SessionHost } from './session-host.ts';

export type HostMethod = keyof SessionHost;

export interface Request {
  id: number;
  method: HostMethod;
  args: unknown[];
}

/** An AibenchError, or with `code` null a defect of ours. */
export interface SerialisedError {
  code: string | null;
  message: string;
  remedy: string;
  exitCode: ExitCode;
}

export type Reply =
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: SerialisedError }
  | { kind: 'progress'; message: string };
