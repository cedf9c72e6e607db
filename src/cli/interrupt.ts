/** Ctrl-C: the first asks the run to end well, the second ends it at once. */
import { EXIT, type ExitCode } from '../errors.ts';

export interface Interrupt {
  signal: AbortSignal;
  /** Of an interrupted run; null where none was. */
  exitCode(): ExitCode | null;
  close(): void;
}

export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    console.error('\naibench: ending after the launch in hand; what is measured is kept. Ctrl-C again ends at once.');
    controller.abort();
  };
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  return {
    signal: controller.signal,
    exitCode: () => (controller.signal.aborted ? EXIT.interrupted : null),
    close: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
}
