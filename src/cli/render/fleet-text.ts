/** Pure: cohorts and their odd nodes, as text and as Markdown. */
import type { Cohort, FleetSettings } from '../../analysis/fleet.ts';
import { SMALLEST_COHORT } from '../../analysis/fleet.ts';
import { escapeMarkdown, markdownTable } from '../../report/markdown-table.ts';
import { significant } from '../../units.ts';
import { caseNames } from './case-names.ts';
import { printable } from './printable.ts';
import { renderTable } from './table.ts';
import { wrap } from './wrap.ts';

export interface Fleet {
  documents: number;
  nodes: number;
  settings: FleetSettings;
  cohorts: readonly Cohort[];
  notes: readonly string[];
}

const WIDTH = 80;
/** Findings shown of each node; the rest is in --json. */
const SHOWN = 5;

export function fleetText(fleet: Fleet): string {
  const parts = [`${wrap(summary(fleet), WIDTH)}\n`];
  for (const cohort of fleet.cohorts) {
    parts.push(`${wrap(printable(cohortLine(cohort)), WIDTH)}\n`);
    if (cohort.outliers.length === 0) continue;
    parts.push(
      renderTable({
        columns: [
          { header: 'node' },
          { header: 'slow on', align: 'right' },
          { header: 'case', shrink: true },
          { header: 'worse by', align: 'right' },
          { header: 'robust z', align: 'right' },
          { header: 'q', align: 'right' },
        ],
        rows: findingRows(cohort),
      }),
    );
  }
  parts.push(fleet.notes.map(note => `${wrap(printable(`note: ${note}`), WIDTH)}\n`).join(''));
  return parts.filter(part => part !== '').join('\n');
}

export function fleetMarkdown(fleet: Fleet): string {
  const parts = [`### ${summary(fleet)}`];
  for (const cohort of fleet.cohorts) {
    parts.push(escapeMarkdown(cohortLine(cohort)));
    if (cohort.outliers.length > 0)
      parts.push(markdownTable(['node', 'slow on', 'case', 'worse by', 'robust z', 'q'], findingRows(cohort)));
  }
  parts.push(...fleet.notes.map(note => `- Note: ${escapeMarkdown(note)}`));
  return `${parts.join('\n\n')}\n`;
}

function summary({ documents, nodes, settings }: Fleet): string {
  const percent = Number((100 * settings.margin).toPrecision(4));
  return `${documents} documents of ${nodes} ${nodes === 1 ? 'machine' : 'machines'}; slow: more than ${percent} % below the median of like machines, and improbable`;
}

function counted(nodes: number): string {
  return `${nodes} ${nodes === 1 ? 'node' : 'nodes'}`;
}

function cohortLine(cohort: Cohort): string {
  const { key, nodes, cases, judged, spread, outliers } = cohort;
  if (!judged) return `${key}: ${counted(nodes)}; ${SMALLEST_COHORT} are needed to tell which is odd`;
  const usual = spread === null ? '' : `, usual spread between nodes ${significant(100 * spread)} %`;
  const found =
    outliers.length === 0 ? 'none stands out' : `${outliers.length} ${outliers.length === 1 ? 'stands' : 'stand'} out`;
  return `${key}: ${counted(nodes)}, ${cases} cases${usual}: ${found}`;
}

function findingRows({ outliers }: Cohort): string[][] {
  const names = caseNames(outliers.flatMap(({ findings }) => findings.map(finding => finding.case)));
  return outliers.flatMap(({ host, label, findings, judged }) =>
    findings
      .slice(0, SHOWN)
      .map((finding, index) => [
        index === 0 ? printable(label ?? host.slice(0, 12)) : '',
        index === 0 ? `${findings.length} of ${judged}` : '',
        names.get(finding.case) ?? printable(finding.case),
        `${(100 * finding.worseBy).toFixed(1)} %`,
        Number.isFinite(finding.robustZ) ? finding.robustZ.toFixed(1) : '−∞',
        finding.q.toPrecision(2),
      ]),
  );
}
