/** Finds a suite (a file, or one of ours by name), applies --set and --model, and reads it strictly. */
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { nearest } from '../config/nearest.ts';
import { parseStrictYaml, type StrictYaml } from '../config/strict-yaml.ts';
import { AibenchError, messageOf } from '../errors.ts';
import { packageRoot } from '../native/addon.ts';
import { type Suite, suiteSchema } from './schema.ts';

export interface LoadedSuite extends StrictYaml<Suite> {
  file: string;
  /** Of the file's bytes. */
  sha256: string;
  source: string;
}

const suiteFolder = path.join(packageRoot, 'suites');

/** Names of the suites that come with aibench. */
export function builtinSuites(): string[] {
  return readdirSync(suiteFolder)
    .filter(file => file.endsWith('.yaml'))
    .map(file => file.slice(0, -'.yaml'.length))
    .sort();
}

/**
 * Reads the suite of that name or path.
 * @throws AibenchError SUITE_UNKNOWN, SUITE_UNREADABLE or SUITE_INVALID, exit 2.
 */
export function loadSuite(nameOrPath: string): LoadedSuite {
  const file = findSuite(nameOrPath);
  let source: string;
  try {
    source = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AibenchError(
      'SUITE_UNREADABLE',
      `The suite ${nameOrPath} cannot be read: ${messageOf(error)}.`,
      'Check the path and its permissions.',
    );
  }
  const shown = path.dirname(file) === suiteFolder ? path.join('suites', path.basename(file)) : nameOrPath;
  const parsed = parseStrictYaml(source, shown, suiteSchema, 'SUITE_INVALID');
  return { ...parsed, file, source, sha256: createHash('sha256').update(source).digest('hex') };
}

function findSuite(nameOrPath: string): string {
  if (existsSync(nameOrPath) && statSync(nameOrPath).isFile()) return path.resolve(nameOrPath);
  const names = builtinSuites();
  if (names.includes(nameOrPath)) return path.join(suiteFolder, `${nameOrPath}.yaml`);
  const guess = nearest(nameOrPath, names);
  throw new AibenchError(
    'SUITE_UNKNOWN',
    `There is no suite \`${nameOrPath}\`, neither a file nor one of ours${guess === null ? '.' : `; did you mean \`${guess}\`?`}`,
    `Suites: ${names.join(', ')}. \`aibench list suites\` says what each answers.`,
  );
}
