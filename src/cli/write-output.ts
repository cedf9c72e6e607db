/** Puts a command's product where it was asked for: a file, whole or not at all, or standard output. */
import { mkdtempSync, realpathSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { AibenchError } from '../errors.ts';
import { whyUnwritable } from '../results/write.ts';

/** @throws AibenchError OUTPUT_UNWRITABLE, exit 2. */
export function writeOutput(file: string | undefined, text: string): void {
  if (file === undefined) {
    process.stdout.write(text);
    return;
  }
  let folder: string | undefined;
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    // A device or a pipe (/dev/stdout, /dev/null) is written to, never replaced.
    if (found !== undefined && !found.isFile() && !found.isDirectory()) {
      writeFileSync(file, text);
      return;
    }
    const target = found === undefined ? path.resolve(file) : realpathSync(file);
    // On the same file system as the target, so that the rename cannot leave half a file.
    folder = mkdtempSync(path.join(path.dirname(target), '.aibench-'));
    const temporary = path.join(folder, 'out');
    writeFileSync(temporary, text);
    renameSync(temporary, target);
  } catch (error) {
    const [fact, remedy] = whyUnwritable(error);
    throw new AibenchError('OUTPUT_UNWRITABLE', `${file} cannot be written: ${fact}.`, remedy);
  } finally {
    if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  }
}
