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

/** Files named in one error; a thousand sentences help nobody. */
const NAMED = 20;

/** Several files that cannot be used, each with its own sentence, so that all can be put right at once. */
export class AibenchErrors extends AibenchError {
  readonly errors: readonly AibenchError[];
  /** One for each of the first, to be shown below each other. */
  readonly lines: readonly string[];

  /** @param errors two or more. */
  constructor(errors: readonly AibenchError[]) {
    const more = errors.length > NAMED ? [`and ${errors.length - NAMED} more`] : [];
    const lines = [...errors.slice(0, NAMED).map(({ message }) => message), ...more];
    const codes = new Set(errors.map(({ code }) => code));
    const remedies = new Set(errors.map(({ remedy }) => remedy));
    super(
      codes.size === 1 ? (errors[0]?.code ?? 'USAGE') : 'USAGE',
      `${errors.length} of the files cannot be used: ${lines.join(' ')}`,
      remedies.size === 1
        ? (errors[0]?.remedy ?? '')
        : 'Put them right, or leave them out; nothing was done with the others.',
      Math.max(...errors.map(({ exitCode }) => exitCode)) as ExitCode,
    );
    this.errors = errors;
    this.lines = lines;
  }
}

/**
 * Does the same with each, the rest too where one fails.
 * @throws what the only failed one threw, or AibenchErrors with all of them. Anything else that is thrown ends it at once.
 */
export function allOrErrors<T, R>(items: readonly T[], work: (item: T, index: number) => R): R[] {
  const done: R[] = [];
  const errors: AibenchError[] = [];
  for (const [index, item] of items.entries()) {
    try {
      done.push(work(item, index));
    } catch (error) {
      if (!(error instanceof AibenchError)) throw error;
      errors.push(...(error instanceof AibenchErrors ? error.errors : [error]));
    }
  }
  const [first] = errors;
  if (first === undefined) return done;
  throw errors.length === 1 ? first : new AibenchErrors(errors);
}

/** The message of whatever was thrown, on one line. */
export function messageOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.replace(/\s+/g, ' ').trim();
}
