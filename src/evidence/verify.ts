/**
 * Whether a document holds together: its seal, its signature, and every summary worked out again from what it holds. Pure
 * but for the digest. What is found is named; nothing is repaired.
 */

import { isTrusted } from '../analysis/comparability.ts';
import { caseEnergy, makeTracks, type Tracks } from '../analysis/energy.ts';
import { hostsOf, sensorsOf } from '../analysis/energy-scope.ts';
import { metricDefinition } from '../analysis/metrics.ts';
import { shareOfLimit, summarizeMetrics, usableLaunches } from '../analysis/summarize.ts';
import { caseThermal, launchConditions } from '../analysis/thermal.ts';
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import { checkSeal } from '../results/seal.ts';
import { checkSignature, type SignatureState } from '../results/sign.ts';

export interface Mismatch {
  /** Path in the document, with the case id where there is one. */
  where: string;
  what: string;
}

export interface Verification {
  seal: 'intact' | 'broken' | 'absent';
  signature: SignatureState;
  mismatches: Mismatch[];
  /** Summaries that were worked out again. */
  recomputed: number;
}

/** Logarithms may differ in the last digits between machines; nothing else may. */
const TOLERANCE = 1e-9;

export function verifyDocument(document: ResultDocument): Verification {
  const found: Mismatch[] = [];
  const state = checkSeal(document);
  if (state === 'broken') found.push({ where: 'seal', what: 'the document is not what was sealed' });
  if (state === 'unknown algorithm') found.push({ where: 'seal.algorithm', what: 'this version does not know it' });
  const signature = checkSignature(document);
  if (signature.state === 'broken' || signature.state === 'malformed')
    found.push({ where: 'seal.signature', what: `it is ${signature.state}` });
  found.push(...checkTelemetry(document));
  const tracks = makeTracks(document.telemetry.sources, document.telemetry.series);
  let recomputed = 0;
  for (const result of document.cases) {
    const add = (where: string, what: string): void => {
      found.push({ where: `case ${result.id}: ${where}`, what });
    };
    checkCase(result, add);
    recomputed += checkMetrics(result, add) + checkLimit(result, add) + checkEnergy(document, result, tracks, add);
    recomputed += checkThermal(document, result, add);
  }
  const seal = state === 'intact' || state === 'absent' ? state : 'broken';
  return { seal, signature, mismatches: found, recomputed };
}

type Add = (where: string, what: string) => void;

function checkTelemetry({ telemetry }: ResultDocument): Mismatch[] {
  const found: Mismatch[] = [];
  const units = new Map(telemetry.sources.map(source => [source.id, source.unit]));
  for (const { source, unit, timeSeconds, values } of telemetry.series) {
    const where = `telemetry.series ${source}`;
    if (!units.has(source)) found.push({ where, what: 'there is no such source' });
    else if (units.get(source) !== unit)
      found.push({ where, what: `its unit is ${unit}, that of its source ${units.get(source)}` });
    if (timeSeconds.length !== values.length)
      found.push({ where, what: `it has ${timeSeconds.length} times and ${values.length} values` });
    if (timeSeconds.some((time, index) => index > 0 && time < (timeSeconds[index - 1] ?? time)))
      found.push({ where, what: 'its clock runs backwards' });
  }
  return found;
}

function checkCase(result: CaseResult, add: Add): void {
  const usable = usableLaunches(result.launches);
  if (result.status === 'measured') {
    if (usable.length === 0) add('status', 'it says measured, but no launch is usable');
    if (!isTrusted(result)) add('verification', 'it says measured, but the output was not verified');
    if (result.launches.some(launch => launch.status === 'ok' && launch.verification?.passed === false))
      add('verification', 'a launch whose output was wrong counts as ok');
    if ((result.limit?.fraction ?? 0) > 1) add('limit', 'it says measured, but is above its limit');
    if (result.headline !== null && !Object.hasOwn(result.metrics, result.headline))
      add('headline', `there is no metric ${result.headline}`);
  }
  for (const { index, windowSeconds, samplesSeconds, iterationsPerSample } of result.launches) {
    if (windowSeconds === undefined) continue;
    const [start, end] = windowSeconds;
    const sampled = samplesSeconds.reduce((total, sample) => total + sample, 0);
    if (end < start) add(`launch ${index}`, 'its window ends before it begins');
    else if (sampled > (end - start) * (1 + 1e-6) + 1e-6)
      add(`launch ${index}`, 'its samples take longer than its window');
    if (samplesSeconds.length > 0 && iterationsPerSample < 1) add(`launch ${index}`, 'its samples hold no iteration');
  }
}

function checkMetrics(result: CaseResult, add: Add): number {
  const again = summarizeMetrics(result.launches, Object.keys(result.metrics));
  for (const [name, stated] of Object.entries(result.metrics)) {
    const definition = metricDefinition(name);
    const computed = again[name];
    if (definition === undefined) add(`metrics.${name}`, 'this version does not know the metric');
    else if (stated.unit !== definition.unit)
      add(`metrics.${name}.unit`, `it is ${stated.unit}, not ${definition.unit}`);
    else if (stated.better !== definition.better)
      add(`metrics.${name}.better`, `it is ${stated.better}, not ${definition.better}`);
    else if (computed === undefined) add(`metrics.${name}`, 'the samples do not give it');
    else {
      compare(`metrics.${name}`, stated, computed, add);
    }
  }
  return Object.keys(result.metrics).length;
}

function checkLimit(result: CaseResult, add: Add): number {
  const { limit } = result;
  if (limit === null) return 0;
  // The document does not say which metric was held against the limit: it is one of the case's own.
  const candidates = Object.keys(result.metrics).map(metric =>
    shareOfLimit(result.launches, { ceiling: limit.name, metric }),
  );
  const differences = candidates.map(candidate => differencesOf(limit, candidate));
  if (candidates.length > 0 && !differences.some(list => list.length === 0)) {
    const [fewest] = differences.sort((a, b) => a.length - b.length);
    const [path, what] = fewest?.[0] ?? ['', 'the launches do not give it'];
    add(`limit${path}`, what);
  }
  return 1;
}

function checkEnergy(document: ResultDocument, result: CaseResult, tracks: Tracks, add: Add): number {
  const metric = result.headline === null ? undefined : result.metrics[result.headline];
  const stated = result.energy.filter(entry => entry.status !== 'unavailable');
  if (stated.length === 0) return 0;
  const { energy } = caseEnergy(
    {
      sources: document.telemetry.sources,
      series: document.telemetry.series,
      launches: result.launches,
      idleWindow: document.run.idleWindowSeconds,
      headline: metric === undefined || result.headline === null ? null : { name: result.headline, metric },
      device: result.device,
      sensors: sensorsOf(result.facts),
      hosts: hostsOf(result.facts),
    },
    tracks,
  );
  for (const entry of stated) {
    const again = energy.find(({ source }) => source === entry.source);
    if (again === undefined) add(`energy ${entry.source}`, 'the telemetry does not give it');
    else compare(`energy ${entry.source}`, entry, again, add);
  }
  return stated.length;
}

function checkThermal({ telemetry }: ResultDocument, result: CaseResult, add: Add): number {
  const { launches, thermal, device } = result;
  const input = { ...telemetry, device, sensors: sensorsOf(result.facts) };
  if (thermal !== undefined) compare('thermal', thermal, caseThermal(launches, thermal.regime, input), add);
  for (const launch of launches) {
    if (launch.conditions === undefined) continue;
    compare(`launch ${launch.index}: conditions`, launch.conditions, launchConditions(launch, input), add);
  }
  return thermal === undefined ? 0 : 1;
}

/** Names the first field in which the stated value is not the one worked out again. */
function compare(where: string, stated: unknown, computed: unknown, add: Add): void {
  const [first] = differencesOf(stated, computed);
  if (first !== undefined) add(`${where}${first[0]}`, first[1]);
}

function differencesOf(stated: unknown, computed: unknown, path = ''): [string, string][] {
  if (typeof stated === 'number' && typeof computed === 'number') {
    const close = Math.abs(stated - computed) <= TOLERANCE * Math.max(Math.abs(stated), Math.abs(computed));
    return close ? [] : [[path, `it is stated as ${stated}, the samples give ${computed}`]];
  }
  if (typeof stated === 'object' && stated !== null && typeof computed === 'object' && computed !== null) {
    const keys = new Set([...Object.keys(stated), ...Object.keys(computed)]);
    return [...keys].flatMap(key =>
      differencesOf(Reflect.get(stated, key), Reflect.get(computed, key), `${path}.${key}`),
    );
  }
  return stated === computed
    ? []
    : [[path, `it is stated as ${JSON.stringify(stated)}, the samples give ${JSON.stringify(computed)}`]];
}
