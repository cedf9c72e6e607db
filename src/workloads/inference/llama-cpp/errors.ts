/** From node-llama-cpp's messages to one sentence with a remedy. */
import { AibenchError, EXIT, messageOf } from '../../../errors.ts';

const LONGEST = 300;

/** @param what the model as the user named it @param loading whether it was being loaded: then it is the file that is wrong */
export function llamaCppError(error: unknown, what: string, loading = false): AibenchError {
  if (error instanceof AibenchError) return error;
  const raw = messageOf(error).replace(/\s+/g, ' ').trim().slice(0, LONGEST);
  const message = /[.!?]$/.test(raw) ? raw : `${raw}.`;
  if (/insufficient memory|too large|out of memory|bad_alloc|failed to allocate/i.test(raw)) {
    return new AibenchError(
      'MODEL_TOO_LARGE',
      `${what} does not fit in memory: ${message}`,
      'Lower context or sequence, or choose a smaller model.',
      EXIT.failed,
    );
  }
  if (loading) {
    return new AibenchError(
      'MODEL_INVALID',
      `llama.cpp cannot load ${what}: ${message}`,
      'Copy or convert the model again; a newer architecture needs a newer node-llama-cpp.',
      EXIT.failed,
    );
  }
  return new AibenchError(
    'ENGINE_FAILURE',
    `llama.cpp cannot run ${what}: ${message}`,
    'Try the model with node-llama-cpp’s own command line.',
    EXIT.failed,
  );
}
