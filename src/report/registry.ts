/** Report formats: a plain array. To add one, write a file and add its row here. */
import { bmf } from './bmf.ts';
import { csv } from './csv.ts';
import type { ReportFormat } from './format.ts';
import { githubActionBenchmark, githubActionBenchmarkSmaller } from './github-action-benchmark.ts';
import { gobench } from './gobench.ts';
import { junit } from './junit.ts';
import { ladder } from './ladder.ts';
import { llm } from './llm.ts';
import { markdown } from './markdown.ts';
import { mlflow } from './mlflow.ts';
import { gitlab, openmetrics } from './openmetrics.ts';
import { powerCaps } from './power-caps.ts';
import { scaling } from './scaling.ts';

export const REPORT_FORMATS: readonly ReportFormat[] = [
  csv,
  junit,
  markdown,
  ladder,
  llm,
  scaling,
  powerCaps,
  openmetrics,
  mlflow,
  bmf,
  gobench,
  githubActionBenchmark,
  githubActionBenchmarkSmaller,
  gitlab,
];
