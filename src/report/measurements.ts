/** Pure: documents as a flat list of named values, which is all that most formats hold. */
import { isOfOtherDevice } from '../analysis/energy-scope.ts';
import type { CaseResult, ResultDocument } from '../results/schema.ts';

export interface FlatValue {
  document: ResultDocument;
  result: CaseResult;
  /** A metric, `throughput_per_watt`, `average_watts` or `energy_delay`. */
  name: string;
  value: number;
  unit: string;
  better: 'higher' | 'lower';
  interval: [number, number] | null;
  launches: number;
  /** Of energy values: what the reading covers, and which sensor it is of. */
  energy: { scope: string; source: string } | null;
}

/** Values of the measured cases; what was skipped, failed or ruled invalid has none. */
export function flatValues(documents: readonly ResultDocument[]): FlatValue[] {
  return documents.flatMap(document =>
    document.cases
      .filter(({ status }) => status === 'measured')
      .flatMap(result => [...metricValues(document, result), ...energyValues(document, result)]),
  );
}

function metricValues(document: ResultDocument, result: CaseResult): FlatValue[] {
  return Object.entries(result.metrics).map(([name, { value, unit, better, interval, launches }]) => ({
    document,
    result,
    name,
    value,
    unit,
    better,
    interval,
    launches,
    energy: null,
  }));
}

function energyValues(document: ResultDocument, result: CaseResult): FlatValue[] {
  return result.energy.flatMap(({ status, reason, source, scope, averageWatts, throughputPerWatt, energyDelay }) => {
    if (status !== 'ok' || isOfOtherDevice({ reason })) return [];
    const common = { document, result, launches: result.launches.length, energy: { scope, source } };
    const found: FlatValue[] = [];
    if (averageWatts !== null)
      found.push({ ...common, name: 'average_watts', value: averageWatts, unit: 'W', better: 'lower', interval: null });
    if (throughputPerWatt !== null)
      found.push({ ...common, name: 'throughput_per_watt', ...throughputPerWatt, better: 'higher' });
    if (energyDelay !== undefined)
      found.push({ ...common, name: 'energy_delay', ...energyDelay, better: 'lower', interval: null });
    return found;
  });
}

/** Name of the machine for people: its label where it has one. */
export function hostName({ host }: ResultDocument): string {
  return host.label ?? host.id;
}

/** The machine and the program in a line, for people. */
export function machineWords({ host, createdAt, tool }: ResultDocument): string {
  const runtime = tool.onnxruntime === null ? '' : `, onnxruntime ${tool.onnxruntime}`;
  return `${host.cpu.brand}, ${host.cpu.usableCores} cores; ${createdAt}; aibench ${tool.version}${runtime}`;
}

/** Case id with the energy's scope and source where there is one: unique per value name within a document. */
export function qualifiedCase({ result, energy }: FlatValue): string {
  return energy === null ? result.id : `${result.id}/scope=${energy.scope}/source=${energy.source}`;
}
