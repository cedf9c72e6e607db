/**
 * The loop: asks each case whether it can run here, measures idle power where there is a sensor, and runs the launches in
 * randomised blocks under the telemetry recorder.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isEnergetic } from '../analysis/energy-scope.ts';
import { metricDefinition } from '../analysis/metrics.ts';
import type { Launch, ResultDocument } from '../results/schema.ts';
import type { Case } from '../suite/expand.ts';
import type { Timing } from '../workloads/workload.ts';
import { coolDown } from './cool-down.ts';
import type { RunEvent } from './events.ts';
import { launchSeconds, runSeconds } from './expected-time.ts';
import { type LaunchOptions, type LaunchOutcome, runLaunch } from './launch.ts';
import { announceRun, type Presence } from './neighbours.ts';
import { type PlannedLaunch, planLaunches } from './order.ts';
import { RunRecord, type RunRecordOptions } from './run-record.ts';
import { soak } from './soak.ts';

export interface RunOptions extends Omit<RunRecordOptions, 'startedSeconds'> {
  cacheDir: string;
  /** CLOCK_MONOTONIC in seconds: the clock of windows and telemetry. */
  now(): number;
  /** Aborted on Ctrl-C: the launch in hand ends, what is measured is kept. */
  signal: AbortSignal;
  onEvent(event: RunEvent): void;
  /** Runs one launch; another in tests. */
  launch?: (options: LaunchOptions) => Promise<LaunchOutcome>;
  presence?: Presence;
  /** Before each launch: waits until the hottest sensor is no warmer. */
  coolToCelsius?: number;
}

/** Of work between two looks whether a sustained case is warm: short enough to notice, long beside a launch's start. */
const SOAK_STEP_SECONDS = 10;

/** Runs all cases and returns the sealed document. */
export async function runSuite(options: RunOptions): Promise<ResultDocument> {
  const { suite, cases, inventory, signal, onEvent, now } = options;
  const { idleSeconds } = suite.value;
  const presence = options.presence ?? announceRun();
  const record = new RunRecord({ ...options, startedSeconds: now() });
  const loop = new LaunchLoop(options, record);
  try {
    warnOfNeighbours(record, presence, onEvent);
    onEvent({
      type: 'started',
      cases: cases.length,
      launches: cases.reduce((sum, item) => sum + item.launches, 0),
      expectedSeconds: runSeconds(cases, inventory.machine, idleSeconds),
    });
    await askEachCase(options, record);
    record.checkpoint();
    if (idleSeconds > 0 && measuresPower(options)) {
      onEvent({ type: 'phase', message: `measuring idle power for ${idleSeconds} s` });
      const start = now();
      await sleep(idleSeconds * 1000, undefined, { signal }).catch(() => {});
      record.setIdleWindow([start, now()]);
    }
    let waits = options.coolToCelsius !== undefined;
    for (const planned of planLaunches(record.open(), options.seed)) {
      if (signal.aborted) break;
      if (record.progressOf(planned.case).ended !== null) continue;
      if (waits && planned.case.regime === undefined) waits = await waitUntilCool(options, record);
      if (!signal.aborted) await loop.run(planned);
    }
    warnOfNeighbours(record, presence, onEvent);
    await waitForReadings(options, record.lastWindowEnd);
    return record.finish(signal.aborted ? 'interrupted' : 'complete', now());
  } finally {
    presence.leave();
  }
}

/** A meter that is silent for as long gives nothing for the last launch. */
const READINGS_LIMIT_SECONDS = 30;

/** Slow meters, and gauges that average, tell of the last launch some time after it has ended; without that its energy would be lost. */
async function waitForReadings({ recorder, now, signal, onEvent }: RunOptions, end: number | null): Promise<void> {
  if (end === null) return;
  const from = now();
  let isSaid = false;
  for (let until = recorder.coveredUntil(); until !== null && until < end; until = recorder.coveredUntil()) {
    const waited = now() - from;
    if (signal.aborted || waited > READINGS_LIMIT_SECONDS) return;
    if (waited > 1 && !isSaid)
      onEvent({ type: 'phase', message: 'waiting for the last readings of the power sensors' });
    isSaid ||= waited > 1;
    await sleep(100, undefined, { signal }).catch(() => {});
  }
}

/** Whether it makes sense to wait again before the next launch. */
async function waitUntilCool(options: RunOptions, record: RunRecord): Promise<boolean> {
  const { coolToCelsius, recorder, now, signal, onEvent } = options;
  if (coolToCelsius === undefined) return false;
  const warning = await coolDown({ recorder, celsius: coolToCelsius, now, signal });
  if (warning && record.warn(warning)) onEvent({ type: 'warning', message: `${warning.message} ${warning.remedy}` });
  return warning?.code !== 'COOL_DOWN_NO_SENSOR';
}

/** `supports?` of each case; what cannot run here is skipped with its reason. */
async function askEachCase({ cases, inventory, onEvent }: RunOptions, record: RunRecord): Promise<void> {
  for (const item of cases) {
    const support = await item.workload.supports(item.params, item.backend, inventory.machine);
    if (support.supported) {
      record.progressOf(item).warnings.push(...(support.warnings ?? []));
    } else {
      const { reason, remedy, broken } = support;
      record.endUnmeasured(item, broken === true ? 'failed' : 'skipped', reason, remedy);
      onEvent({ type: 'skipped', case: item, reason, remedy, broken: broken === true });
    }
  }
}

function measuresPower({ recorder }: RunOptions): boolean {
  return recorder.snapshot().sources.some(source => source.status === 'ok' && isEnergetic(source));
}

function warnOfNeighbours(record: RunRecord, presence: Presence, onEvent: RunOptions['onEvent']): void {
  const others = presence.others();
  if (others.length === 0) return;
  const warning = {
    code: 'CONCURRENT_RUN',
    message: `another run of aibench goes on at the same time on this machine (process ${others.join(', ')}): both slow each other.`,
    remedy: 'Wait until it has ended and run again.',
  };
  if (record.warn(warning)) onEvent({ type: 'warning', message: `${warning.message} ${warning.remedy}` });
}

/** Runs launches one after another and knows how far it is. */
class LaunchLoop {
  readonly #options: RunOptions;
  readonly #record: RunRecord;
  #done = 0;
  #expectedSeconds = 0;
  #actualSeconds = 0;

  constructor(options: RunOptions, record: RunRecord) {
    this.#options = options;
    this.#record = record;
  }

  async run(planned: PlannedLaunch<Case>): Promise<void> {
    const { inventory, signal, onEvent, recorder, cacheDir, now } = this.#options;
    const { case: item, index, seed } = planned;
    const expected = launchSeconds(item, inventory.machine);
    onEvent({
      type: 'launch-started',
      case: item,
      index,
      done: this.#done,
      total: this.#total(),
      secondsLeft: this.#secondsLeft(),
      live: () => recorder.live(),
    });
    const started = now();
    const launchWith = (timing: Timing): Promise<LaunchOutcome> => {
      const own = item.workload.timeoutSeconds?.(
        expected + timing.targetSeconds + timing.maxWarmupSeconds,
        item.backend,
      );
      return (this.#options.launch ?? runLaunch)({
        request: {
          workload: item.workload.name,
          params: item.params,
          backend: item.backend,
          seed,
          timing,
          cacheDir,
          machine: inventory.machine,
        },
        // Generous: it is there for hangs, and a first launch may make a model.
        timeoutSeconds: own ?? 60 + 10 * (expected + timing.targetSeconds) + timing.maxWarmupSeconds,
        hangEndsCase: own !== undefined,
        signal,
        onProgress: message => onEvent({ type: 'progress', message }),
      });
    };
    const warmth = item.regime === 'sustained' ? await this.#soak(item, launchWith) : null;
    const outcome = await launchWith(item.timing);
    if (warmth !== null && outcome.kind === 'measured') Object.assign(outcome.result.state, warmth);
    this.#actualSeconds += now() - started;
    this.#expectedSeconds += expected;
    this.#done += 1;
    const launch = this.#record.add(planned, outcome);
    onEvent({
      type: 'launch-ended',
      case: item,
      launch,
      done: this.#done,
      total: this.#total(),
      headline: headlineOf(item, launch),
    });
  }

  /** The case's work without being measured, until the machine is steady; what the launch's state then says of it. */
  async #soak(item: Case, launchWith: (timing: Timing) => Promise<LaunchOutcome>): Promise<Launch['state']> {
    const { recorder, now, signal, onEvent } = this.#options;
    onEvent({ type: 'progress', message: 'warming up to steady state' });
    const { state, warning } = await soak({
      recorder,
      now,
      signal,
      run: () => launchWith({ ...item.timing, maxWarmupSeconds: 0, targetSeconds: SOAK_STEP_SECONDS, maxSamples: 1e6 }),
      metric: item.workload.metrics(item.params)[0] ?? '',
    });
    const known = this.#record.progressOf(item).warnings;
    if (warning !== null && !known.some(({ code }) => code === warning.code)) known.push(warning);
    return state;
  }

  /** Launches of the run, done and to come. */
  #total(): number {
    return this.#done + this.#record.open().reduce((sum, item) => sum + this.#left(item), 0);
  }

  #left(item: Case): number {
    return item.launches - this.#record.progressOf(item).launches.length;
  }

  /** By the expectation, corrected by how true it has been so far. */
  #secondsLeft(): number {
    const { machine } = this.#options.inventory;
    const left = this.#record.open().reduce((sum, item) => sum + this.#left(item) * launchSeconds(item, machine), 0);
    return this.#expectedSeconds > 0 ? (left * this.#actualSeconds) / this.#expectedSeconds : left;
  }
}

function headlineOf(item: Case, launch: Launch): { value: number; unit: string } | null {
  const definition = metricDefinition(item.workload.metrics(item.params)[0] ?? '');
  if (definition === undefined || launch.status !== 'ok') return null;
  const value = definition.ofLaunch(launch);
  return value === null ? null : { value, unit: definition.unit };
}
