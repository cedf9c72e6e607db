/** The head of a GGUF file, as far as it takes to say what is wrong with it before llama.cpp sees it. */
import { closeSync, openSync, readSync, statSync } from 'node:fs';
import { AibenchError, EXIT, messageOf } from '../../../errors.ts';

const MAGIC = 'GGUF';
/** Version 1 had other lengths; 2 and 3 differ in byte order only. */
const VERSIONS = [2, 3];

/**
 * The size of the file in bytes.
 * @throws AibenchError MODEL_NOT_FOUND, MODEL_UNREADABLE, MODEL_EMPTY, MODEL_NOT_GGUF, MODEL_UNSUPPORTED
 */
export function checkGguf(file: string): number {
  const found = statSync(file, { throwIfNoEntry: false });
  if (found === undefined) throw problem('MODEL_NOT_FOUND', `There is no file ${file}.`, 'Check the path.');
  if (!found.isFile()) throw problem('MODEL_UNREADABLE', `${file} is no file.`, 'Name a .gguf file.');
  if (found.size === 0) throw problem('MODEL_EMPTY', `${file} is empty.`, 'Copy or convert the model again.');
  const head = Buffer.alloc(8);
  try {
    const fd = openSync(file, 'r');
    try {
      readSync(fd, head);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    throw problem('MODEL_UNREADABLE', `${file} cannot be read: ${messageOf(error)}.`, 'Make the file readable.');
  }
  if (head.toString('latin1', 0, 4) !== MAGIC) {
    throw problem(
      'MODEL_NOT_GGUF',
      `${file} is no GGUF file.`,
      'Convert the model with llama.cpp’s convert_hf_to_gguf.py.',
    );
  }
  const version = head.readUInt32LE(4);
  if (!VERSIONS.includes(version)) {
    throw problem(
      'MODEL_UNSUPPORTED',
      `${file} is GGUF of version ${version}; known are 2 and 3.`,
      'Convert the model again.',
    );
  }
  return found.size;
}

function problem(code: string, message: string, remedy: string): AibenchError {
  return new AibenchError(code, message, remedy, EXIT.failed);
}
