/** The seam for report formats: one file with one row in registry.ts. docs/adding-a-report-format.md. */
import type { ResultDocument } from '../results/schema.ts';

export interface ReportFormat {
  name: string;
  /** For whom, in one line. */
  summary: string;
  /** Pure: the same documents give the same text. */
  render(documents: readonly ResultDocument[]): string;
}
