/**
 * YAML that people write for us (suites, policies), read strictly: a duplicate key, an unknown key or a value of the wrong
 * kind is an error with file, line and, for a misspelt key, the nearest known one. Nothing in it is ever evaluated.
 */
import { type Document, LineCounter, parseDocument, visit } from 'yaml';
import type { z } from 'zod';
import { AibenchError } from '../errors.ts';
import { nearest } from './nearest.ts';

const MAX_BYTES = 1 << 20;
const MAX_ALIASES = 100;
const MAX_DEPTH = 32;

export interface StrictYaml<T> {
  value: T;
  /** `file:line:column` of the node at a path, for errors that are found later. */
  locate(path: readonly PropertyKey[]): string;
}

/**
 * Parses `text` and checks it against `schema`.
 * @throws AibenchError with `code`, exit 2; the message starts with `file:line:column`.
 */
export function parseStrictYaml<T>(text: string, file: string, schema: z.ZodType<T>, code: string): StrictYaml<T> {
  const fail = (message: string, remedy: string): never => {
    throw new AibenchError(code, message, remedy);
  };
  if (text.length > MAX_BYTES) fail(`${file} is larger than 1 MiB.`, 'Split it.');
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    uniqueKeys: true,
    strict: true,
    version: '1.2',
    prettyErrors: false,
  });
  const problem = document.errors[0];
  if (problem !== undefined) {
    fail(`${file}:${position(lines, problem.pos[0])}: ${oneLine(problem.message)}.`, 'Correct the YAML there.');
  }
  const locate = (path: readonly PropertyKey[]): string => `${file}:${position(lines, offsetOf(document, path))}`;
  checkShape(document, locate, fail);
  let plain: unknown;
  try {
    plain = document.toJS({ maxAliasCount: MAX_ALIASES });
  } catch {
    fail(`${file} repeats its aliases too often.`, 'Write the values out instead of using YAML anchors.');
  }
  const parsed = schema.safeParse(plain);
  if (parsed.success) return { value: parsed.data, locate };
  const { message, remedy, path } = describeIssue(parsed.error.issues[0], schema);
  return fail(`${locate(path)}: ${message}${message.endsWith('?') ? '' : '.'}`, remedy);
}

/** Refuses what no suite or policy needs and what could be used against the reader: cycles, depth, `__proto__`. */
function checkShape(
  document: Document,
  locate: (path: readonly PropertyKey[]) => string,
  fail: (message: string, remedy: string) => never,
): void {
  visit(document, {
    Node: (_key, _node, path) => {
      if (path.length > 2 * MAX_DEPTH) fail(`${locate([])}: nested deeper than ${MAX_DEPTH} levels.`, 'Flatten it.');
    },
    Pair: (_key, pair) => {
      const name = String((pair.key as { value?: unknown } | null)?.value ?? '');
      if (name === '__proto__' || name === 'constructor' || name === 'prototype')
        fail(`${locate([])}: the key ${name} is not allowed.`, 'Rename it.');
    },
    Alias: (_key, alias) => {
      const target = alias.resolve(document);
      if (target === undefined)
        fail(`${locate([])}: the alias *${alias.source} names nothing.`, 'Define the anchor before it is used.');
      let cyclic = false;
      visit(target as never, {
        Alias: (_innerKey, inner) => {
          if (inner.source === alias.source) cyclic = true;
        },
      });
      if (cyclic) fail(`${locate([])}: the alias *${alias.source} contains itself.`, 'Write the value out.');
    },
  });
}

interface Described {
  message: string;
  remedy: string;
  path: readonly PropertyKey[];
}

/** One zod issue in one sentence. */
export function describeIssue(issue: z.core.$ZodIssue | undefined, schema: z.ZodType): Described {
  if (issue === undefined) return { message: 'not valid', remedy: 'See the documentation of the format.', path: [] };
  const where = issue.path.length > 0 ? `\`${issue.path.join('.')}\`` : 'the document';
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const known = knownKeys(schema, issue.path);
    const guess = nearest(key, known);
    return {
      message: `unknown key \`${key}\`${issue.path.length > 0 ? ` in ${where}` : ''}${guess === null ? '' : `; did you mean \`${guess}\`?`}`,
      remedy: known.length > 0 ? `Known keys: ${known.join(', ')}.` : 'Remove the key.',
      path: [...issue.path, key],
    };
  }
  if (issue.code === 'invalid_union' && issue.errors.length > 0) {
    const closest = issue.errors.flat().find(inner => inner.code !== 'invalid_type') ?? issue.errors.flat()[0];
    if (closest !== undefined)
      return describeIssue({ ...closest, path: [...issue.path, ...closest.path] } as z.core.$ZodIssue, schema);
  }
  return {
    message: `${where}: ${plainWords(issue)}`,
    remedy: 'Correct the value there.',
    path: issue.path,
  };
}

const KINDS: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'a mapping of keys to values',
  record: 'a mapping of keys to values',
};

/** A zod issue's fact for people who do not know zod. */
export function plainWords(issue: z.core.$ZodIssue): string {
  const isNumber = (issue.code === 'too_small' || issue.code === 'too_big') && /^(number|int)$/.test(issue.origin);
  if (issue.code === 'too_small' && isNumber)
    return `it must be ${issue.inclusive === false ? 'more than' : 'at least'} ${issue.minimum}`;
  if (issue.code === 'too_big' && isNumber)
    return `it must be ${issue.inclusive === false ? 'less than' : 'at most'} ${issue.maximum}`;
  if (issue.code === 'invalid_type') {
    if (/received undefined$/.test(issue.message)) return 'it is missing';
    const kind = KINDS[issue.expected];
    if (kind !== undefined) return `it must be ${kind}`;
  }
  if (issue.code === 'invalid_value')
    return `it must be ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.map(String).join(', ')}`;
  return `${issue.message.charAt(0).toLowerCase()}${issue.message.slice(1)}`;
}

/** What this file needs to know of a zod schema to find the object at a path. */
interface SchemaNode {
  _zod: { def: { type: string } };
  unwrap?: () => SchemaNode;
  element?: SchemaNode;
  shape?: Record<string, SchemaNode>;
}

const WRAPPERS = ['optional', 'default', 'nullable', 'prefault'];

/** Keys that the object schema at `path` takes; empty where it is no object. */
function knownKeys(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  let node = unwrapped(schema as unknown as SchemaNode);
  for (const step of path) node = unwrapped(typeof step === 'number' ? node?.element : node?.shape?.[String(step)]);
  return Object.keys(node?.shape ?? {});
}

function unwrapped(node: SchemaNode | undefined): SchemaNode | undefined {
  let inner = node;
  while (inner !== undefined && WRAPPERS.includes(inner._zod.def.type)) inner = inner.unwrap?.();
  return inner;
}

function offsetOf(document: Document, path: readonly PropertyKey[]): number {
  for (let length = path.length; length > 0; length--) {
    const keys = path.slice(0, length);
    const parent = length === 1 ? document.contents : (document.getIn(keys.slice(0, -1), true) as unknown);
    const pair = (parent as { items?: { key?: { value?: unknown; range?: number[] } }[] } | null)?.items?.find(
      item => item?.key?.value === keys.at(-1),
    );
    if (pair?.key?.range?.[0] !== undefined) return pair.key.range[0];
    const node = document.getIn(keys, true) as { range?: number[] } | undefined;
    if (node?.range?.[0] !== undefined) return node.range[0];
  }
  return document.contents?.range?.[0] ?? 0;
}

function position(lines: LineCounter, offset: number): string {
  const { line, col } = lines.linePos(offset);
  return `${line}:${col}`;
}

function oneLine(text: string): string {
  return (text.split('\n')[0] ?? text).replace(/\.$/, '');
}
