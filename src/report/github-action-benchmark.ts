/** github-action-benchmark's custom tools: one file holds one direction only, so there are two formats. */
import type { ReportFormat } from './format.ts';
import { flatValues, hostName, qualifiedCase } from './measurements.ts';

function format(name: string, tool: string, better: 'higher' | 'lower'): ReportFormat {
  return {
    name,
    summary: `github-action-benchmark, tool ${tool}`,
    render: documents => {
      const entries = flatValues(documents)
        .filter(value => value.better === better)
        .map(value => ({
          name: `${qualifiedCase(value)} ${value.name}`,
          unit: value.unit,
          value: value.value,
          ...(value.interval !== null && { range: `${value.interval[0]}..${value.interval[1]}` }),
          extra: `host ${hostName(value.document)}\n${value.launches} launches`,
        }));
      return `${JSON.stringify(entries, null, 2)}\n`;
    },
  };
}

export const githubActionBenchmark = format('github-action-benchmark', 'customBiggerIsBetter', 'higher');
export const githubActionBenchmarkSmaller = format('github-action-benchmark-smaller', 'customSmallerIsBetter', 'lower');
