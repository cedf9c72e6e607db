/** Pure: from a suite to its cases, with stable ids. */

import { nearest } from '../config/nearest.ts';
import { describeIssue } from '../config/strict-yaml.ts';
import { AibenchError } from '../errors.ts';
import type { Params, ParamValue, Timing, Workload } from '../workloads/workload.ts';
import type { Suite, SuiteCase, Sweep } from './schema.ts';
import { sweepSizes } from './sweep.ts';

/** One case of a suite, ready to be run. */
export interface Case {
  /** Stable: workload, every parameter in a fixed order, backend. */
  id: string;
  workload: Workload<Params>;
  params: Params;
  backend: string;
  timing: Timing;
  launches: number;
  /** Absent: peak. */
  regime?: 'sustained';
}

const DEFAULT_TIMING: Timing = {
  maxWarmupSeconds: 1,
  minSampleSeconds: 0.001,
  targetSeconds: 0.5,
  minSamples: 10,
  maxSamples: 10_000,
};

export interface Expansion {
  findWorkload(name: string): Workload<Params> | undefined;
  workloadNames: readonly string[];
  /** `file:line` of a path in the suite, for errors. */
  locate(path: readonly PropertyKey[]): string;
}

/**
 * All cases of a suite in its order.
 * @throws AibenchError SUITE_INVALID for an unknown workload, backend or parameter, a value out of range, a case that
 * stands in it twice.
 */
export function expandSuite(suite: Suite, expansion: Expansion): Case[] {
  const cases = suite.cases.flatMap((entry, index) => expandEntry(suite, entry, index, expansion));
  const seen = new Map<string, Case>();
  for (const item of cases) {
    if (seen.has(item.id))
      throw invalid(
        expansion.locate(['cases']),
        `the case ${item.id} stands in the suite twice`,
        'Remove one of the two.',
      );
    seen.set(item.id, item);
  }
  return cases;
}

function expandEntry(suite: Suite, entry: SuiteCase, index: number, expansion: Expansion): Case[] {
  const path = ['cases', index];
  const workload = expansion.findWorkload(entry.workload);
  if (workload === undefined) {
    const guess = nearest(entry.workload, expansion.workloadNames);
    throw invalid(
      expansion.locate([...path, 'workload']),
      `unknown workload \`${entry.workload}\`${guess === null ? '' : `; did you mean \`${guess}\`?`}`,
      `Known workloads: ${expansion.workloadNames.join(', ')}.`,
    );
  }
  const backends = entry.backend === undefined ? [workload.backends[0] ?? ''] : [entry.backend].flat();
  for (const backend of backends) {
    if (!workload.backends.includes(backend)) {
      throw invalid(
        expansion.locate([...path, 'backend']),
        `the workload ${workload.name} has no backend \`${backend}\``,
        `Its backends: ${workload.backends.join(', ')}.`,
      );
    }
  }
  return combinations(entry, key => expansion.locate([...path, 'matrix', key])).flatMap(raw => {
    const matching = (entry.overrides ?? []).filter(({ when }) =>
      Object.entries(when).every(([key, value]) => raw[key] === value),
    );
    if (matching.some(override => override.skip === true)) return [];
    const params = parseParams(
      workload,
      Object.assign({}, raw, ...matching.map(override => override.params ?? {})),
      path,
      expansion,
    );
    const timing: Timing = Object.assign(
      {},
      DEFAULT_TIMING,
      suite.timing,
      entry.timing,
      ...matching.map(override => override.timing ?? {}),
    );
    const launches =
      matching.findLast(override => override.launches !== undefined)?.launches ?? entry.launches ?? suite.launches;
    if (timing.maxSamples < timing.minSamples) {
      throw invalid(
        expansion.locate(path),
        `maxSamples (${timing.maxSamples}) is below minSamples (${timing.minSamples})`,
        'Raise maxSamples or lower minSamples.',
      );
    }
    const sustained = (entry.regime ?? suite.regime) === 'sustained';
    return backends.map(backend => ({
      id: caseId(workload.name, params, backend) + (sustained ? '/regime=sustained' : ''),
      workload,
      params,
      backend,
      timing,
      launches,
      ...(sustained ? { regime: 'sustained' as const } : {}),
    }));
  });
}

/** The sets of raw parameters of an entry: `params`, times each set of `each`, times the matrix. */
function combinations(entry: SuiteCase, locate: (key: string) => string): Record<string, ParamValue>[] {
  let sets: Record<string, ParamValue>[] = (entry.each ?? [{}]).map(set => ({ ...entry.params, ...set }));
  for (const [key, values] of Object.entries(entry.matrix ?? {})) {
    const list = Array.isArray(values) ? values : sizesOf(values, locate(key));
    sets = sets.flatMap(set => list.map(value => ({ ...set, [key]: value })));
  }
  return sets;
}

function sizesOf(sweep: Sweep, where: string): number[] {
  const sizes = sweepSizes(sweep);
  if (typeof sizes === 'string')
    throw invalid(where, sizes, 'Write, for instance, { from: 8, to: 256MiB, factor: 4 }.');
  return sizes;
}

function parseParams(workload: Workload<Params>, raw: Params, path: (string | number)[], expansion: Expansion): Params {
  const parsed = workload.params.safeParse(raw);
  if (parsed.success) return parsed.data;
  const { message, remedy, path: inner } = describeIssue(parsed.error.issues[0], workload.params);
  const key = String(inner[0] ?? '');
  const where = ['params', 'matrix', 'each'].map(part => expansion.locate([...path, part, key]));
  const entryAt = expansion.locate(path);
  const place = where.find(candidate => candidate !== entryAt) ?? entryAt;
  throw invalid(place, `${workload.name}: ${message}`, remedy);
}

/** `gemm/dtype=f32,m=2048,n=2048,k=2048,threads=all/backend=native` */
export function caseId(workload: string, params: Params, backend: string): string {
  const list = Object.entries(params)
    .map(([key, value]) => `${key}=${Array.isArray(value) ? value.join('+') : value}`)
    .join(',');
  return `${workload}/${list}/backend=${backend}`;
}

function invalid(where: string, message: string, remedy: string): AibenchError {
  return new AibenchError('SUITE_INVALID', `${where}: ${message}${message.endsWith('?') ? '' : '.'}`, remedy);
}
