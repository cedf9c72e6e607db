/** Synthetic documents on disk, for tests of the commands that read them. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type SyntheticOptions, syntheticDocument } from '../fixtures/synthetic.ts';

/** Writes the document and returns its name within the folder. */
export function placeDocument(folder: string, name: string, options: SyntheticOptions): string {
  writeFileSync(path.join(folder, name), JSON.stringify(syntheticDocument(options)));
  return name;
}
