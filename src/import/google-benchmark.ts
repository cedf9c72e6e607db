/**
 * Google Benchmark: `--benchmark_format=json`. Repetitions of a benchmark are samples of one process; several files are
 * several launches. Aggregates (mean, median, ...) are worked out again and so left out.
 */
import * as z from 'zod';
import type { ImportedCase, Importer } from './importer.ts';
import { jsonInput } from './json-input.ts';

const SECONDS: Record<string, number> = { ns: 1e-9, us: 1e-6, ms: 1e-3, s: 1 };

const schema = z.object({
  context: z.object({
    date: z.string().optional(),
    num_cpus: z.number().min(0).optional(),
    library_build_type: z.string().optional(),
  }),
  benchmarks: z.array(
    z.object({
      name: z.string().max(2000),
      run_name: z.string().max(2000).optional(),
      run_type: z.string().optional(),
      iterations: z.number().min(0).optional(),
      real_time: z.number().min(0).optional(),
      time_unit: z.enum(['ns', 'us', 'ms', 's']).optional(),
      error_occurred: z.boolean().optional(),
      error_message: z.string().optional(),
    }),
  ),
});

export const googleBenchmark: Importer = {
  name: 'google-benchmark',
  summary: 'Google Benchmark --benchmark_format=json',
  parse: (text, name) => {
    const { context, benchmarks } = jsonInput(text, name, 'Google Benchmark', schema);
    const cases = new Map<string, ImportedCase>();
    for (const entry of benchmarks) {
      if ((entry.run_type ?? 'iteration') !== 'iteration') continue;
      const key = entry.run_name ?? entry.name;
      const found = cases.get(key) ?? newCase(key, context.library_build_type ?? null);
      cases.set(key, found);
      const [launch] = found.launches;
      if (launch === undefined) continue;
      if (entry.error_occurred === true) launch.failed = entry.error_message ?? 'the benchmark reported an error';
      else if (entry.real_time !== undefined && entry.real_time > 0)
        launch.samplesSeconds.push(entry.real_time * (SECONDS[entry.time_unit ?? 'ns'] ?? 1e-9));
    }
    const date = context.date === undefined ? Number.NaN : Date.parse(context.date);
    return {
      cases: [...cases.values()],
      machine: context.num_cpus === undefined ? {} : { logicalCores: context.num_cpus },
      ...(Number.isFinite(date) && { createdAt: new Date(date).toISOString() }),
      warnings: [],
    };
  },
};

function newCase(name: string, buildType: string | null): ImportedCase {
  return {
    workload: 'google-benchmark',
    params: { name },
    device: 'cpu',
    // `real_time` is the mean over the iterations of a repetition: one iteration's time.
    launches: [{ samplesSeconds: [], iterationsPerSample: 1, work: {} }],
    metrics: ['latency_seconds_p50'],
    verification: null,
    facts: { libraryBuildType: buildType },
  };
}
