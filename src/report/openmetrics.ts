/** OpenMetrics text (1.0): gauges with the case as labels. Also what a Prometheus textfile collector takes. */
import type { ReportFormat } from './format.ts';
import { type FlatValue, flatValues, hostName } from './measurements.ts';

export const openmetrics: ReportFormat = {
  name: 'openmetrics',
  summary: 'OpenMetrics text, for Prometheus (textfile collector) and what reads it',
  render: documents => `${families(flatValues(documents)).join('')}# EOF\n`,
};

/** GitLab reads the same lines, without metadata. */
export const gitlab: ReportFormat = {
  name: 'gitlab',
  summary: 'metrics report of GitLab (artifacts:reports:metrics)',
  render: documents =>
    flatValues(documents)
      .map(value => `aibench_${value.name}${labels(value)} ${value.value}\n`)
      .join(''),
};

/** All samples of a family stand together, and no two of the same labels: the format demands it. */
function families(values: readonly FlatValue[]): string[] {
  const byName = new Map<string, FlatValue[]>();
  for (const value of values) byName.set(value.name, [...(byName.get(value.name) ?? []), value]);
  return [...byName].flatMap(([name, members]) => {
    const first = members[0];
    const unit = first === undefined ? '' : first.unit;
    const lines = (suffix: string, of: (value: FlatValue) => number | undefined): string =>
      members
        .flatMap(member => {
          const number = of(member);
          return number === undefined ? [] : [`aibench_${name}${suffix}${labels(member)} ${number}\n`];
        })
        .join('');
    const family = (suffix: string, help: string, text: string): string =>
      text === '' ? '' : `# TYPE aibench_${name}${suffix} gauge\n# HELP aibench_${name}${suffix} ${help}\n${text}`;
    return [
      family(
        '',
        `in ${unit}`,
        lines('', member => member.value),
      ),
      family(
        '_interval_low',
        `lower end of the interval, in ${unit}`,
        lines('_interval_low', member => member.interval?.[0]),
      ),
      family(
        '_interval_high',
        `upper end of the interval, in ${unit}`,
        lines('_interval_high', member => member.interval?.[1]),
      ),
    ];
  });
}

function labels({ document, result, energy }: FlatValue): string {
  const pairs: [string, string][] = [
    ['case', result.id],
    ['workload', result.workload],
    ['backend', result.backend],
    ['device', result.device],
    ['host', hostName(document)],
    ['document', document.id],
    ...(energy === null
      ? []
      : ([
          ['scope', energy.scope],
          ['source', energy.source],
        ] as [string, string][])),
  ];
  return `{${pairs.map(([key, value]) => `${key}="${escapeLabel(value)}"`).join(',')}}`;
}

function escapeLabel(text: string): string {
  return text
    .replace(/\\/g, '\\\\')
    .replace(/"/g, '\\"')
    .replace(/\r?\n|\r/g, '\\n');
}
