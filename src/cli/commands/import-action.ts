/** What `aibench import` does. */
import { AibenchError, allOrErrors } from '../../errors.ts';
import { buildDocument } from '../../import/build-document.ts';
import { IMPORTERS } from '../../import/registry.ts';
import { MAX_DOCUMENT_BYTES, parseDocument, readText } from '../../results/read.ts';
import { oneOf } from '../choices.ts';
import { renderTable } from '../render/table.ts';
import { packageVersion } from '../version.ts';
import { writeOutput } from '../write-output.ts';
import type { ImportFlags } from './import.ts';

export function importAction(files: readonly string[], flags: ImportFlags): void {
  if (flags.format === undefined && files.length === 0) {
    const rows = IMPORTERS.map(({ name, summary }) => [name, summary]);
    process.stdout.write(renderTable({ columns: [{ header: 'format' }, { header: 'takes', shrink: true }], rows }));
    return;
  }
  const names = IMPORTERS.map(importer => importer.name);
  if (flags.format === undefined)
    throw new AibenchError('USAGE', 'No format was given.', `Give one with --format: ${names.join(', ')}.`);
  const format = oneOf('--format', flags.format, names);
  const importer = IMPORTERS.find(candidate => candidate.name === format);
  if (files.length === 0 || importer === undefined)
    throw new AibenchError('USAGE', 'There is no file to import.', 'Name what the tool wrote.');
  const sources = allOrErrors(files, name => {
    const text = readText(name, MAX_DOCUMENT_BYTES);
    return { name, text, imported: importer.parse(text, name) };
  });
  const document = buildDocument(sources, {
    format,
    toolVersion: packageVersion(),
    label: flags.label,
    now: new Date().toISOString(),
  });
  const text = `${JSON.stringify(document)}\n`;
  // What cannot be read back is a defect here, or text of the tool that our format does not take.
  parseDocument(text, `the document made of ${files.join(', ')}`);
  writeOutput(flags.output, text);
}
