/**
 * Writes the document so that what lies on disk is always whole: into a temporary file beside it, then renamed. It is
 * written after every launch, so a run that dies keeps what it has measured (with `run.state` still `running`).
 */
import { closeSync, fsyncSync, openSync, realpathSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import path from 'node:path';
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import type { ResultDocument } from './schema.ts';
import { sealDocument } from './seal.ts';

export interface DocumentWriter {
  readonly file: string;
  /** Replaces the file by this document, unsealed. */
  checkpoint(document: ResultDocument): void;
  /** Seals and writes the final document; returns it. */
  finish(document: ResultDocument): ResultDocument;
}

/**
 * Makes sure, before an hour of work, that the document can be written there. An existing file is not touched until there
 * is something to put in its place.
 * @throws AibenchError OUTPUT_UNWRITABLE, exit 2.
 */
export function openDocumentWriter(file: string): DocumentWriter {
  const target = writableTarget(path.resolve(file));
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    closeSync(openSync(temporary, 'w'));
    rmSync(temporary);
  } catch (error) {
    throw unwritable(target, error, EXIT.usage);
  }
  const write = (document: ResultDocument, durable: boolean): void => {
    try {
      replace(target, temporary, `${JSON.stringify(document)}\n`, durable);
    } catch (error) {
      rmSync(temporary, { force: true });
      // A full disk is no defect of ours, whenever it shows.
      throw unwritable(target, error, (error as NodeJS.ErrnoException).code === undefined ? EXIT.internal : EXIT.usage);
    }
  };
  return {
    file: target,
    checkpoint: document => write(document, false),
    finish: document => {
      const sealed = sealDocument(document);
      write(sealed, true);
      return sealed;
    },
  };
}

/**
 * Where the file really is: behind a symbolic link, which stays. What stands there and is no regular file is never replaced: a
 * rename over /dev/null would take it away from everybody.
 * @throws AibenchError OUTPUT_UNWRITABLE, exit 2.
 */
function writableTarget(target: string): string {
  let fault: string;
  try {
    const found = statSync(target, { throwIfNoEntry: false });
    if (found === undefined) return target;
    if (found.isFile()) return realpathSync(target);
    fault = found.isDirectory() ? 'EISDIR' : 'NOT_REGULAR';
  } catch (error) {
    throw unwritable(target, error, EXIT.usage);
  }
  throw unwritable(target, { code: fault }, EXIT.usage);
}

function replace(target: string, temporary: string, text: string, durable: boolean): void {
  const descriptor = openSync(temporary, 'w', 0o644);
  try {
    const bytes = Buffer.from(text);
    for (let offset = 0; offset < bytes.length; ) offset += writeSync(descriptor, bytes, offset);
    if (durable) fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
  renameSync(temporary, target);
}

function unwritable(target: string, error: unknown, exitCode: typeof EXIT.usage | typeof EXIT.internal): AibenchError {
  const [fact, remedy] = whyUnwritable(error);
  return new AibenchError('OUTPUT_UNWRITABLE', `The result cannot be written to ${target}: ${fact}.`, remedy, exitCode);
}

/** What stands in the way of writing a file, and what to do. */
export function whyUnwritable(error: unknown): readonly [fact: string, remedy: string] {
  const { code } = error as NodeJS.ErrnoException;
  const facts: Record<string, [string, string]> = {
    ENOENT: ['its folder does not exist', 'Make the folder, or choose another place with -o.'],
    EACCES: ['permission denied', 'Choose a place that you may write to with -o.'],
    EPERM: ['permission denied', 'Choose a place that you may write to with -o.'],
    EROFS: ['the file system is read-only', 'Choose another place with -o.'],
    EISDIR: ['it is a folder', 'Name a file with -o.'],
    NOT_REGULAR: ['it is no regular file', 'Name a file with -o; --json prints the document.'],
    ENOTDIR: ['a part of the path is a file', 'Choose another place with -o.'],
    ENOSPC: ['the disk is full', 'Free space, or choose another place with -o.'],
    EDQUOT: ['the disk quota is used up', 'Free space, or choose another place with -o.'],
  };
  return facts[code ?? ''] ?? [messageOf(error), 'Choose another place with -o.'];
}
