/**
 * The result document, `aibench.result/1`. This schema is the source: types are inferred from it and the published JSON
 * Schema is generated from it. Units are SI (seconds, bytes, watts, joules, hertz, FLOP/s); names state the rest.
 */
import * as z from 'zod';

export const SCHEMA_ID = 'aibench.result/1';

const finite = z.number();
const nonNegative = z.number().min(0);
const text = z.string().max(4096);
const interval = z.tuple([finite, finite]);

/**
 * An array of numbers, checked in one loop: zod's own array makes an object per element, which is most of the time that a
 * document with telemetry takes to read.
 */
function numbers<T extends number | null>(item: { minimum?: number; nullable?: boolean }): z.ZodType<T[], T[]> {
  const { minimum = Number.NEGATIVE_INFINITY, nullable = false } = item;
  const fits = (value: unknown): boolean =>
    typeof value === 'number' ? Number.isFinite(value) && value >= minimum : nullable && value === null;
  const wanted = `must be a number${minimum === 0 ? ' that is not negative' : ''}${nullable ? ', or null' : ''}`;
  const check = z.unknown().superRefine((value, context) => {
    if (!Array.isArray(value)) return context.addIssue({ code: 'custom', message: 'must be an array of numbers' });
    const wrong = value.findIndex(one => !fits(one));
    if (wrong >= 0) context.addIssue({ code: 'custom', message: wanted, path: [wrong] });
  });
  const number = { type: 'number', ...(item.minimum === undefined ? {} : { minimum: item.minimum }) };
  const items = nullable ? { anyOf: [number, { type: 'null' }] } : number;
  return check.meta({ type: 'array', items }) as unknown as z.ZodType<T[], T[]>;
}

const finiteNumbers = numbers<number>({});
const finiteOrNull = numbers<number | null>({ nullable: true });
const nonNegativeNumbers = numbers<number>({ minimum: 0 });

/** Facts whose set differs between machines: names to plain values, one level deep. */
const facts = z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]));

export const warningSchema = z.object({ code: text, message: text, remedy: text });
export type Warning = z.infer<typeof warningSchema>;

export const toolSchema = z.object({
  version: text,
  gitCommit: text.optional(),
  node: text,
  /** Version of onnxruntime-node, or null where it is not installed. */
  onnxruntime: text.nullable(),
  addon: z.object({ compiler: text, target: text.optional(), kernels: z.array(text) }),
});

export const hostSchema = z.object({
  /** Stable and anonymous: a keyed hash of the machine's own id, never the id itself. */
  id: text,
  label: text.optional(),
  cpu: z.object({
    vendor: text,
    brand: text,
    arch: text,
    physicalCores: nonNegative.nullable(),
    logicalCores: nonNegative,
    /** Logical CPUs that this process may use. */
    usableCores: nonNegative,
    sockets: nonNegative.nullable(),
    numaNodes: nonNegative.nullable(),
    isas: z.array(text),
    flags: z.array(text),
    caches: z.array(
      z.object({
        level: nonNegative,
        type: text,
        sizeBytes: nonNegative,
        lineBytes: nonNegative,
        ways: nonNegative,
        sharedBy: nonNegative,
      }),
    ),
    maxHertz: nonNegative.nullable(),
  }),
  memory: z.object({
    totalBytes: nonNegative,
    availableBytes: nonNegative,
    swapBytes: nonNegative,
    /** What a cgroup allows this process, where that is less. */
    limitBytes: nonNegative.nullable(),
    modules: z.array(facts),
  }),
  accelerators: z.array(facts),
  storage: z.array(facts),
  network: z.array(facts),
  os: z.object({ platform: text, distribution: text, release: text, kernel: text, libc: text.nullable() }),
  virtualization: z.object({ virtual: z.boolean(), hypervisor: text.nullable() }),
  container: z
    .object({ runtime: text, cpuQuota: finite.nullable(), memoryLimitBytes: nonNegative.nullable() })
    .nullable(),
  versions: z.record(z.string(), text),
  state: z.object({
    governor: text.nullable(),
    turbo: z.boolean().nullable(),
    smt: z.boolean().nullable(),
    loadAverage: z.array(nonNegative),
    stealFraction: nonNegative.nullable(),
    hugepages: text.nullable(),
    numaBalancing: z.boolean().nullable(),
    temperatureCelsius: finite.nullable(),
    uptimeSeconds: nonNegative.nullable(),
    /** Environment variables that change how a library behaves (OMP_*, OPENBLAS_*, ...), as they were set. */
    environment: z.record(z.string(), text),
  }),
});
export type Host = z.infer<typeof hostSchema>;

export const sourceStatus = z.enum(['ok', 'absent', 'denied', 'unsupported', 'implausible', 'stale']);
export const scope = z.enum(['chip', 'package', 'board', 'module', 'node', 'wall']);
export type Scope = z.infer<typeof scope>;

export const sourceSchema = z.object({
  id: text,
  kind: z.enum(['counter', 'gauge']),
  scope,
  /** What the reading includes, so that overlapping scopes are never added: "package-0", "dram-0", "gpu-0", ... */
  covers: z.array(text),
  quantity: text,
  unit: text,
  status: sourceStatus,
  reason: text.optional(),
  remedy: text.optional(),
  updatePeriodSeconds: nonNegative.optional(),
  quantum: nonNegative.optional(),
  averagingWindowSeconds: nonNegative.optional(),
  /** How far the time of a reading may be off, beyond what the sensor itself does: half of the longest answer of a remote meter,
   * or what the estimate of its clock's offset leaves open. */
  timeUncertaintySeconds: nonNegative.optional(),
  /** The meter's clock minus ours, as last estimated; its readings are already dated by ours. */
  clockOffsetSeconds: finite.optional(),
  /** The power limit in force on this part, as its owner or maker set it; aibench never changes one. */
  capWatts: nonNegative.optional(),
  /** Counters only: the value at which it starts again from zero, in the source's unit. */
  modulus: nonNegative.optional(),
});
export type SourceDescription = z.infer<typeof sourceSchema>;

export const seriesSchema = z.object({
  source: text,
  quantity: text,
  unit: text,
  timeSeconds: finiteNumbers,
  /** null where a read failed: a failed read is never 0. */
  values: finiteOrNull,
  /** Readings merged into their neighbours to bound a long run; no energy between kept readings changes. */
  merged: nonNegative.optional(),
});
export type Series = z.infer<typeof seriesSchema>;

export const verificationSchema = z.object({
  method: text,
  passed: z.boolean(),
  /** null stands for a value that is not finite. */
  error: finite.nullable(),
  tolerance: finite,
});
export type Verification = z.infer<typeof verificationSchema>;

/** Work done in each sample; only what applies is present. */
export const workSchema = z.object({
  flops: nonNegative.optional(),
  /** Of the dense product that one with compressed weights stands in for; `flops` are those that were done. */
  denseFlops: nonNegative.optional(),
  bytes: nonNegative.optional(),
  /** Bytes times nccl-tests' factor of the collective: comparable with the speed of a link whatever the rank count. */
  busBytes: nonNegative.optional(),
  items: nonNegative.optional(),
  tokens: nonNegative.optional(),
  /** Of a generation, whose `tokens` are those that come out: those that went in. */
  promptTokens: nonNegative.optional(),
});
export type Work = z.infer<typeof workSchema>;

/** What one rank of a collective, or one pair of CPUs, measured: the launch's samples are the mean over all. */
export const rankSamplesSchema = z.object({
  rank: nonNegative,
  host: text,
  pid: nonNegative.optional(),
  samplesSeconds: nonNegativeNumbers,
});
export type RankSamples = z.infer<typeof rankSamplesSchema>;

export const launchSchema = z.object({
  index: nonNegative,
  status: z.enum(['ok', 'failed', 'invalid', 'interrupted']),
  reason: text.optional(),
  pid: nonNegative.optional(),
  seed: nonNegative,
  /** Place in the run's order, over all cases. */
  order: nonNegative,
  windowSeconds: interval.optional(),
  samplesSeconds: nonNegativeNumbers,
  iterationsPerSample: nonNegative,
  work: workSchema,
  /** Ranks of an MPI job, or pairs of CPUs, each with its own samples. */
  ranks: z.array(rankSamplesSchema).optional(),
  /** Generations of a language model: the samples' own parts, in their order. */
  tokenTimes: z.object({ firstTokenSeconds: nonNegativeNumbers, interTokenSeconds: nonNegativeNumbers }).optional(),
  warmup: z.object({ samplesSeconds: nonNegativeNumbers, settled: z.boolean() }).optional(),
  verification: verificationSchema.optional(),
  /** Ceilings measured in this same process, between the calls. */
  ceilings: z.record(z.string(), nonNegative),
  state: facts,
  /** What the sensors said during the samples: `samples[i]` of them in a row had the i-th readings (null: not known). */
  conditions: z
    .object({
      samples: z.array(nonNegative),
      clockHertz: z.array(nonNegative.nullable()),
      temperatureCelsius: z.array(finite.nullable()),
      throttled: z.array(z.boolean().nullable()),
    })
    .optional(),
});
export type Launch = z.infer<typeof launchSchema>;

export const metricSchema = z.object({
  value: finite,
  unit: text,
  better: z.enum(['higher', 'lower']),
  /** null with fewer than two launches: nothing can be said of the spread. */
  interval: interval.nullable(),
  confidence: finite,
  launches: nonNegative,
});
export type Metric = z.infer<typeof metricSchema>;

export const rateSchema = z.object({ value: finite, unit: text, interval: interval.nullable() });

export const energySchema = z.object({
  source: text,
  scope,
  status: z.enum(['ok', 'unavailable', 'invalid']),
  reason: text.optional(),
  joules: nonNegative.nullable(),
  averageWatts: nonNegative.nullable(),
  idleWatts: nonNegative.nullable(),
  throughputPerWatt: rateSchema.nullable(),
  /** The power limit on what the source measures, where each of its packages or GPUs has one. */
  capWatts: nonNegative.optional(),
  /** Energy times time per unit of work, both of the case's headline: J·s per work². */
  energyDelay: z.object({ value: finite, unit: text }).optional(),
  /** The same with the idle baseline taken off. */
  net: z.object({ joules: finite, averageWatts: finite, throughputPerWatt: rateSchema.nullable() }).nullable(),
  uncertainty: z.object({ relative: nonNegative, dominatedBy: text }).nullable(),
});
export type CaseEnergy = z.infer<typeof energySchema>;

export const limitSchema = z.object({
  name: text,
  value: finite,
  unit: text,
  /** Achieved over limit. Above 1 the case is invalid. */
  fraction: finite,
  /** Of a roofline: which of the two lies lower, in most launches. */
  boundBy: z.enum(['compute', 'memory']).optional(),
});

export const caseStatus = z.enum(['measured', 'skipped', 'invalid', 'failed']);
export type CaseStatus = z.infer<typeof caseStatus>;

const paramValue = z.union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.union([z.string(), z.number()]))]);

export const caseSchema = z.object({
  id: text,
  workload: text,
  params: z.record(z.string(), paramValue),
  backend: text,
  device: text,
  status: caseStatus,
  reason: text.optional(),
  remedy: text.optional(),
  verification: verificationSchema.nullable(),
  launches: z.array(launchSchema),
  metrics: z.record(z.string(), metricSchema),
  /** The metric that stands for the case in a table and in throughput per watt. */
  headline: text.nullable(),
  energy: z.array(energySchema),
  limit: limitSchema.nullable(),
  /** Over the launch windows. `sustained`: measured after a warm-up to thermal steady state. Null: no sensor tells. */
  thermal: z
    .object({
      regime: z.enum(['peak', 'sustained']),
      /** Share of the time held back by heat or a power brake, and by the power limit. */
      throttledFraction: nonNegative.nullable(),
      powerCappedFraction: nonNegative.nullable(),
      maxTemperatureCelsius: finite.nullable(),
      meanClockHertz: nonNegative.nullable(),
    })
    .optional(),
  /** Facts about how it ran: kernel, algorithm, model digest, providers, ... */
  facts,
  warnings: z.array(warningSchema),
});
export type CaseResult = z.infer<typeof caseSchema>;

export const resultSchema = z.object({
  schema: z.literal(SCHEMA_ID),
  id: z.uuid(),
  createdAt: z.iso.datetime({ offset: true }),
  tool: toolSchema,
  host: hostSchema,
  suite: z.object({ name: text, sha256: text, source: z.string().max(1 << 20) }),
  run: z.object({
    /** `running` in a document on disk means that the run died before its end. */
    state: z.enum(['running', 'complete', 'interrupted']),
    seed: nonNegative,
    launches: nonNegative,
    startedSeconds: finite,
    endedSeconds: finite.nullable(),
    idleWindowSeconds: interval.nullable(),
    arguments: z.record(z.string(), paramValue),
  }),
  telemetry: z.object({
    sources: z.array(sourceSchema),
    series: z.array(seriesSchema),
    observer: z
      .object({
        cpuSeconds: nonNegative,
        wallSeconds: nonNegative,
        overruns: nonNegative,
        lost: nonNegative,
        /** Time of a short work with the sampler over that without it, measured once per run, in pairs. */
        effect: z.object({ ratio: nonNegative, interval, pairs: nonNegative }).optional(),
      })
      .nullable(),
  }),
  cases: z.array(caseSchema),
  estimates: z.array(facts).optional(),
  warnings: z.array(warningSchema),
  seal: z.object({ algorithm: text, digest: text, previous: text.optional(), signature: text.optional() }).optional(),
});
export type ResultDocument = z.infer<typeof resultSchema>;
