/** From what the user asked for (suite, --set, --filter, --model, --launches) to the cases that will run. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { z } from 'zod';
import { nearest } from '../config/nearest.ts';
import { plainWords } from '../config/strict-yaml.ts';
import { AibenchError } from '../errors.ts';
import { findWorkload, WORKLOADS } from '../workloads/registry.ts';
import { type Case, expandSuite } from './expand.ts';
import { type LoadedSuite, loadSuite } from './load.ts';
import { type Suite, suiteSchema, timingSchema } from './schema.ts';

export interface Selection {
  settings: readonly string[];
  filters: readonly string[];
  models: readonly string[];
  launches: number | undefined;
}

/**
 * Loads, changes, expands and filters.
 * @throws AibenchError, exit 2: a bad suite, setting or parameter, or a filter that leaves nothing.
 */
export function selectCases(suiteName: string, selection: Selection): { suite: LoadedSuite; cases: Case[] } {
  const loaded = loadSuite(suiteName);
  const value = selection.settings.reduce(applySetting, structuredClone(loaded.value));
  for (const [index, file] of selection.models.entries()) {
    if (selection.models.findIndex(other => path.resolve(other) === path.resolve(file)) !== index)
      throw new AibenchError('MODEL_REPEATED', `--model ${file} is given twice.`, 'Name each model once.');
    if (!existsSync(file)) {
      throw new AibenchError('MODEL_MISSING', `There is no model ${file}.`, 'Check the path given to --model.');
    }
    value.cases.push({
      workload: 'inference',
      params: { ...sharedParams(selection.settings), model: path.resolve(file) },
    });
  }
  if (selection.launches !== undefined) forceLaunches(value, selection.launches);
  const suite = { ...loaded, value };
  const cases = expandSuite(value, {
    findWorkload,
    workloadNames: WORKLOADS.map(({ name }) => name),
    locate: loaded.locate,
  });
  return { suite, cases: filterCases(cases, selection.filters) };
}

function forceLaunches(suite: Suite, launches: number): void {
  suite.launches = launches;
  for (const entry of suite.cases) {
    delete entry.launches;
    for (const override of entry.overrides ?? []) delete override.launches;
  }
}

/** `params.*` settings, for a case that --model adds after them. */
function sharedParams(settings: readonly string[]): Record<string, string | number | boolean> {
  return Object.fromEntries(
    settings
      .map(splitSetting)
      .flatMap(({ key, value }) => (key.startsWith('params.') ? [[key.slice('params.'.length), value]] : [])),
  );
}

function splitSetting(setting: string): { key: string; value: string | number | boolean } {
  const equals = setting.indexOf('=');
  if (equals <= 0)
    throw wrongSetting(
      setting,
      'it is not of the form key=value',
      'Write, for instance, --set timing.targetSeconds=2.',
    );
  const text = setting.slice(equals + 1);
  const value =
    text === 'true'
      ? true
      : text === 'false'
        ? false
        : text !== '' && Number.isFinite(Number(text))
          ? Number(text)
          : text;
  return { key: setting.slice(0, equals), value };
}

const TOP_KEYS = ['launches', 'idleSeconds', 'observerPairs', 'regime'];
const TIMING_KEYS = Object.keys(timingSchema.shape);

function applySetting(suite: Suite, setting: string): Suite {
  const { key, value } = splitSetting(setting);
  if (key.startsWith('params.')) return setParam(suite, key.slice('params.'.length), value, setting);
  const known = [...TOP_KEYS, ...TIMING_KEYS.map(name => `timing.${name}`)];
  if (!known.includes(key)) {
    const guess = nearest(key, known) ?? misspeltPrefix(key);
    throw wrongSetting(
      setting,
      `there is no setting \`${key}\`${guess === null ? '' : `; did you mean \`${guess}\`?`}`,
      `Settings: ${known.join(', ')}, params.<name>.`,
    );
  }
  if (key === 'launches') forceLaunches(suite, value as number);
  else if (key.startsWith('timing.')) setTiming(suite, key.slice('timing.'.length), value);
  else Object.assign(suite, { [key]: value });
  if (key === 'regime') for (const entry of suite.cases) delete entry.regime;
  const parsed = suiteSchema.safeParse(suite);
  if (!parsed.success) throw wrongSetting(setting, wordsOf(parsed.error.issues[0]), 'Give a value in range.');
  return parsed.data;
}

/** `parms.m` → `params.m`. */
function misspeltPrefix(key: string): string | null {
  const [prefix = '', ...rest] = key.split('.');
  const guess = nearest(prefix, ['params', 'timing']);
  return guess === null || rest.length === 0 ? null : [guess, ...rest].join('.');
}

function wordsOf(issue: Parameters<typeof plainWords>[0] | undefined): string {
  return issue === undefined ? 'the value does not fit' : plainWords(issue);
}

function setTiming(suite: Suite, key: string, value: unknown): void {
  Object.assign(suite.timing, { [key]: value });
  // What a case says for itself would win over the suite: the command line wins over both.
  for (const timing of suite.cases.flatMap(entry => [
    entry.timing,
    ...(entry.overrides ?? []).map(override => override.timing),
  ])) {
    if (timing !== undefined && key in timing) Object.assign(timing, { [key]: value });
  }
}

/** Sets a parameter in every case whose workload has it. Names are checked against the workloads' own schemas. */
function setParam(suite: Suite, name: string, value: string | number | boolean, setting: string): Suite {
  const has = (workload: string): boolean => parameterNames(workload).includes(name);
  const entries = suite.cases.filter(entry => has(entry.workload));
  if (entries.length === 0 && !has('inference')) {
    const known = [...new Set(suite.cases.flatMap(entry => parameterNames(entry.workload)))];
    const guess = nearest(name, known);
    throw wrongSetting(
      setting,
      `no case of this suite has a parameter \`${name}\`${guess === null ? '' : `; did you mean \`${guess}\`?`}`,
      `Parameters: ${known.join(', ')}.`,
    );
  }
  for (const entry of entries) {
    // Said here, since the suite's own line has nothing wrong.
    const checked = shapeOf(entry.workload)[name]?.safeParse(value);
    if (checked?.success === false)
      throw wrongSetting(
        setting,
        `for ${entry.workload} ${wordsOf(checked.error.issues[0])}`,
        'Give a value that fits.',
      );
    entry.params = { ...entry.params, [name]: value };
    if (entry.matrix !== undefined) delete entry.matrix[name];
    if (entry.each !== undefined) {
      const without = entry.each.map(({ [name]: _replaced, ...rest }) => rest);
      entry.each = [...new Map(without.map(set => [JSON.stringify(set), set])).values()];
    }
  }
  return suite;
}

function parameterNames(workload: string): string[] {
  return Object.keys(shapeOf(workload));
}

function shapeOf(workload: string): Partial<Record<string, z.ZodType>> {
  const schema = findWorkload(workload)?.params as { shape?: Record<string, z.ZodType> } | undefined;
  return schema?.shape ?? {};
}

function filterCases(cases: Case[], filters: readonly string[]): Case[] {
  if (filters.length === 0) return cases;
  const patterns = filters.map(
    filter =>
      new RegExp(
        filter
          .split('*')
          .map(part => part.replace(/[.+?^${}()|[\]\\]/g, '\\$&'))
          .join('.*'),
      ),
  );
  const kept = cases.filter(({ id }) => patterns.some(pattern => pattern.test(id)));
  if (kept.length === 0) {
    throw new AibenchError(
      'FILTER_EMPTY',
      `No case matches ${filters.map(filter => `--filter ${filter}`).join(' ')}.`,
      'See the case ids with --dry-run.',
    );
  }
  return kept;
}

function wrongSetting(setting: string, message: string, remedy: string): AibenchError {
  return new AibenchError('SETTING_INVALID', `--set ${setting}: ${message}.`, remedy);
}
