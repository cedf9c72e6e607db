/** Importers: a plain array. To add one, write a file and add its row here. */
import { fio } from './fio.ts';
import { googleBenchmark } from './google-benchmark.ts';
import { hyperfine } from './hyperfine.ts';
import type { Importer } from './importer.ts';
import { llamaBench } from './llama-bench.ts';
import { ncclTests } from './nccl-tests.ts';
import { onnxruntimePerfTest } from './onnxruntime-perf-test.ts';
import { pyperf } from './pyperf.ts';

export const IMPORTERS: readonly Importer[] = [
  ncclTests,
  onnxruntimePerfTest,
  llamaBench,
  fio,
  hyperfine,
  googleBenchmark,
  pyperf,
];
