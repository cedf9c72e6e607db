/** What `aibench report` does. */
import { htmlReport } from '../../report/html.ts';
import { readDocuments } from '../documents.ts';
import { caseLabel } from '../render/case-label.ts';
import { writeOutput } from '../write-output.ts';
import type { ReportFlags } from './report.ts';

export function reportAction(files: readonly string[], flags: ReportFlags): void {
  writeOutput(flags.output, htmlReport(readDocuments(files), caseLabel));
}
