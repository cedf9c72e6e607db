/** One row per case and metric (RFC 4180); cases without a value have a row with their status and reason. */

import type { ReportFormat } from './format.ts';
import { flatValues, hostName } from './measurements.ts';

const HEADER = [
  'document',
  'created_at',
  'host',
  'suite',
  'case',
  'workload',
  'backend',
  'device',
  'status',
  'reason',
  'metric',
  'scope',
  'source',
  'value',
  'unit',
  'better',
  'interval_low',
  'interval_high',
  'launches',
];

export const csv: ReportFormat = {
  name: 'csv',
  summary: 'one row per case and metric, for spreadsheets and data frames',
  render: documents => {
    const rows = documents.flatMap(document => {
      const values = flatValues([document]);
      return document.cases.flatMap(result => {
        const about = [
          document.id,
          document.createdAt,
          hostName(document),
          document.suite.name,
          result.id,
          result.workload,
          result.backend,
          result.device,
          result.status,
          result.reason ?? '',
        ];
        const own = values.filter(value => value.result === result);
        if (own.length === 0) return [[...about, ...Array<string>(9).fill('')]];
        return own.map(({ name, energy, value, unit, better, interval, launches }) => [
          ...about,
          name,
          energy?.scope ?? '',
          energy?.source ?? '',
          value,
          unit,
          better,
          interval?.[0] ?? '',
          interval?.[1] ?? '',
          launches,
        ]);
      });
    });
    return [HEADER, ...rows].map(row => `${row.map(cell).join(',')}\r\n`).join('');
  },
};

/** Text that a spreadsheet would take for a formula gets an apostrophe before it: documents come from strangers. */
function cell(value: string | number): string {
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}
