/** What `aibench export` does. */
import { AibenchError } from '../../errors.ts';
import { REPORT_FORMATS } from '../../report/registry.ts';
import { oneOf } from '../choices.ts';
import { readDocuments } from '../documents.ts';
import { renderTable } from '../render/table.ts';
import { writeOutput } from '../write-output.ts';
import type { ExportFlags } from './export.ts';

export function exportAction(files: readonly string[], flags: ExportFlags): void {
  if (flags.format === undefined && files.length === 0) {
    const rows = REPORT_FORMATS.map(({ name, summary }) => [name, summary]);
    process.stdout.write(
      renderTable({ columns: [{ header: 'format' }, { header: 'what for', shrink: true }], rows, maxWidth: 110 }),
    );
    return;
  }
  if (flags.format === undefined)
    throw new AibenchError(
      'USAGE',
      'No format was given.',
      `Give one with --format: ${REPORT_FORMATS.map(({ name }) => name).join(', ')}.`,
    );
  const name = oneOf(
    '--format',
    flags.format,
    REPORT_FORMATS.map(format => format.name),
  );
  if (files.length === 0) throw new AibenchError('USAGE', 'There is no document to export.', 'Name one or more.');
  const format = REPORT_FORMATS.find(candidate => candidate.name === name);
  writeOutput(flags.output, format?.render(readDocuments(files)) ?? '');
}
