/** Exit codes of the command line; the contract is in docs/result-format.md. */
export const EXIT = {
  ok: 0,
  /** A case failed, a gate proved a failure, a document does not verify. */
  failed: 1,
  /** Wrong flags, a bad suite, policy or input file. */
  usage: 2,
  /** Nothing could be measured; a gate is inconclusive or unfit; a machine is unfit. */
  unmeasured: 3,
  internal: 4,
  /** 128 + SIGINT. */
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/**
 * An error that a user can act on: a stable code, one sentence of fact, one hint. Printed as such, without a stack trace.
 * Anything else that reaches the top is a defect of ours and exits 4.
 */
export class AibenchError extends Error {
  readonly code: string;
  readonly remedy: string;
  readonly exitCode: ExitCode;

  constructor(code: string, message: string, remedy: string, exitCode: ExitCode = EXIT.usage) {
    super(message);
    this.name = 'AibenchError';
    this.code = code;
    this.remedy = remedy;
    this.exitCode = exitCode;
  }
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}
