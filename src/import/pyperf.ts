/** pyperf: the JSON of `-o`. Each run is a worker process, and so a launch; calibration runs have no values. */
import * as z from 'zod';
import type { Importer } from './importer.ts';
import { jsonInput, notThis } from './json-input.ts';

const metadata = z.object({
  name: z.string().max(2000).optional(),
  unit: z.string().optional(),
  cpu_model_name: z.string().max(500).optional(),
  cpu_count: z.number().min(0).optional(),
  python_version: z.string().max(500).optional(),
});

const schema = z.object({
  version: z.string(),
  metadata: metadata.optional(),
  benchmarks: z.array(
    z.object({
      metadata: metadata.optional(),
      runs: z.array(z.object({ values: z.array(z.number().positive()).optional() })),
    }),
  ),
});

export const pyperf: Importer = {
  name: 'pyperf',
  summary: 'pyperf -o file.json',
  parse: (text, name) => {
    const suite = jsonInput(text, name, 'pyperf', schema);
    if (!suite.version.startsWith('1.'))
      throw notThis(name, 'pyperf', `its format is version ${suite.version.slice(0, 20)}, not 1`);
    const timed = suite.benchmarks.filter(
      benchmark => (benchmark.metadata?.unit ?? suite.metadata?.unit ?? 'second') === 'second',
    );
    const left = suite.benchmarks.length - timed.length;
    return {
      cases: timed.map(benchmark => ({
        workload: 'pyperf',
        params: { name: benchmark.metadata?.name ?? suite.metadata?.name ?? 'unknown' },
        device: 'cpu',
        launches: benchmark.runs
          .filter(({ values }) => values !== undefined && values.length > 0)
          .map(({ values = [] }) => ({ samplesSeconds: values, iterationsPerSample: 1, work: {} })),
        metrics: ['latency_seconds_p50'],
        verification: null,
        facts: { python: benchmark.metadata?.python_version ?? suite.metadata?.python_version ?? null },
      })),
      machine: {
        ...(suite.metadata?.cpu_model_name !== undefined && { cpuBrand: suite.metadata.cpu_model_name }),
        ...(suite.metadata?.cpu_count !== undefined && { logicalCores: suite.metadata.cpu_count }),
      },
      warnings:
        left === 0
          ? []
          : [
              {
                code: 'IMPORT_LEFT_OUT',
                message: `${left} benchmarks that do not measure seconds were left out.`,
                remedy: 'Only times are imported.',
              },
            ],
    };
  },
};
