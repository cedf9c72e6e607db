/** JSON of other tools, checked against the part of their format that an importer reads. */
import type { z } from 'zod';
import { AibenchError } from '../errors.ts';
import { parseJson } from '../results/read.ts';

/** @throws AibenchError IMPORT_INVALID, exit 2. */
export function jsonInput<T>(text: string, name: string, tool: string, schema: z.ZodType<T>): T {
  let value: unknown;
  try {
    value = parseJson(text, name);
  } catch (error) {
    if (!(error instanceof AibenchError)) throw error;
    const fact = error.message.slice(error.message.indexOf(': ') + 2);
    throw notThis(name, tool, fact.replace(/\.$/, ''));
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw notThis(name, tool, `${issue?.path.map(String).join('.') || 'the whole'}: ${issue?.message ?? 'not valid'}`);
}

export function notThis(name: string, tool: string, fact: string): AibenchError {
  return new AibenchError(
    'IMPORT_INVALID',
    `${name} is not what ${tool} writes: ${fact.replace(/\s+/g, ' ').slice(0, 400)}.`,
    'Give the file as the tool wrote it; `aibench import` lists the formats.',
  );
}
