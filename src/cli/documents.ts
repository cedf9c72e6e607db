/** Reads the documents that a command was given. */
import { AibenchError, allOrErrors } from '../errors.ts';
import { readDocument } from '../results/read.ts';
import type { ResultDocument } from '../results/schema.ts';
import { checkSeal } from '../results/seal.ts';

/**
 * One side of a comparison. A document that is given twice would count its launches twice, so it is refused.
 * @throws AibenchError that names every file that cannot be used, exit 2.
 */
export function readDocuments(files: readonly string[]): ResultDocument[] {
  const seen = new Map<string, string>();
  return allOrErrors(files, file => {
    const document = readDocument(file);
    const first = seen.get(document.id);
    if (first !== undefined) {
      throw new AibenchError(
        'DOCUMENT_REPEATED',
        `${file} is the same document as ${first}: its launches would count twice.`,
        'Name each run once on a side.',
      );
    }
    seen.set(document.id, file);
    return document;
  });
}

/** What a reader must know of documents whose seal does not hold; for commands that only show. */
export function sealNotes(files: readonly string[], documents: readonly ResultDocument[]): string[] {
  return documents.flatMap((document, index) => {
    const state = checkSeal(document);
    return state === 'intact' ? [] : [`the seal of ${files[index]} is ${state}`];
  });
}
