/** Puts a command's product where it was asked for: a file, whole or not at all, or standard output. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AibenchError, messageOf } from '../errors.ts';

/** @throws AibenchError OUTPUT_UNWRITABLE, exit 2. */
export function writeOutput(file: string | undefined, text: string): void {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  const target = path.resolve(file);
  let folder: string | undefined;
  try {
    // On the same file system as the target, so that the rename cannot leave half a file.
    folder = mkdtempSync(path.join(path.dirname(target), '.aibench-'));
    const temporary = path.join(folder, 'out');
    writeFileSync(temporary, text);
    renameSync(temporary, target);
  } catch (error) {
    throw new AibenchError(
      'OUTPUT_UNWRITABLE',
      `${file} cannot be written: ${messageOf(error)}.`,
      'Choose a file in a folder that exists and that you may write to.',
    );
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
