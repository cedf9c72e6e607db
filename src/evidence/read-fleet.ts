/**
 * Reads a thousand documents for `compare --fleet` without keeping any: only what the comparison needs is checked and
 * held, and the headline of each case is worked out from its samples. A file that is no document is an error as everywhere;
 * seals are not checked here (`aibench verify` does).
 */
import * as z from 'zod';
import type { FleetNode } from '../analysis/fleet.ts';
import { type LaunchSamples, type MetricDefinition, metricDefinition } from '../analysis/metrics.ts';
import { machineOf, WEAK_ID } from '../analysis/observations.ts';
import { geometricMean } from '../analysis/statistics.ts';
import { AibenchError, allOrErrors } from '../errors.ts';
import { MAX_DOCUMENT_BYTES, readText } from '../results/read.ts';
import { SCHEMA_ID } from '../results/schema.ts';

const text = z.string().max(4096);

const leanSchema = z.object({
  schema: z.literal(SCHEMA_ID),
  id: text,
  warnings: z.array(z.object({ code: text })),
  host: z.object({
    id: text,
    label: text.optional(),
    cpu: z.object({ brand: text, usableCores: z.number() }),
    memory: z.object({ totalBytes: z.number() }),
    accelerators: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.boolean(), z.null()]))),
  }),
  cases: z.array(
    z.object({
      id: text,
      status: text,
      headline: text.nullable(),
      // Checked by hand where they are read (headlineValue): there are a million of them in a fleet.
      launches: z.array(z.unknown()),
    }),
  ),
});

type LeanDocument = z.infer<typeof leanSchema>;

export interface FleetReading {
  nodes: FleetNode[];
  notes: string[];
}

/** @throws AibenchError DOCUMENT_UNREADABLE, DOCUMENT_INVALID or DOCUMENT_REPEATED, exit 2, naming every such file. */
export function readFleet(files: readonly string[]): FleetReading {
  const nodes = new Map<string, FleetNode>();
  const seen = new Set<string>();
  const cases = new Map<string, string>();
  let unmeasured = 0;
  let unlabelled = 0;
  allOrErrors(files, file => {
    const document = readLean(file);
    if (seen.has(document.id))
      throw new AibenchError(
        'DOCUMENT_REPEATED',
        `${file} holds a document that was given before.`,
        'Name each file once.',
      );
    seen.add(document.id);
    if (document.host.label === undefined && document.warnings.some(({ code }) => code === WEAK_ID)) unlabelled += 1;
    unmeasured += addDocument(document, nodes, cases);
  });
  const notes: string[] = [];
  if (unmeasured > 0) notes.push(`${unmeasured} cases were not measured and are left out`);
  if (unlabelled > 1)
    notes.push(
      `${unlabelled} documents have no label and a machine id that other machines may share (${WEAK_ID}): those of one id count as one machine`,
    );
  return { nodes: [...nodes.values()], notes };
}

function readLean(file: string): LeanDocument {
  let parsed: ReturnType<typeof leanSchema.safeParse>;
  try {
    parsed = leanSchema.safeParse(JSON.parse(readText(file, MAX_DOCUMENT_BYTES)));
  } catch (error) {
    if (error instanceof AibenchError) throw error;
    throw invalid(file, 'it is not JSON, or cut short');
  }
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw invalid(file, `${issue?.path.map(String).join('.') ?? ''}: ${issue?.message ?? 'not valid'}`);
}

/** @returns how many cases gave no value. */
function addDocument(document: LeanDocument, nodes: Map<string, FleetNode>, cases: Map<string, string>): number {
  const { host } = document;
  const machine = machineOf(document);
  let node = nodes.get(machine);
  if (node === undefined) {
    node = { host: host.id, label: host.label ?? null, cohort: cohortOf(host), values: new Map() };
    nodes.set(machine, node);
  }
  let unmeasured = 0;
  for (const item of document.cases) {
    // One string per case for the whole fleet, not one per document.
    const id = cases.get(item.id) ?? item.id;
    cases.set(id, id);
    const metric = metricDefinition(item.headline ?? '');
    const value = item.status === 'measured' && metric !== undefined ? headlineValue(item, metric) : null;
    if (value === null || metric === undefined) {
      unmeasured += 1;
      continue;
    }
    const known = node.values.get(id);
    if (known === undefined)
      node.values.set(id, { case: id, metric: metric.name, better: metric.better, values: [value] });
    else if (known.metric === metric.name) known.values.push(value);
  }
  return unmeasured;
}

function headlineValue(item: LeanDocument['cases'][number], metric: MetricDefinition): number | null {
  const values: number[] = [];
  for (const one of item.launches) {
    const launch = asLaunch(one);
    if (launch === null) continue;
    const value = metric.ofLaunch(launch);
    if (value !== null) values.push(value);
  }
  const mean = geometricMean(values);
  return Number.isFinite(mean) && mean > 0 ? mean : null;
}

/** The launch where it counts and has the shape that metrics rely on, else null. */
function asLaunch(one: unknown): LaunchSamples | null {
  if (typeof one !== 'object' || one === null) return null;
  const { status, samplesSeconds, iterationsPerSample, work, windowSeconds } = one as Record<string, unknown>;
  if (status !== 'ok' || typeof iterationsPerSample !== 'number') return null;
  if (typeof work !== 'object' || work === null || !Object.values(work).every(isNumber)) return null;
  if (!Array.isArray(samplesSeconds) || !samplesSeconds.every(isNumber)) return null;
  if (windowSeconds !== undefined && !(Array.isArray(windowSeconds) && windowSeconds.every(isNumber))) return null;
  return one as LaunchSamples;
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number';
}

/** Machines are alike when processor, usable cores, memory (to the GiB) and accelerators are. */
function cohortOf({ cpu, memory, accelerators }: LeanDocument['host']): string {
  const names = accelerators.map(facts => String(facts.name ?? facts.model ?? 'accelerator'));
  const counts = [...new Set(names)].sort().map(name => `${names.filter(other => other === name).length} × ${name}`);
  const gibibytes = Math.round(memory.totalBytes / 2 ** 30);
  return [cpu.brand, `${cpu.usableCores} cores`, `${gibibytes} GiB`, ...counts].join(', ');
}

function invalid(file: string, fact: string): AibenchError {
  return new AibenchError(
    'DOCUMENT_INVALID',
    `${file} is not a valid result document: ${fact}.`,
    'Leave it out, or use the file as `aibench run` wrote it.',
  );
}
