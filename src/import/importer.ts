/** The seam for importers: one file with one row in registry.ts. docs/importing.md. */

import type { CaseResult, Verification, Warning, Work } from '../results/schema.ts';

/** One process of the tool: what it measured of one case. */
export interface ImportedLaunch {
  /** Time of each sample; `iterationsPerSample` iterations in each. */
  samplesSeconds: number[];
  iterationsPerSample: number;
  work: Work;
  /** Why it does not count, where the tool says that it went wrong. */
  failed?: string;
}

export interface ImportedCase {
  workload: string;
  params: CaseResult['params'];
  device: string;
  launches: ImportedLaunch[];
  /** Names from analysis/metrics.ts; the first is the headline. */
  metrics: string[];
  /** The tool's own check of its output, or null where it has none. */
  verification: Verification | null;
  /** What the tool states beside it: percentiles, rates that its samples do not give, versions. */
  facts: Record<string, string | number | boolean | null>;
}

export interface Imported {
  cases: ImportedCase[];
  /** Facts of the machine that the tool recorded. */
  machine: { cpuBrand?: string; logicalCores?: number; accelerators?: Record<string, string | number>[] };
  /** RFC 3339, where the tool recorded it. */
  createdAt?: string;
  warnings: Warning[];
}

export interface Importer {
  name: string;
  /** What file it takes, in one line. */
  summary: string;
  /**
   * Pure. `name` stands in errors.
   * @throws AibenchError IMPORT_INVALID, exit 2, where the text is not what the tool writes.
   */
  parse(text: string, name: string): Imported;
}
