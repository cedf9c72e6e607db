/** What a suite file may say. Strict: an unknown key is an error. docs/suites.md explains each key with an example. */
import * as z from 'zod';

const scalar = z.union([z.string(), z.number(), z.boolean()]);
const paramValue = z.union([scalar, z.array(z.union([z.string(), z.number()]))]);
const params = z.record(z.string(), paramValue);
const seconds = z.number().min(0).max(86_400);

export const timingSchema = z.strictObject({
  /** A warm-up ends when it has settled, at the latest after this. */
  maxWarmupSeconds: seconds.optional(),
  /** A sample is a batch of iterations at least this long. */
  minSampleSeconds: seconds.optional(),
  /** Measured time per launch. */
  targetSeconds: seconds.optional(),
  minSamples: z.int().min(1).max(1_000_000).optional(),
  maxSamples: z.int().min(1).max(1_000_000).optional(),
});

const size = z.union([z.number().min(0), z.string()]);
/** Sizes as nccl-tests takes them (-b, -e, -f, -i): `{ from: 8, to: 256MiB, factor: 4 }` or with `step`. */
export const sweepSchema = z
  .strictObject({ from: size, to: size, factor: z.number().gt(1).max(1024).optional(), step: size.optional() })
  .refine(sweep => (sweep.factor === undefined) !== (sweep.step === undefined), {
    error: 'a sweep of sizes needs either factor or step',
  });
export type Sweep = z.infer<typeof sweepSchema>;

export const suiteCaseSchema = z.strictObject({
  workload: z.string(),
  /** One backend or several; the workload's first where absent. */
  backend: z.union([z.string(), z.array(z.string()).min(1)]).optional(),
  /** Parameters that all cases of this entry share. */
  params: params.optional(),
  /** Every combination of the values listed: `{ dtype: [f32, f64], threads: [1, all] }` is four cases. */
  matrix: z.record(z.string(), z.union([z.array(paramValue).min(1), sweepSchema])).optional(),
  /** Sets of parameters that belong together (shapes): one case each, times the matrix. */
  each: z.array(params).min(1).optional(),
  timing: timingSchema.optional(),
  launches: z.int().min(1).max(1000).optional(),
  /** `sustained`: the case's own work warms the machine up to thermal steady state before each launch. */
  regime: z.enum(['peak', 'sustained']).optional(),
  /** Changes for the combinations whose parameters have these values. */
  overrides: z
    .array(
      z.strictObject({
        when: z.record(z.string(), scalar),
        params: params.optional(),
        timing: timingSchema.optional(),
        launches: z.int().min(1).max(1000).optional(),
        skip: z.boolean().optional(),
      }),
    )
    .optional(),
});
export type SuiteCase = z.infer<typeof suiteCaseSchema>;

export const suiteSchema = z.strictObject({
  schema: z.literal('aibench.suite/1'),
  name: z.string().regex(/^[a-z0-9][a-z0-9._-]*$/i, 'a name is letters, digits, dots and dashes'),
  /** What the suite answers, in one sentence. */
  summary: z.string(),
  launches: z.int().min(1).max(1000).default(3),
  /** Idle power is measured for this long before the first case, where there is a sensor. */
  idleSeconds: seconds.default(2),
  /** Pairs of the same work with and without telemetry, by which its cost is found once per run; 0: not at all. */
  observerPairs: z.int().min(0).max(100).default(12),
  timing: timingSchema.default({}),
  /** Of the cases that do not say. */
  regime: z.enum(['peak', 'sustained']).default('peak'),
  /** `false`: cases with more threads or ranks than usable CPUs are left out. */
  crowded: z.boolean().default(true),
  cases: z.array(suiteCaseSchema).min(1).max(10_000),
});
export type Suite = z.infer<typeof suiteSchema>;
