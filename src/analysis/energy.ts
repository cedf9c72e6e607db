/**
 * The energy of a case: over all its launch windows, per source and for the sum of disjoint sources, gross and with the
 * idle baseline taken off, and the work done per joule. Pure: everything comes from what the document holds, so that
 * `aibench verify` recomputes it.
 */
import type { CaseEnergy, Metric, Series, SourceDescription, Warning } from '../results/schema.ts';
import { statedGain } from './energy-accuracy.ts';
import {
  concernsDevice,
  disjointGroups,
  hasOtherTenants,
  holdsUnknownGpus,
  isEnergetic,
  lacksGpus,
  OTHER_DEVICE,
  PART,
  type SourceGroup,
  withoutOtherGpus,
} from './energy-scope.ts';
import { type Track, trackOf } from './energy-track.ts';
import { crossCheck, dilution } from './energy-warnings.ts';
import {
  COVERAGE_FACTOR,
  combine,
  MIN_UPDATES_HEADLINE,
  MIN_UPDATES_MEAN,
  type Terms,
  type WindowEnergy,
  type WindowOptions,
  windowEnergy,
} from './energy-window.ts';
import {
  type EnergyHeadline,
  type EnergyLaunch,
  energyDelayOf,
  perJoule,
  totalWork,
  type Work,
  workUnit,
} from './energy-work.ts';

export interface CaseEnergyInput {
  sources: readonly SourceDescription[];
  series: readonly Series[];
  launches: readonly EnergyLaunch[];
  /** Measured in the same run with the machine left alone; null where there was none. */
  idleWindow: readonly [number, number] | null;
  /** The case's headline metric. Only a rate gives work per joule. */
  headline: EnergyHeadline;
  /** The case's device: `cpu`, `cuda:0`, ... */
  device: string;
  /** The GPUs that it ran on, as `covers` names them; empty: not known, or none. */
  sensors?: readonly string[];
  /** How many hosts its ranks ran on; the readings are of one. */
  hosts?: number;
  options?: WindowOptions;
}

/**
 * Tracks made once for all cases of a run: cleaning a series is linear in its length, a window then logarithmic plus its
 * own readings.
 */
export type Tracks = ReadonlyMap<string, { source: SourceDescription; track: Track }>;

export function makeTracks(sources: readonly SourceDescription[], series: readonly Series[]): Tracks {
  const byId = new Map(sources.map(source => [source.id, source]));
  const out = new Map<string, { source: SourceDescription; track: Track }>();
  for (const one of series) {
    const source = byId.get(one.source);
    const track = source && source.status === 'ok' ? trackOf(one, source) : null;
    if (source && track) out.set(source.id, { source, track });
  }
  return out;
}

/**
 * Entries in the order of their worth: the first is the headline if `headlineEnergy` accepts it. Where no source can be
 * read the only entry is `unavailable` and says why.
 */
export function caseEnergy(
  input: CaseEnergyInput,
  tracks: Tracks = makeTracks(input.sources, input.series),
): { energy: CaseEnergy[]; warnings: Warning[] } {
  const launches = input.launches.filter(launch => launch.status === 'ok' && launch.windowSeconds !== undefined);
  const sources = withoutOtherGpus(input.sources, input.sensors ?? []);
  const energetic = sources.filter(isEnergetic);
  const readable = energetic.filter(source => tracks.has(source.id));
  if (readable.length === 0) return { energy: [nothingReadable(energetic)], warnings: [] };
  if (launches.length === 0) return { energy: [], warnings: [] };
  const gross = new Map<string, Gross>();
  for (const source of readable) {
    const found = tracks.get(source.id);
    if (found) gross.set(source.id, overWindows(found.track, source, launches, input.options ?? {}));
  }
  const isUsable = (source: SourceDescription): boolean => gross.get(source.id)?.status === 'ok';
  const groups = disjointGroups(sources, isUsable);
  const entries: CaseEnergy[] = [];
  for (const group of groups) entries.push(groupEntry(group, gross, tracks, input, launches));
  for (const source of readable) {
    if (entries.some(entry => entry.source === source.id)) continue;
    const one: SourceGroup = {
      id: source.id,
      scope: source.scope,
      kind: source.kind,
      members: [source],
      covers: source.covers,
    };
    entries.push(groupEntry(one, gross, tracks, input, launches, true));
  }
  const warnings = [...crossCheck(groups, entries), ...dilution(launches)];
  return { energy: inOrder(entries, groups, input.device), warnings };
}

/** The entry that stands for the case, or null: the first, if it has work per joule. */
export function headlineEnergy(energy: readonly CaseEnergy[]): CaseEnergy | null {
  const first = energy[0];
  return first && first.status === 'ok' && first.throughputPerWatt !== null ? first : null;
}

type Gross =
  | { status: 'ok'; joules: number; seconds: number; updates: number; terms: Terms }
  | { status: 'invalid'; reason: string };

/** A remote meter's readings are dated to within what its answers took. */
function withTimeOf(source: SourceDescription, options: WindowOptions): WindowOptions {
  const own = source.timeUncertaintySeconds ?? 0;
  return own === 0 ? options : { ...options, clockOffsetSeconds: (options.clockOffsetSeconds ?? 0) + own };
}

/** Sum over the launch windows. One window that fails fails all: an average over the rest would be of other work. */
function overWindows(
  track: Track,
  source: SourceDescription,
  launches: readonly EnergyLaunch[],
  options: WindowOptions,
): Gross {
  const parts: Extract<WindowEnergy, { status: 'ok' }>[] = [];
  for (const [index, launch] of launches.entries()) {
    const [start, end] = launch.windowSeconds ?? [0, 0];
    const part = windowEnergy(track, start, end, withTimeOf(source, options));
    if (part.status !== 'ok') return { status: 'invalid', reason: `launch ${index}: ${part.code}: ${part.reason}` };
    parts.push(part);
  }
  const sum = (pick: (part: (typeof parts)[number]) => number): number =>
    parts.reduce((total, part) => total + pick(part), 0);
  const updates = sum(part => part.updates);
  if (source.kind === 'gauge' && updates < MIN_UPDATES_MEAN) {
    const reason = `too-few-updates: the reading changed ${updates} times in the launches; a mean needs ${MIN_UPDATES_MEAN}`;
    return { status: 'invalid', reason };
  }
  const joules = sum(part => part.joules);
  const terms: Terms = {};
  for (const part of parts) {
    for (const [term, value] of Object.entries(part.terms) as [keyof Terms, number][]) {
      terms[term] = isCommon(term, source) ? (terms[term] ?? 0) + value : Math.hypot(terms[term] ?? 0, value);
    }
  }
  terms.gain = (joules * statedGain(source.id)) / Math.sqrt(3);
  return { status: 'ok', joules, seconds: sum(part => part.seconds), updates, terms };
}

/** What errs the same way in every window adds up: a clock that is off, a gauge that rounds. */
function isCommon(term: keyof Terms, { kind }: SourceDescription): boolean {
  return term === 'synchronisation' || (term === 'quantum' && kind === 'gauge');
}

function groupEntry(
  group: SourceGroup,
  gross: ReadonlyMap<string, Gross>,
  tracks: Tracks,
  input: CaseEnergyInput,
  launches: readonly EnergyLaunch[],
  isPart = false,
): CaseEnergy {
  const blank = { source: group.id, scope: group.scope, joules: null, averageWatts: null, idleWatts: null };
  const nothing = { ...blank, throughputPerWatt: null, net: null, uncertainty: null };
  const parts: Extract<Gross, { status: 'ok' }>[] = [];
  for (const member of group.members) {
    const part = gross.get(member.id);
    if (part?.status !== 'ok')
      return { ...nothing, status: 'invalid', reason: part?.reason ?? `${member.id} was not read` };
    parts.push(part);
  }
  const joules = parts.reduce((total, part) => total + part.joules, 0);
  const seconds = parts[0]?.seconds ?? 0;
  const terms = addTerms(parts.map(part => part.terms));
  const { joules: standard, dominatedBy } = combine(terms);
  const relative = (COVERAGE_FACTOR * standard) / joules;
  const work = totalWork(input.headline, launches);
  const obstacle = headlineObstacle(group, parts, input, isPart);
  const perWatt = obstacle === null && work ? perJoule(work, joules, relative, input.headline?.metric ?? null) : null;
  const idle = idleOf(group, tracks, input.idleWindow, input.options ?? {});
  return {
    source: group.id,
    scope: group.scope,
    status: 'ok',
    ...(obstacle === null ? {} : { reason: obstacle }),
    joules,
    averageWatts: joules / seconds,
    idleWatts: idle?.watts ?? null,
    throughputPerWatt: perWatt,
    ...capOf(group),
    ...(perWatt && work ? { energyDelay: energyDelayOf(work, joules, seconds) } : {}),
    net:
      idle && netOf(idle, joules, seconds, standard, obstacle === null ? work : null, input.headline?.metric ?? null),
    uncertainty: { relative, dominatedBy },
  };
}

/** The sum of the limits, where each package, GPU or whole machine has one; memory beside a package has none of its own. */
function capOf({ members }: SourceGroup): { capWatts?: number } {
  const limited = members.filter(({ covers }) => !covers.every(token => token.startsWith('dram-')));
  const caps = limited.map(({ capWatts }) => capWatts);
  if (caps.length === 0 || caps.some(cap => cap === undefined)) return {};
  return { capWatts: caps.reduce((sum: number, cap) => sum + (cap ?? 0), 0) };
}

/** Why a valid energy gets no work per joule; null where it does. */
function headlineObstacle(
  group: SourceGroup,
  parts: readonly { updates: number }[],
  { headline, hosts, device, sensors }: CaseEnergyInput,
  isPart: boolean,
): string | null {
  if ((hosts ?? 1) > 1) return `several-hosts: the work was done on ${hosts} hosts, the reading is of one`;
  if (hasOtherTenants(group.covers))
    return 'other-tenants: the reading holds the whole device, which others may be using';
  // Work is not divided by the energy of what did not do it, or did only a part of it: an idle GPU's, one package's of two.
  if (!concernsDevice(group.covers, device))
    return `${OTHER_DEVICE}: the reading does not hold what did the work (${device === '' ? 'cpu' : device})`;
  if (lacksGpus(group.covers, sensors ?? [])) return `${PART}: the reading is of some of the GPUs that did the work`;
  if (holdsUnknownGpus(group.covers, device, sensors ?? []))
    return 'other-gpus: the reading holds all GPUs, and which of them the case ran on is not known';
  if (isPart) return `${PART}: the reading is of a part of what did the work, or is counted in a sum already`;
  const fewest = Math.min(...parts.map(part => part.updates));
  if (group.kind === 'gauge' && fewest < MIN_UPDATES_HEADLINE) {
    return `few-updates: ${fewest} distinct readings give a mean; a headline needs ${MIN_UPDATES_HEADLINE}`;
  }
  if (!headline || workUnit(headline.name) === null) return 'no-rate: the headline of this case is no rate of work';
  return null;
}

/** Independent sensors: terms of one name in quadrature; a stated gain is common to sensors of one make and adds up. */
function addTerms(all: readonly Terms[]): Terms {
  const out: Terms = {};
  for (const terms of all) {
    for (const [term, value] of Object.entries(terms) as [keyof Terms, number][]) {
      out[term] = term === 'gain' ? (out[term] ?? 0) + value : Math.hypot(out[term] ?? 0, value);
    }
  }
  return out;
}

interface Idle {
  watts: number;
  standardWatts: number;
}

function idleOf(
  group: SourceGroup,
  tracks: Tracks,
  window: readonly [number, number] | null,
  options: WindowOptions,
): Idle | null {
  if (!window) return null;
  let watts = 0;
  let squares = 0;
  for (const member of group.members) {
    const track = tracks.get(member.id)?.track;
    const part = track && windowEnergy(track, window[0], window[1], withTimeOf(member, options));
    if (part?.status !== 'ok') return null;
    watts += part.averageWatts;
    squares += (combine(part.terms).joules / part.seconds) ** 2;
  }
  return { watts, standardWatts: Math.sqrt(squares) };
}

function netOf(
  idle: Idle,
  joules: number,
  seconds: number,
  standardJoules: number,
  work: Work | null,
  rate: Metric | null,
): CaseEnergy['net'] {
  const net = joules - idle.watts * seconds;
  const standard = Math.hypot(standardJoules, idle.standardWatts * seconds);
  // At or below the idle level nothing can be divided by it.
  const perWatt =
    work && net > COVERAGE_FACTOR * standard ? perJoule(work, net, (COVERAGE_FACTOR * standard) / net, rate) : null;
  return { joules: net, averageWatts: net / seconds, throughputPerWatt: perWatt };
}

/** Headline candidates in order of width, then the other groups, then single sources, then what is not valid. */
function inOrder(entries: readonly CaseEnergy[], groups: readonly SourceGroup[], device: string): CaseEnergy[] {
  const covers = new Map(groups.map(group => [group.id, group.covers]));
  const rank = (entry: CaseEnergy): number => {
    const group = covers.get(entry.source);
    if (entry.status !== 'ok') return 4;
    if (!group) return 3;
    if (!concernsDevice(group, device)) return 2;
    return entry.throughputPerWatt === null ? 1 : 0;
  };
  return [...entries]
    .map((entry, index) => ({ entry, index }))
    .sort((a, b) => rank(a.entry) - rank(b.entry) || a.index - b.index)
    .map(({ entry }) => entry);
}

function nothingReadable(energetic: readonly SourceDescription[]): CaseEnergy {
  const denied = energetic.find(source => source.status === 'denied') ?? energetic[0];
  const reason = denied
    ? `no power sensor can be read; ${denied.id}: ${denied.reason ?? denied.status}`
    : 'no power sensor was found on this machine';
  return {
    source: denied?.id ?? 'none',
    scope: denied?.scope ?? 'node',
    status: 'unavailable',
    reason,
    joules: null,
    averageWatts: null,
    idleWatts: null,
    throughputPerWatt: null,
    net: null,
    uncertainty: null,
  };
}
