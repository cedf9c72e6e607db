/** Reads documents that a decision will rest on. */
import { AibenchError, allOrErrors } from '../errors.ts';
import { verifyDocument } from '../evidence/verify.ts';
import type { ResultDocument } from '../results/schema.ts';
import { readDocuments } from './documents.ts';

export interface EvidenceDemands {
  seal: 'required' | 'optional';
  signedBy?: readonly string[] | undefined;
}

/**
 * Documents that a decision may rest on: the seal holds, the summaries follow from the samples, and where the policy names
 * keys one of them has signed.
 * @throws AibenchError EVIDENCE_BROKEN, exit 2, naming every file that does not hold, each with its first mismatch.
 */
export function readEvidence(files: readonly string[], demands: EvidenceDemands): ResultDocument[] {
  const documents = readDocuments(files);
  allOrErrors(documents, (document, index) => {
    const file = files[index] ?? '';
    const { seal, signature, mismatches } = verifyDocument(document);
    const [first] = mismatches;
    if (first !== undefined) {
      throw broken(
        `${file} does not hold: ${first.where}: ${first.what}`,
        '`aibench verify` lists all; take the file as it was written.',
      );
    }
    if (seal === 'absent' && demands.seal === 'required') {
      throw broken(
        `${file} carries no seal`,
        'Use the file as `aibench run` wrote it, or set evidence.seal to optional in the policy.',
      );
    }
    if (demands.signedBy === undefined) return;
    if (signature.state !== 'good' || !demands.signedBy.includes(signature.key)) {
      const fact =
        signature.state === 'good' ? `is signed by ${signature.key}, which the policy does not name` : 'is not signed';
      throw broken(
        `${file} ${fact}`,
        'Have it signed with `aibench sign`, by a key that the policy names in evidence.signedBy.',
      );
    }
  });
  return documents;
}

function broken(fact: string, remedy: string): AibenchError {
  return new AibenchError('EVIDENCE_BROKEN', `${fact}.`, remedy);
}
