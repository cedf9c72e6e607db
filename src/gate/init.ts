/** Writes a first policy for what a document holds: one rule per workload and headline, ready to be edited. Pure. */
import { stringify } from 'yaml';
import { metricDefinition } from '../analysis/metrics.ts';
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import { POLICY_SCHEMA_ID } from './policy.ts';
import { THROUGHPUT_PER_WATT } from './quantities.ts';
import { paramText } from './selector.ts';

interface Group {
  workload: string;
  backend: string;
  metric: string;
  cases: CaseResult[];
}

/** `margin` as written: it goes into the policy as the user gave it. */
export function initialPolicy(document: ResultDocument, margin: string): string {
  const groups = groupsOf(document);
  const lines = [
    `# What must hold for a machine to be accepted. Written by \`aibench gate init\`; made to be edited.`,
    '# Selectors: metric{workload:gemm,dtype:bf16|f16,backend:native}; any parameter of a workload is a tag.',
    '# Rules: not_worse, better_by, equivalent (a margin such as 5%); at_least, at_most (a value with its unit);',
    '#   quantile_at_most ({quantile: 99%, value: 10 ms}); exact (true). One per rule.',
    '# Levels: error decides, warn is shown, off is kept for later. Every rule says why it is there.',
    scalar('schema', POLICY_SCHEMA_ID),
    scalar('name', `acceptance by ${document.suite.name}`),
    '# One-sided error: the chance that a machine exactly at a margin passes.',
    'alpha: 0.05',
    'rules:',
  ];
  const ids = new Set<string>();
  const push = (id: string, on: string, reason: string, level: 'error' | 'warn'): void => {
    lines.push(...rule(unused(id, ids), on, margin, reason, level));
  };
  for (const group of groups) {
    const { workload, backend, metric, cases } = group;
    const telling = tellingTag(group, groups);
    const tags = [`workload:${workload}`, `backend:${backend}`].filter(tag => !tag.endsWith(':'));
    const names = [workload, backend];
    if (telling !== null) {
      tags.push(`${telling.name}:${telling.values.join('|')}`);
      names.push(telling.values.length === 1 && telling.name !== 'id' ? telling.values.join() : metric);
    }
    const id = names.map(slug).join('-').slice(0, LONGEST_ID);
    const better = metricDefinition(metric)?.better ?? 'higher';
    const what = better === 'higher' ? 'what the machine was bought for' : 'a wait that the work on the machine feels';
    push(id, `${metric}{${tags.join(',')}}`, `${workload}: ${what}`, 'error');
    const readings = cases.flatMap(({ energy }) => energy);
    const scopes = new Set(
      readings.filter(entry => entry.status === 'ok' && entry.throughputPerWatt !== null).map(({ scope }) => scope),
    );
    for (const scope of scopes)
      push(
        `${id}-${scope}-energy`,
        `${THROUGHPUT_PER_WATT}{${tags.join(',')},scope:${scope}}`,
        'power is half of what a machine costs',
        'warn',
      );
  }
  lines.push(
    '  # An absolute floor, say from the offer:',
    '  # - id: offer',
    '  #   reason: the vendor promised this',
    '  #   on: flops_per_second{workload:gemm,dtype:bf16}',
    '  #   at_least: 600 TFLOP/s',
  );
  return `${lines.join('\n')}\n`;
}

/** One group for each workload, backend and headline: a rule has one metric. */
function groupsOf(document: ResultDocument): Group[] {
  const groups = new Map<string, Group>();
  for (const result of document.cases) {
    const { workload, backend, headline, status } = result;
    if (status !== 'measured' || headline === null) continue;
    const key = `${workload}/${backend}/${headline}`;
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { workload, backend, metric: headline, cases: [result] });
    else group.cases.push(result);
  }
  return [...groups.values()];
}

/**
 * The tag that keeps a rule off the cases of the same workload that have another headline: a parameter whose values the
 * groups do not share, else the ids. A case that lacks the metric would leave the rule undecided for ever.
 */
function tellingTag(group: Group, all: readonly Group[]): { name: string; values: string[] } | null {
  const others = all.filter(
    other => other !== group && other.workload === group.workload && other.backend === group.backend,
  );
  if (others.length === 0) return null;
  const foreignCases = others.flatMap(other => other.cases);
  const valuesOf = (cases: readonly CaseResult[], name: string): string[] => [
    ...new Set(cases.map(({ params }) => paramText(params[name]))),
  ];
  for (const name of Object.keys(group.cases[0]?.params ?? {})) {
    const values = valuesOf(group.cases, name);
    const foreign = valuesOf(foreignCases, name);
    if (values.every(value => PLAIN.test(value) && !foreign.includes(value))) return { name, values };
  }
  return { name: 'id', values: group.cases.map(({ id }) => id) };
}

/** Of a rule, with room for a suffix. */
const LONGEST_ID = 70;

/** Values that stand in a selector as they are. */
const PLAIN = /^[\w.+-]+$/;

function unused(id: string, taken: Set<string>): string {
  let name = id;
  for (let number = 2; taken.has(name); number++) name = `${id}-${number}`;
  taken.add(name);
  return name;
}

function rule(id: string, on: string, margin: string, reason: string, level: 'error' | 'warn'): string[] {
  return [
    `  - ${scalar('id', id)}`,
    `    ${scalar('reason', reason)}`,
    `    level: ${level}`,
    `    ${scalar('on', on)}`,
    `    ${scalar('not_worse', margin)}`,
  ];
}

/** One line of YAML, quoted where it has to be. */
function scalar(key: string, value: string): string {
  return stringify({ [key]: value }, { lineWidth: 0 }).trimEnd();
}

function slug(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^-+|-+$/g, '') || 'case'
  );
}
