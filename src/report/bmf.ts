/** Bencher Metric Format: benchmark → measure → value with bounds. */
import type { ReportFormat } from './format.ts';
import { type FlatValue, flatValues, hostName, qualifiedCase } from './measurements.ts';

interface BmfMetric {
  value: number;
  lower_value?: number;
  upper_value?: number;
}

export const bmf: ReportFormat = {
  name: 'bmf',
  summary: 'Bencher Metric Format (bencher run --adapter json)',
  render: documents => {
    const several = new Set(documents.map(({ host }) => host.id)).size > 1;
    const benchmarks = new Map<string, Map<string, BmfMetric>>();
    for (const value of flatValues(documents)) {
      const name = several ? `${hostName(value.document)}/${qualifiedCase(value)}` : qualifiedCase(value);
      const measures = benchmarks.get(name) ?? new Map<string, BmfMetric>();
      measures.set(value.name.replaceAll('_', '-'), toMetric(value));
      benchmarks.set(name, measures);
    }
    const plain = Object.fromEntries([...benchmarks].map(([name, measures]) => [name, Object.fromEntries(measures)]));
    return `${JSON.stringify(plain, null, 2)}\n`;
  },
};

function toMetric({ value, interval }: FlatValue): BmfMetric {
  return interval === null ? { value } : { value, lower_value: interval[0], upper_value: interval[1] };
}
