/** Writes a first policy for what a document holds: one rule per workload and headline, ready to be edited. Pure. */
import { stringify } from 'yaml';
import type { ResultDocument } from '../results/schema.ts';
import { POLICY_SCHEMA_ID } from './policy.ts';
import { THROUGHPUT_PER_WATT } from './quantities.ts';

/** `margin` as written: it goes into the policy as the user gave it. */
export function initialPolicy(document: ResultDocument, margin: string): string {
  const groups = new Map<string, { workload: string; backend: string; metric: string; scopes: Set<string> }>();
  for (const { workload, backend, headline, status, energy } of document.cases) {
    if (status !== 'measured' || headline === null) continue;
    const key = `${workload}/${backend}/${headline}`;
    const group = groups.get(key) ?? { workload, backend, metric: headline, scopes: new Set<string>() };
    for (const entry of energy)
      if (entry.status === 'ok' && entry.throughputPerWatt !== null) group.scopes.add(entry.scope);
    groups.set(key, group);
  }
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
  for (const { workload, backend, metric, scopes } of groups.values()) {
    const tags = `workload:${workload},backend:${backend}`;
    lines.push(
      ...rule(
        `${slug(workload)}-${slug(backend)}`,
        `${metric}{${tags}}`,
        margin,
        `the rate that ${workload} was bought for`,
        true,
      ),
    );
    for (const scope of scopes)
      lines.push(
        ...rule(
          `${slug(workload)}-${slug(backend)}-${scope}-energy`,
          `${THROUGHPUT_PER_WATT}{${tags},scope:${scope}}`,
          margin,
          'power is half of what a machine costs',
          false,
        ),
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

function rule(id: string, on: string, margin: string, reason: string, decides: boolean): string[] {
  return [
    `  - ${scalar('id', id)}`,
    `    ${scalar('reason', reason)}`,
    `    level: ${decides ? 'error' : 'warn'}`,
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
