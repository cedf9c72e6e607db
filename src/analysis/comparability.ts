/** What may be compared with what. Cases that are not like for like are set apart with the reason, never joined. */
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import { machineOf, type Sighting } from './observations.ts';
import { placementDifference } from './placement.ts';

export interface Pair {
  id: string;
  baseline: Sighting[];
  candidate: Sighting[];
}

export interface Apart {
  id: string;
  reason: string;
}

export interface Pairing {
  pairs: Pair[];
  apart: Apart[];
  /** Differences between the documents that do not forbid a comparison but that a reader must know. */
  notes: string[];
}

/** Pairs the measured cases of both sides by id. Order: that of the first document that has the case. */
export function pairCases(baseline: readonly ResultDocument[], candidate: readonly ResultDocument[]): Pairing {
  const left = index(baseline);
  const right = index(candidate);
  const pairs: Pair[] = [];
  const apart: Apart[] = [];
  for (const id of new Set([...left.keys(), ...right.keys()])) {
    const b = left.get(id);
    const c = right.get(id);
    const reason = b === undefined ? 'only in the candidate' : c === undefined ? 'only in the baseline' : null;
    if (b === undefined || c === undefined) {
      apart.push({ id, reason: reason ?? '' });
      continue;
    }
    const unlike = unlikeReason(b, c);
    if (unlike === null) pairs.push({ id, baseline: b, candidate: c });
    else apart.push({ id, reason: unlike });
  }
  return { pairs, apart, notes: [...documentNotes(baseline, candidate), ...factNotes(pairs)] };
}

/** Every sighting of every case, by case id. */
export function index(documents: readonly ResultDocument[]): Map<string, Sighting[]> {
  const found = new Map<string, Sighting[]>();
  for (const document of documents) {
    for (const result of document.cases) {
      const seen = found.get(result.id);
      if (seen === undefined) found.set(result.id, [{ document, result }]);
      else seen.push({ document, result });
    }
  }
  return found;
}

/** Facts of a case that make it another thing when they differ: what was run, not how well the machine ran it. */
const IDENTITY_FACT = /(sha256|digest|checksum)$/i;

function unlikeReason(baseline: readonly Sighting[], candidate: readonly Sighting[]): string | null {
  const first = baseline[0]?.result;
  if (first === undefined) return 'not in the baseline';
  for (const [side, sightings] of [
    ['baseline', baseline],
    ['candidate', candidate],
  ] as const) {
    for (const { result } of sightings) {
      if (result.status !== 'measured') return `${result.status} in the ${side}: ${result.reason ?? 'no reason given'}`;
      if (!isTrusted(result)) return `not verified in the ${side}`;
      const difference = identityDifference(first, result);
      if (difference !== null) return difference;
    }
  }
  return movedApart(baseline, candidate);
}

/** Of one machine only: between two machines, where the CPUs sit is part of what is compared. */
function movedApart([baseline]: readonly Sighting[], [candidate]: readonly Sighting[]): string | null {
  if (baseline === undefined || candidate === undefined) return null;
  if (machineOf(baseline.document) !== machineOf(candidate.document)) return null;
  const sides = ['in the baseline', 'in the candidate'] as const;
  const difference = placementDifference(baseline.result.facts, candidate.result.facts, sides);
  return difference === null ? null : `placement of the CPUs differs: ${difference}`;
}

/** Cases of other tools: they compare with each other only, since the backend is part of what makes a case. */
const IMPORTED_BACKEND = 'imported';

/** Whether the output was checked and right. Other tools mostly do not check: then there is nothing to hold against it. */
export function isTrusted({ backend, verification }: CaseResult): boolean {
  return verification === null ? backend === IMPORTED_BACKEND : verification.passed;
}

export function identityDifference(a: CaseResult, b: CaseResult): string | null {
  for (const key of ['workload', 'backend'] as const) {
    if (a[key] !== b[key]) return `${key} differs: ${a[key]} and ${b[key]}`;
  }
  for (const name of new Set([...Object.keys(a.params), ...Object.keys(b.params)])) {
    const [x, y] = [JSON.stringify(a.params[name]), JSON.stringify(b.params[name])];
    if (x !== y) return `parameter ${name} differs: ${x ?? 'absent'} and ${y ?? 'absent'}`;
  }
  for (const name of Object.keys(a.facts)) {
    if (IDENTITY_FACT.test(name) && Object.hasOwn(b.facts, name) && a.facts[name] !== b.facts[name])
      return `${name} differs: not the same input`;
  }
  const work = workDifference(a, b);
  if (work !== null) return work;
  for (const name of Object.keys(a.metrics)) {
    const [x, y] = [a.metrics[name], b.metrics[name]];
    if (x !== undefined && y !== undefined && (x.unit !== y.unit || x.better !== y.better))
      return `${name} is in ${x.unit} (${x.better} is better) and in ${y.unit} (${y.better} is better)`;
  }
  return null;
}

/** The work of one iteration is fixed by the parameters; where it differs, the two counted differently. */
function workDifference(a: CaseResult, b: CaseResult): string | null {
  const x = a.launches[0];
  const y = b.launches[0];
  if (x === undefined || y === undefined || x.iterationsPerSample === 0 || y.iterationsPerSample === 0) return null;
  for (const key of ['flops', 'bytes', 'items', 'tokens'] as const) {
    const [p, q] = [x.work[key], y.work[key]];
    if (p === undefined || q === undefined) continue;
    const ratio = (p / x.iterationsPerSample) * (y.iterationsPerSample / q);
    if (Math.abs(ratio - 1) > 1e-9) return `${key} per iteration differ: the two count work differently`;
  }
  return null;
}

function documentNotes(baseline: readonly ResultDocument[], candidate: readonly ResultDocument[]): string[] {
  const notes: string[] = [];
  const differs = (what: string, of: (document: ResultDocument) => string): void => {
    const [left, right] = [new Set(baseline.map(of)), new Set(candidate.map(of))];
    const all = new Set([...left, ...right]);
    if (all.size < 2) return;
    const shown = [...all].slice(0, 4).join(', ') + (all.size > 4 ? ', …' : '');
    notes.push(
      left.size === 1 && right.size === 1 ? `${what} differs: ${shown}` : `${what} is not one and the same: ${shown}`,
    );
  };
  differs('aibench version', document => document.tool.version);
  differs('Node version', document => document.tool.node);
  differs('compiler of the addon', document => document.tool.addon.compiler);
  differs('ONNX Runtime version', document => document.tool.onnxruntime ?? 'none');
  differs('suite', document => `${document.suite.name} ${document.suite.sha256.slice(0, 8)}`);
  differs('CPU', document => document.host.cpu.brand);
  differs('kernel', document => document.host.os.kernel);
  differs('set of accelerators', document => acceleratorsText(document));
  for (const name of new Set([...baseline, ...candidate].flatMap(({ host }) => Object.keys(host.versions)))) {
    if (!VERSIONS_SAID_ELSEWHERE.has(name))
      differs(`version of ${name}`, ({ host }) =>
        Object.hasOwn(host.versions, name) ? String(host.versions[name]) : 'none',
      );
  }
  differs('power limit', ({ telemetry }) => capsText(telemetry.sources));
  differs('frequency governor', ({ host }) => host.state.governor ?? 'unknown');
  differs('simultaneous multithreading', ({ host }) => onOff(host.state.smt));
  differs('huge pages', ({ host }) => host.state.hugepages ?? 'unknown');
  differs('environment', document => JSON.stringify(sortedEntries(document.host.state.environment)));
  for (const document of [...baseline, ...candidate]) {
    if (document.run.state !== 'complete')
      notes.push(`a run of ${document.createdAt} is ${document.run.state}, not complete`);
  }
  return notes;
}

/** Of Node, its parts and ONNX Runtime: those have lines of their own. */
const VERSIONS_SAID_ELSEWHERE: ReadonlySet<string> = new Set(['node', 'v8', 'uv', 'openssl', 'onnxruntime']);

/** Only where a limit is known: most sources have none. */
function capsText(sources: ResultDocument['telemetry']['sources']): string {
  const caps = sources.flatMap(({ id, capWatts }) => (capWatts === undefined ? [] : [`${id} ${capWatts} W`]));
  return caps.length === 0 ? 'not known' : caps.join(' + ');
}

function onOff(value: boolean | null): string {
  return value === null ? 'unknown' : value ? 'on' : 'off';
}

function acceleratorsText({ host }: ResultDocument): string {
  const names = host.accelerators.map(facts => String(facts.name ?? facts.model ?? 'accelerator'));
  return names.length === 0 ? 'none' : [...names].sort().join(' + ');
}

/** Facts that say how a case was run: another kernel or algorithm is no other case, but a reader must know of it. */
const HOW_FACTS = ['kernel', 'isa', 'algorithm', 'engine', 'providers'];

function factNotes(pairs: readonly Pair[]): string[] {
  return HOW_FACTS.flatMap(name => {
    const differing = pairs.flatMap(({ id, baseline, candidate }) => {
      const [a, b] = [baseline[0]?.result.facts[name], candidate[0]?.result.facts[name]];
      return a === undefined || b === undefined || a === b ? [] : [{ id, a, b }];
    });
    const [first] = differing;
    if (first === undefined) return [];
    const others = differing.length === 1 ? '' : ` (and in ${differing.length - 1} more)`;
    return [`${name} differs in ${first.id}${others}: ${String(first.a)} and ${String(first.b)}`];
  });
}

function sortedEntries(record: Record<string, string>): [string, string][] {
  return Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
}
