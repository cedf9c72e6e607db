/**
 * Ed25519 signatures of seals (RFC 8032, through node:crypto). The signature in a document carries the public key, so that
 * a reader can tell who is meant; whether that key is to be trusted is the reader's to say.
 */
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { closeSync, fstatSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { AibenchError, messageOf } from '../errors.ts';
import type { ResultDocument } from './schema.ts';

const CONTEXT = 'aibench.seal/1:';
const RAW_KEY_BYTES = 32;
const SIGNATURE = /^ed25519:([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{86}==)$/;

/** The sealed document with a signature over its digest. */
export function signDocument(document: ResultDocument, privateKey: KeyObject): ResultDocument {
  const { seal } = document;
  if (seal === undefined) {
    throw new AibenchError('SIGN_UNSEALED', 'The document has no seal to sign.', 'Run it through `aibench run` again.');
  }
  const bytes = sign(null, Buffer.from(CONTEXT + seal.digest), privateKey).toString('base64');
  const key = publicText(createPublicKey(privateKey));
  return { ...document, seal: { ...seal, signature: `${key}:${bytes}` } };
}

export type SignatureState =
  | { state: 'absent' | 'broken' | 'malformed' }
  /** `key` is `ed25519:<base64 of the public key>`, as policies name it. */
  | { state: 'good'; key: string };

/** Checks the signature against the digest that the seal states; check the seal too. */
export function checkSignature(document: ResultDocument): SignatureState {
  const { seal } = document;
  if (seal?.signature === undefined) return { state: 'absent' };
  const match = SIGNATURE.exec(seal.signature);
  if (match?.[1] === undefined || match[2] === undefined) return { state: 'malformed' };
  try {
    const key = publicFromRaw(Buffer.from(match[1], 'base64'));
    const good = verify(null, Buffer.from(CONTEXT + seal.digest), key, Buffer.from(match[2], 'base64'));
    return good ? { state: 'good', key: publicText(key) } : { state: 'broken' };
  } catch {
    return { state: 'malformed' };
  }
}

/** `ed25519:<base64>` of a public key: what stands in signatures and in a policy's `signedBy`. */
export function publicText(key: KeyObject): string {
  const der = key.export({ type: 'spki', format: 'der' });
  return `ed25519:${der.subarray(der.length - RAW_KEY_BYTES).toString('base64')}`;
}

function publicFromRaw(raw: Buffer): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw.toString('base64url') }, format: 'jwk' });
}

/**
 * The private key in a PEM file that only its owner may read.
 * @throws AibenchError KEY_UNREADABLE or KEY_EXPOSED, exit 2.
 */
export function readPrivateKey(file: string): KeyObject {
  const descriptor = openKey(file);
  try {
    const { mode } = fstatSync(descriptor);
    if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
      throw new AibenchError(
        'KEY_EXPOSED',
        `The private key ${file} may be read by others (mode ${(mode & 0o777).toString(8)}).`,
        `Take their access away: chmod 600 ${file}; if others may have read it, make a new key.`,
      );
    }
    return requireEd25519(createPrivateKey(readFileSync(descriptor)), file);
  } catch (error) {
    throw asKeyError(error, file);
  } finally {
    closeSync(descriptor);
  }
}

/** The public key in a PEM file, or of a private one. */
export function readPublicKey(file: string): KeyObject {
  const descriptor = openKey(file);
  try {
    return requireEd25519(createPublicKey(readFileSync(descriptor)), file);
  } catch (error) {
    throw asKeyError(error, file);
  } finally {
    closeSync(descriptor);
  }
}

/** Writes a new pair: `file` (mode 600) and `file`.pub. Neither may exist. Returns the public key as text. */
export function writeKeyPair(file: string): string {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const place = (target: string, content: string | Buffer, mode: number): void => {
    try {
      writeFileSync(target, content, { flag: 'wx', mode });
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw new AibenchError(
        'KEY_UNWRITABLE',
        exists ? `${target} exists already.` : `${target} cannot be written: ${messageOf(error)}.`,
        exists ? 'Choose another name; an existing key is never overwritten.' : 'Choose another place.',
      );
    }
  };
  place(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), 0o600);
  try {
    place(`${file}.pub`, publicKey.export({ type: 'spki', format: 'pem' }), 0o644);
  } catch (error) {
    rmSync(file, { force: true });
    throw error;
  }
  return publicText(publicKey);
}

function openKey(file: string): number {
  try {
    return openSync(file, 'r');
  } catch (error) {
    throw asKeyError(error, file);
  }
}

function requireEd25519(key: KeyObject, file: string): KeyObject {
  if (key.asymmetricKeyType === 'ed25519') return key;
  throw new AibenchError(
    'KEY_UNREADABLE',
    `${file} holds a key of kind ${key.asymmetricKeyType ?? 'unknown'}, not Ed25519.`,
    'Make one with `aibench sign --generate-key <file>`.',
  );
}

function asKeyError(error: unknown, file: string): AibenchError {
  if (error instanceof AibenchError) return error;
  const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
  return new AibenchError(
    'KEY_UNREADABLE',
    missing ? `There is no key file ${file}.` : `${file} is not a key that can be read.`,
    'Give a PEM file of an Ed25519 key; `aibench sign --generate-key <file>` makes one.',
  );
}
