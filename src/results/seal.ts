/**
 * The seal: SHA-256 over the canonical form (RFC 8785) of the whole document, with everything of the seal itself but its
 * digest and signature. A changed digit anywhere changes it. It proves that nothing changed since, not who wrote it: for
 * that there are signatures (sign.ts).
 */
import { createHash } from 'node:crypto';
import canonicalize from 'canonicalize';
import type { ResultDocument } from './schema.ts';

export const SEAL_ALGORITHM = 'sha256-rfc8785';

type Sealed = Omit<ResultDocument, 'seal'> & { seal?: ResultDocument['seal'] | undefined };

/** The hexadecimal digest that a document's seal must carry. */
export function digestOf(document: Sealed): string {
  const { seal, ...rest } = document;
  const covered = { algorithm: seal?.algorithm ?? SEAL_ALGORITHM, ...(seal?.previous && { previous: seal.previous }) };
  const canonical = canonicalize({ ...rest, seal: covered });
  return createHash('sha256')
    .update(canonical ?? '')
    .digest('hex');
}

/**
 * The document with a fresh seal; any signature falls away. `previous` is the digest of the document that this one was
 * made from (by an importer, or by a run that continues another).
 */
export function sealDocument(document: Sealed, previous?: string): ResultDocument {
  const { seal: _old, ...rest } = document;
  const seal = { algorithm: SEAL_ALGORITHM, ...(previous !== undefined && { previous }) };
  const digest = digestOf({ ...rest, seal: { ...seal, digest: '' } });
  return { ...rest, seal: { ...seal, digest } };
}

export type SealState = 'intact' | 'broken' | 'absent' | 'unknown algorithm';

/** Whether the document is still what was sealed. Give the document as parsed, before any key was dropped. */
export function checkSeal(document: Sealed): SealState {
  if (document.seal === undefined) return 'absent';
  if (document.seal.algorithm !== SEAL_ALGORITHM) return 'unknown algorithm';
  return digestOf(document) === document.seal.digest ? 'intact' : 'broken';
}
