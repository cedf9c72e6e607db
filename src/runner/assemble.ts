/** Pure: from what the launches of a case brought to the case as it stands in the document. */
import { placementDifference } from '../analysis/placement.ts';
import {
  ceilingWarnings,
  shareOfLimit,
  steadinessWarnings,
  summarizeMetrics,
  usableLaunches,
} from '../analysis/summarize.ts';
import type { CaseResult, Launch, Verification, Warning } from '../results/schema.ts';
import type { Case } from '../suite/expand.ts';
import type { LaunchOutcome } from './launch.ts';

/** Everything that is known of a case while the run goes on. */
export interface CaseProgress {
  case: Case;
  launches: Launch[];
  facts: CaseResult['facts'];
  warnings: Warning[];
  verification: Verification | null;
  /** Set where the case cannot run here, or where every further launch would fail in the same way. */
  ended: { status: 'skipped' | 'failed'; reason: string; remedy: string } | null;
  /** The first launch whose workload ruled its own number out. */
  invalid: { reason: string; remedy: string } | null;
}

export function startCase(item: Case): CaseProgress {
  return { case: item, launches: [], facts: {}, warnings: [], verification: null, ended: null, invalid: null };
}

/** Takes in one launch's outcome. */
export function recordLaunch(
  progress: CaseProgress,
  planned: { index: number; order: number; seed: number },
  outcome: LaunchOutcome,
): Launch {
  const launch = toLaunch(planned, outcome);
  if (outcome.kind === 'failed' && outcome.failure.unavailable) {
    progress.ended = { status: 'skipped', reason: outcome.failure.message, remedy: outcome.failure.remedy };
    return launch;
  }
  progress.launches.push(launch);
  if (outcome.kind === 'measured') {
    progress.invalid ??= outcome.result.invalid ?? twoDevices(progress.facts.device, outcome.result.facts.device);
    const moved = movedBetween(progress.facts, outcome.result.facts);
    progress.facts = {
      ...progress.facts,
      ...outcome.result.facts,
      ...longestStall(progress.facts, outcome.result.facts),
    };
    progress.verification = worse(progress.verification, outcome.result.verification);
    for (const warning of [...outcome.result.warnings, ...moved]) {
      if (!progress.warnings.some(known => known.code === warning.code)) progress.warnings.push(warning);
    }
  } else if (outcome.kind === 'wrong') {
    progress.verification = worse(progress.verification, outcome.verification);
    progress.ended = {
      status: 'failed',
      reason: launch.reason ?? 'The output is wrong.',
      remedy: 'Do not use this machine, library or kernel for this operation; please report it with the case id.',
    };
  } else if (outcome.failure.permanent) {
    progress.ended = { status: 'failed', reason: outcome.failure.message, remedy: outcome.failure.remedy };
  }
  return launch;
}

/** A case's facts are those of its last launch, but for the event loop's longest stall, which is the longest of all. */
function longestStall(before: CaseResult['facts'], now: CaseResult['facts']): CaseResult['facts'] {
  const { eventLoopStallSeconds, eventLoopStallOwnSeconds } = before;
  return eventLoopStallSeconds !== undefined && Number(eventLoopStallSeconds) > Number(now.eventLoopStallSeconds)
    ? { eventLoopStallSeconds, eventLoopStallOwnSeconds: eventLoopStallOwnSeconds ?? null }
    : {};
}

/** Launches that chose for themselves must have chosen alike: their samples are put together. */
function twoDevices(before: unknown, now: unknown): CaseProgress['invalid'] {
  if (before === undefined || before === now) return null;
  return {
    reason: `One launch ran on ${before}, another on ${now}: their numbers cannot be put together.`,
    remedy: 'Name the device instead of auto.',
  };
}

/** The ranks of one launch sat otherwise than those of the launch before: the case's summary is over two states of the machine. */
function movedBetween(before: CaseResult['facts'], now: CaseResult['facts']): Warning[] {
  const difference = placementDifference(before, now, ['in one launch', 'in the next']);
  if (difference === null) return [];
  return [
    {
      code: 'PLACEMENT_DIFFERS',
      message: `the CPUs of the ranks sat differently in different launches: ${difference}.`,
      remedy:
        'Look at the launches one by one (`state` of each holds its placement), and compare those of like placement.',
    },
  ];
}

function toLaunch(planned: { index: number; order: number; seed: number }, outcome: LaunchOutcome): Launch {
  const base = { ...planned, samplesSeconds: [], iterationsPerSample: 0, work: {}, ceilings: {}, state: {} };
  if (outcome.kind === 'failed') return { ...base, status: 'failed', reason: outcome.failure.message };
  if (outcome.kind === 'wrong') {
    const { error, tolerance, method } = outcome.verification;
    return {
      ...base,
      status: 'invalid',
      reason: `The output ${outcome.when === 'before' ? 'before timing' : 'that the timed loop left'} is wrong: ${method} gives ${error ?? 'not a number'}, at most ${tolerance} is right.`,
      verification: outcome.verification,
    };
  }
  const {
    pid,
    windowSeconds,
    samplesSeconds,
    iterationsPerSample,
    work,
    warmup,
    ranks,
    ceilings,
    verification,
    state,
    complete,
    tokenTimes,
  } = outcome.result;
  const taken = {
    ...base,
    pid,
    windowSeconds,
    samplesSeconds,
    iterationsPerSample,
    work,
    warmup,
    ...(ranks === undefined ? {} : { ranks }),
    ceilings,
    verification,
    state,
    ...(tokenTimes === undefined ? {} : { tokenTimes }),
  };
  // Samples taken before Ctrl-C are as good as any other, there are only fewer of them.
  if (samplesSeconds.length === 0)
    return { ...taken, status: 'interrupted', reason: 'Interrupted before the first sample was complete.' };
  return complete
    ? { ...taken, status: 'ok' }
    : { ...taken, status: 'interrupted', reason: 'Interrupted; the samples until then are kept.' };
}

function worse(a: Verification | null, b: Verification): Verification {
  if (a === null || !b.passed) return b;
  if (!a.passed) return a;
  return (b.error ?? Number.POSITIVE_INFINITY) > (a.error ?? Number.POSITIVE_INFINITY) ? b : a;
}

/** The case for the document. `energy` comes from the telemetry, which this file does not know. */
export function finishCase(
  progress: CaseProgress,
  energy: CaseResult['energy'],
  extraWarnings: readonly Warning[],
): CaseResult {
  const { case: item, launches, facts } = progress;
  const names = item.workload.metrics(item.params);
  const headline = names[0] ?? null;
  const metrics = summarizeMetrics(launches, names);
  const limitRule = item.workload.limit(item.params);
  const limit = limitRule === null ? null : shareOfLimit(launches, limitRule);
  const measured = usableLaunches(launches).length > 0;
  const warnings = [
    ...progress.warnings,
    ...extraWarnings,
    ...(limitRule === null ? [] : ceilingWarnings(launches, limitRule)),
    ...(headline === null ? [] : steadinessWarnings(launches, headline)),
  ];
  return {
    id: item.id,
    workload: item.workload.name,
    params: item.params,
    backend: item.backend,
    device: deviceOf(progress),
    ...verdict(progress, measured, limit),
    verification: progress.verification,
    launches,
    metrics,
    headline: headline !== null && metrics[headline] !== undefined ? headline : null,
    energy: measured ? energy : [],
    limit,
    facts,
    warnings,
  };
}

/** What the launches say that they ran on; before there is one, what the case asks for. */
export function deviceOf({ facts, case: item }: Pick<CaseProgress, 'facts' | 'case'>): string {
  return typeof facts.device === 'string' ? facts.device : (item.workload.device?.(item.params, item.backend) ?? 'cpu');
}

function verdict(
  progress: CaseProgress,
  measured: boolean,
  limit: CaseResult['limit'],
): Pick<CaseResult, 'status' | 'reason' | 'remedy'> {
  if (
    progress.ended !== null &&
    (progress.ended.status === 'skipped' || !measured || progress.verification?.passed === false)
  ) {
    return progress.ended;
  }
  if (!measured) {
    const failed = progress.launches.find(launch => launch.status === 'failed');
    if (failed !== undefined) return { status: 'failed', reason: failed.reason ?? 'Every launch failed.' };
    return {
      status: 'skipped',
      reason: 'The run was interrupted before this case was measured.',
      remedy: 'Run again.',
    };
  }
  if (progress.invalid !== null) return { status: 'invalid', ...progress.invalid };
  if (limit !== null && limit.fraction > 1) {
    return {
      status: 'invalid',
      reason: `The rate is ${(100 * limit.fraction).toFixed(1)} % of the highest ceiling that was measured beside it, which cannot be.`,
      remedy: 'Leave the machine idle and run again: the ceiling was measured while something disturbed it.',
    };
  }
  return { status: 'measured' };
}
