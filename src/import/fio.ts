/** fio: `--output-format=json`. Bytes over run time, per job and direction; completion latencies are kept as facts. */
import * as z from 'zod';
import type { ImportedCase, Importer } from './importer.ts';
import { jsonInput } from './json-input.ts';

const DIRECTIONS = ['read', 'write', 'trim'] as const;

const directionSchema = z.object({
  io_bytes: z.number().min(0),
  /** Milliseconds. */
  runtime: z.number().min(0),
  total_ios: z.number().min(0).optional(),
  clat_ns: z.object({ percentile: z.record(z.string(), z.number()).optional() }).optional(),
});

const schema = z.object({
  'fio version': z.string(),
  timestamp: z.number().min(0).max(1e11).optional(),
  'global options': z.record(z.string(), z.string()).optional(),
  jobs: z.array(
    z.object({
      jobname: z.string(),
      error: z.number().optional(),
      'job options': z.record(z.string(), z.string()).optional(),
      read: directionSchema.optional(),
      write: directionSchema.optional(),
      trim: directionSchema.optional(),
    }),
  ),
});

type Job = z.infer<typeof schema>['jobs'][number];

function jobCases(job: Job, shared: Record<string, string>, version: string): ImportedCase[] {
  const options = { ...shared, ...job['job options'] };
  return DIRECTIONS.flatMap((direction): ImportedCase[] => {
    const side = job[direction];
    if (side === undefined || side.io_bytes === 0 || side.runtime === 0) return [];
    const percentile = side.clat_ns?.percentile?.['99.000000'];
    return [
      {
        workload: 'fio',
        params: {
          job: job.jobname,
          direction,
          rw: options.rw ?? null,
          bs: options.bs ?? null,
          iodepth: options.iodepth ?? null,
          ioengine: options.ioengine ?? null,
        },
        device: 'storage',
        launches: [
          {
            samplesSeconds: [side.runtime / 1000],
            iterationsPerSample: Math.max(1, side.total_ios ?? 1),
            work: { bytes: side.io_bytes, ...(side.total_ios !== undefined && { items: side.total_ios }) },
            ...(job.error !== undefined && job.error !== 0 && { failed: `fio reports error ${job.error}` }),
          },
        ],
        metrics: ['bytes_per_second'],
        verification: null,
        facts: {
          version,
          completionLatencySecondsP99: percentile === undefined ? null : percentile / 1e9,
        },
      },
    ];
  });
}

export const fio: Importer = {
  name: 'fio',
  summary: 'fio --output-format=json',
  parse: (text, name) => {
    const found = jsonInput(text, name, 'fio --output-format=json', schema);
    return {
      cases: found.jobs.flatMap(job => jobCases(job, found['global options'] ?? {}, found['fio version'])),
      machine: {},
      ...(found.timestamp !== undefined && { createdAt: new Date(found.timestamp * 1000).toISOString() }),
      warnings: [],
    };
  },
};
