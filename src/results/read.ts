/**
 * Reads result documents that may come from anywhere. Whatever a file holds, the answer is a valid document or one
 * sentence and exit code 2: sizes and depth are bounded before anything walks the content, and keys that could reach into
 * an object's prototype, or that stand twice, are refused.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { AibenchError, messageOf } from '../errors.ts';
import { type ResultDocument, resultSchema, SCHEMA_ID } from './schema.ts';

/** Far above any real document (a day of telemetry is about 50 MiB), and below what a JavaScript string can hold. */
export const MAX_DOCUMENT_BYTES = 256 * 2 ** 20;
/** The schema itself nests 8 deep. */
const MAX_DEPTH = 32;
const FORBIDDEN_KEYS = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * The document in `file`, as it was parsed: keys that this version does not know are kept, so that the seal still covers
 * them.
 * @throws AibenchError DOCUMENT_UNREADABLE or DOCUMENT_INVALID, exit 2.
 */
export function readDocument(file: string): ResultDocument {
  return parseDocument(readText(file, MAX_DOCUMENT_BYTES), file);
}

/** The text of a regular file of at most `maxBytes`; shared by everything that reads files of strangers. */
export function readText(file: string, maxBytes: number): string {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    throw unreadable(file, reasonOf(error), 'Check the path and its permissions.');
  }
  try {
    const { size } = fileStat(descriptor, file);
    if (size > maxBytes) {
      throw unreadable(
        file,
        `it is larger than ${maxBytes / 2 ** 20} MiB`,
        'Split it, or leave out the telemetry series.',
      );
    }
    return readFileSync(descriptor, 'utf8');
  } catch (error) {
    if (error instanceof AibenchError) throw error;
    throw unreadable(file, reasonOf(error), 'Check the file.');
  } finally {
    closeSync(descriptor);
  }
}

function fileStat(descriptor: number, file: string): { size: number } {
  const stat = fstatSync(descriptor);
  if (!stat.isFile())
    throw unreadable(file, stat.isDirectory() ? 'it is a folder' : 'it is not a regular file', 'Name a file.');
  return stat;
}

/**
 * Checks text that claims to be a document. `name` stands in the error.
 * @throws AibenchError DOCUMENT_INVALID, exit 2.
 */
export function parseDocument(text: string, name: string): ResultDocument {
  const value = parseJson(text, name);
  checkVersion(value, name);
  const parsed = resultSchema.safeParse(value);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const where = issue === undefined || issue.path.length === 0 ? 'the document' : issue.path.map(String).join('.');
    throw invalid(name, `${where}: ${firstLower(issue?.message ?? 'not valid')}`);
  }
  const document = value as ResultDocument;
  const seen = new Set<string>();
  for (const { id } of document.cases) {
    if (seen.has(id)) throw invalid(name, `the case ${id.slice(0, 200)} stands twice`);
    seen.add(id);
  }
  return document;
}

/**
 * JSON of a stranger, as plain data: bounded depth, no key twice, no key that names a prototype.
 * @throws AibenchError DOCUMENT_INVALID, exit 2.
 */
export function parseJson(text: string, name: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw invalid(
      name,
      text.trim() === '' ? 'it is empty' : `it is not JSON, or cut short (${text.length} characters)`,
    );
  }
  if (walk(value, name) !== countKeys(text)) throw invalid(name, 'a key stands twice in one object');
  return value;
}

/** Number of keys in all objects of the value, whose own depth is `depth`. Lists of numbers, most of a document, cost a look each. */
function walk(value: unknown, name: string, depth = 0): number {
  if (typeof value !== 'object' || value === null) return 0;
  if (depth > MAX_DEPTH) throw invalid(name, `it is nested deeper than ${MAX_DEPTH} levels`);
  let keys = 0;
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') keys += walk(item, name, depth + 1);
    return keys;
  }
  for (const key of Object.keys(value)) {
    keys += 1;
    if (FORBIDDEN_KEYS.has(key)) throw invalid(name, `it holds the key ${key}`);
    const item = (value as Record<string, unknown>)[key];
    if (typeof item === 'object') keys += walk(item, name, depth + 1);
  }
  return keys;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COLON = 0x3a;

/** Strings that a colon follows, in text that is known to be JSON. JSON.parse drops the first of two equal keys silently. */
function countKeys(text: string): number {
  let keys = 0;
  for (let start = text.indexOf('"'); start !== -1; ) {
    let end = text.indexOf('"', start + 1);
    while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
    if (end === -1) break;
    let after = end + 1;
    while (isBlank(text.charCodeAt(after))) after += 1;
    if (text.charCodeAt(after) === COLON) keys += 1;
    start = text.charCodeAt(after) === QUOTE ? after : text.indexOf('"', after);
  }
  return keys;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text.charCodeAt(at - 1 - slashes) === BACKSLASH) slashes += 1;
  return slashes % 2 === 1;
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09;
}

function checkVersion(value: unknown, name: string): void {
  const id: unknown = typeof value === 'object' && value !== null && 'schema' in value ? value.schema : undefined;
  if (id === SCHEMA_ID) return;
  const version = typeof id === 'string' ? /^aibench\.result\/(\d{1,6})$/.exec(id)?.[1] : undefined;
  if (version === undefined) {
    throw new AibenchError(
      'DOCUMENT_INVALID',
      `${name} is not a result document of aibench: its schema is not ${SCHEMA_ID}.`,
      "Name a file that `aibench run -o` wrote; for other tools' output there is `aibench import`.",
    );
  }
  throw new AibenchError(
    'DOCUMENT_INVALID',
    `${name} is of version ${version} of the result format; this aibench reads version 1.`,
    'Install the version of aibench that wrote it, or a newer one.',
  );
}

function invalid(name: string, fact: string): AibenchError {
  return new AibenchError(
    'DOCUMENT_INVALID',
    `${name} is not a valid result document: ${oneLine(fact)}.`,
    'Use the file as `aibench run` or `aibench import` wrote it.',
  );
}

function unreadable(name: string, fact: string, remedy: string): AibenchError {
  return new AibenchError('DOCUMENT_UNREADABLE', `${name} cannot be read: ${oneLine(fact)}.`, remedy);
}

function reasonOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  const known: Record<string, string> = {
    ENOENT: 'there is no such file',
    EACCES: 'permission denied',
    EPERM: 'permission denied',
    EISDIR: 'it is a folder',
    ENOTDIR: 'a part of the path is a file',
    ELOOP: 'its symbolic links run in a circle',
    ENAMETOOLONG: 'the name is too long',
  };
  return known[code ?? ''] ?? messageOf(error);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/\.$/, '').slice(0, 400);
}

function firstLower(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
