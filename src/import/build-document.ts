/**
 * A result document from another tool's output. Provenance stands in the suite (name of the format, digest and, up to a
 * megabyte, the very text) and in each case's facts. What the tool did not record stays empty.
 */
import { createHash } from 'node:crypto';
import { summarizeMetrics } from '../analysis/summarize.ts';
import { AibenchError } from '../errors.ts';
import { type CaseResult, type Launch, type ResultDocument, SCHEMA_ID, type Warning } from '../results/schema.ts';
import { sealDocument } from '../results/seal.ts';
import type { Imported, ImportedCase } from './importer.ts';

export interface Source {
  name: string;
  text: string;
  imported: Imported;
}

export interface ImportSettings {
  format: string;
  toolVersion: string;
  label?: string | undefined;
  /** RFC 3339: used where the tool recorded no time. */
  now: string;
}

/** The backend of every imported case: such cases compare only with each other. */
export const IMPORTED_BACKEND = 'imported';

const LARGEST_KEPT_SOURCE = 1 << 20;

/**
 * Several files of one tool are several launches: the same case in each is one case with their launches side by side.
 * @throws AibenchError IMPORT_EMPTY, exit 2, where there is nothing to keep.
 */
export function buildDocument(sources: readonly Source[], settings: ImportSettings): ResultDocument {
  const cases = mergeCases(sources.flatMap(source => withInstances(source.imported.cases)));
  if (cases.size === 0) {
    throw new AibenchError(
      'IMPORT_EMPTY',
      `${sources.map(({ name }) => name).join(', ')} holds no result of ${settings.format} that could be kept.`,
      'Give the file as the tool wrote it.',
    );
  }
  const text = sources.map(source => source.text).join('\n');
  const digest = createHash('sha256').update(text).digest('hex');
  const machine = sources[0]?.imported.machine ?? {};
  const results = [...cases].map(([id, item], position) => toResult(id, item, position));
  const launches = Math.max(...results.map(result => result.launches.length));
  return sealDocument({
    schema: SCHEMA_ID,
    id: uuidOf(`${settings.format}\n${settings.label ?? ''}\n${text}`),
    createdAt: sources[0]?.imported.createdAt ?? settings.now,
    tool: {
      version: settings.toolVersion,
      node: process.versions.node,
      onnxruntime: null,
      addon: { compiler: '', kernels: [] },
    },
    host: unknownHost(settings.label, machine),
    suite: {
      name: `imported/${settings.format}`,
      sha256: digest,
      source: text.length <= LARGEST_KEPT_SOURCE ? text : '',
    },
    run: {
      state: 'complete',
      seed: 0,
      launches,
      startedSeconds: 0,
      endedSeconds: null,
      idleWindowSeconds: null,
      arguments: { importedFrom: settings.format, files: sources.map(({ name }) => name.slice(-1000)) },
    },
    telemetry: { sources: [], series: [], observer: null },
    cases: results,
    warnings: [importedWarning(settings.format), ...sources.flatMap(({ imported }) => imported.warnings)],
  });
}

function importedWarning(format: string): Warning {
  return {
    code: 'IMPORTED',
    message: `The numbers are those of ${format}: aibench did not measure or verify them.`,
    remedy: 'Run aibench on the machine for numbers with energy, verification and state.',
  };
}

function caseId({ workload, params }: ImportedCase): string {
  const written = Object.entries(params).map(([key, value]) => `${key}=${String(value)}`);
  return `${workload}/${written.join(',')}/backend=${IMPORTED_BACKEND}`;
}

/** Cases of one file that have the same parameters (jobs of one name) are told apart by a number. */
function withInstances(cases: readonly ImportedCase[]): ImportedCase[] {
  const seen = new Map<string, number>();
  return cases.map(item => {
    const id = caseId(item);
    const count = (seen.get(id) ?? 0) + 1;
    seen.set(id, count);
    return count === 1 ? item : { ...item, params: { ...item.params, instance: count } };
  });
}

function mergeCases(cases: readonly ImportedCase[]): Map<string, ImportedCase> {
  const merged = new Map<string, ImportedCase>();
  for (const item of cases) {
    const id = caseId(item);
    const known = merged.get(id);
    merged.set(id, known === undefined ? item : { ...known, launches: [...known.launches, ...item.launches] });
  }
  return merged;
}

function toResult(id: string, item: ImportedCase, position: number): CaseResult {
  const launches = item.launches.map(
    (launch, index): Launch => ({
      index,
      status: launch.failed === undefined ? 'ok' : 'failed',
      ...(launch.failed !== undefined && { reason: launch.failed }),
      seed: 0,
      order: position,
      samplesSeconds: launch.samplesSeconds,
      iterationsPerSample: launch.iterationsPerSample,
      work: launch.work,
      ceilings: {},
      state: {},
    }),
  );
  const metrics = summarizeMetrics(launches, item.metrics);
  const headline = item.metrics.find(name => Object.hasOwn(metrics, name)) ?? null;
  const wrong = item.verification?.passed === false;
  const reason = wrong
    ? 'the tool found its own output wrong'
    : (item.launches.find(({ failed }) => failed !== undefined)?.failed ?? 'no value');
  return {
    id,
    workload: item.workload,
    params: item.params,
    backend: IMPORTED_BACKEND,
    device: item.device,
    ...(headline !== null && !wrong ? { status: 'measured' as const } : { status: 'failed' as const, reason }),
    verification: item.verification,
    launches,
    metrics,
    headline,
    energy: [],
    limit: null,
    facts: item.facts,
    warnings: [],
  };
}

/** The same input gives the same id (RFC 9562, version 8), so that a file that is given twice is noticed. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex').split('').slice(0, 32);
  hex[12] = '8';
  hex[16] = '8';
  const joined = hex.join('');
  return [joined.slice(0, 8), joined.slice(8, 12), joined.slice(12, 16), joined.slice(16, 20), joined.slice(20)].join(
    '-',
  );
}

function unknownHost(label: string | undefined, machine: Imported['machine']): ResultDocument['host'] {
  return {
    id: `imported:${label ?? 'unknown'}`,
    ...(label !== undefined && { label }),
    cpu: {
      vendor: '',
      brand: machine.cpuBrand ?? 'unknown',
      arch: '',
      physicalCores: null,
      logicalCores: machine.logicalCores ?? 0,
      usableCores: machine.logicalCores ?? 0,
      sockets: null,
      numaNodes: null,
      isas: [],
      flags: [],
      caches: [],
      maxHertz: null,
    },
    memory: { totalBytes: 0, availableBytes: 0, swapBytes: 0, limitBytes: null, modules: [] },
    accelerators: machine.accelerators ?? [],
    storage: [],
    network: [],
    os: { platform: '', distribution: '', release: '', kernel: '', libc: null },
    virtualization: { virtual: false, hypervisor: null },
    container: null,
    versions: {},
    state: {
      governor: null,
      turbo: null,
      smt: null,
      loadAverage: [],
      stealFraction: null,
      hugepages: null,
      numaBalancing: null,
      temperatureCelsius: null,
      uptimeSeconds: null,
      environment: {},
    },
  };
}
