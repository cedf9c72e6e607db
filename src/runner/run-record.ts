/** What is known of a run so far, and the document made from it: on disk after every launch, sealed at the end. */
import { randomUUID } from 'node:crypto';
import { caseEnergy, makeTracks, type Tracks } from '../analysis/energy.ts';
import { hostsOf, sensorsOf } from '../analysis/energy-scope.ts';
import { estimatePower } from '../analysis/estimate.ts';
import { summarizeMetrics } from '../analysis/summarize.ts';
import { caseThermal, withoutOtherDevices } from '../analysis/thermal.ts';
import { caseConditions } from '../host/conditions.ts';
import { assessFitness } from '../host/fitness.ts';
import type { Inventory } from '../host/inventory.ts';
import { type CaseResult, type Launch, type ResultDocument, SCHEMA_ID, type Warning } from '../results/schema.ts';
import type { DocumentWriter } from '../results/write.ts';
import type { Case } from '../suite/expand.ts';
import type { LoadedSuite } from '../suite/load.ts';
import type { Recorder } from '../telemetry/recorder.ts';
import { type CaseProgress, deviceOf, finishCase, recordLaunch, startCase } from './assemble.ts';
import type { LaunchOutcome } from './launch.ts';
import type { PlannedLaunch } from './order.ts';
import { SampleTags } from './sample-tags.ts';

export interface RunRecordOptions {
  suite: LoadedSuite;
  cases: readonly Case[];
  seed: number;
  /** What the user asked for, for the record. */
  arguments: ResultDocument['run']['arguments'];
  tool: ResultDocument['tool'];
  inventory: Inventory;
  recorder: Recorder;
  /** Null: nothing is written. */
  writer: DocumentWriter | null;
  /** On the document's clock, seconds. */
  startedSeconds: number;
  /** Asks for the block of estimates: the machine's rated power as its owner states it. */
  ratedWatts?: number;
}

export class RunRecord {
  readonly #options: RunRecordOptions;
  readonly #progress: Map<string, CaseProgress>;
  readonly #document: ResultDocument;
  readonly #tags = new SampleTags();
  #lastWindowEnd: number | null = null;

  constructor(options: RunRecordOptions) {
    this.#options = options;
    this.#progress = new Map(options.cases.map(item => [item.id, startCase(item)]));
    const { suite, inventory } = options;
    this.#document = {
      schema: SCHEMA_ID,
      id: randomUUID(),
      createdAt: new Date().toISOString(),
      tool: options.tool,
      host: inventory.host,
      suite: { name: suite.value.name, sha256: suite.sha256, source: suite.source },
      run: {
        state: 'running',
        seed: options.seed,
        launches: Math.max(0, ...options.cases.map(item => item.launches)),
        startedSeconds: options.startedSeconds,
        endedSeconds: null,
        idleWindowSeconds: null,
        arguments: options.arguments,
      },
      telemetry: options.recorder.snapshot(),
      cases: [],
      warnings: fitnessWarnings(inventory),
    };
  }

  progressOf(item: Case): CaseProgress {
    const progress = this.#progress.get(item.id);
    if (progress === undefined) throw new Error(`no progress is kept for ${item.id}`);
    return progress;
  }

  /** Cases that further launches make sense for. */
  open(): Case[] {
    return this.#options.cases.filter(item => this.progressOf(item).ended === null);
  }

  endUnmeasured(item: Case, status: 'skipped' | 'failed', reason: string, remedy: string): void {
    this.progressOf(item).ended = { status, reason, remedy };
  }

  setIdleWindow(window: [number, number]): void {
    this.#document.run.idleWindowSeconds = window;
  }

  /** True the first time that a warning with this code comes in. */
  warn(warning: Warning): boolean {
    if (this.#document.warnings.some(known => known.code === warning.code)) return false;
    this.#document.warnings.push(warning);
    return true;
  }

  /** Takes in what a launch brought and writes the document. */
  add(planned: PlannedLaunch<Case>, outcome: LaunchOutcome): Launch {
    const { index, order, seed } = planned;
    const launch = recordLaunch(this.progressOf(planned.case), { index, order, seed }, outcome);
    if (launch.windowSeconds !== undefined) {
      this.#options.recorder.keep(launch.windowSeconds);
      this.#lastWindowEnd = launch.windowSeconds[1];
    }
    this.checkpoint();
    return launch;
  }

  /** When the latest measured window ended; null before there is one. */
  get lastWindowEnd(): number | null {
    return this.#lastWindowEnd;
  }

  checkpoint(): void {
    this.#fill(false);
    this.#options.writer?.checkpoint(this.#document);
  }

  /** The document as it stands at the end, sealed where it is written. */
  finish(state: 'complete' | 'interrupted', now: number): ResultDocument {
    this.#document.run.state = state;
    this.#document.run.endedSeconds = now;
    this.#options.recorder.stop();
    this.#fill(true);
    const { ratedWatts } = this.#options;
    if (ratedWatts !== undefined) {
      this.#document.estimates = estimatePower(ratedWatts, this.#document.cases, this.#document.telemetry.series);
    }
    return this.#options.writer?.finish(this.#document) ?? this.#document;
  }

  #fill(isLast: boolean): void {
    this.#document.telemetry = this.#options.recorder.snapshot();
    const tracks = makeTracks(this.#document.telemetry.sources, this.#document.telemetry.series);
    const cases = this.#options.cases.map(item => this.#finishCase(this.progressOf(item), tracks));
    this.#document.cases = this.#tags.apply(cases, this.#document.telemetry, isLast);
  }

  #finishCase(progress: CaseProgress, tracks: Tracks): CaseResult {
    const { telemetry, run } = this.#document;
    const { launches } = progress;
    const name = progress.case.workload.metrics(progress.case.params)[0] ?? '';
    const metric = summarizeMetrics(launches, [name])[name];
    const { energy, warnings } = caseEnergy(
      {
        sources: telemetry.sources,
        series: telemetry.series,
        launches,
        idleWindow: run.idleWindowSeconds,
        headline: metric === undefined ? null : { name, metric },
        device: deviceOf(progress),
        sensors: sensorsOf(progress.facts),
        hosts: hostsOf(progress.facts),
      },
      tracks,
    );
    const windows = launches.flatMap(launch => (launch.windowSeconds === undefined ? [] : [launch.windowSeconds]));
    const input = { ...telemetry, device: deviceOf(progress), sensors: sensorsOf(progress.facts) };
    const thermal = caseThermal(launches, progress.case.regime ?? 'peak', input);
    const conditions = caseConditions({ ...telemetry, series: withoutOtherDevices(input), windows });
    return {
      ...finishCase(progress, energy, [...warnings, ...conditions]),
      ...(thermal === undefined ? {} : { thermal }),
    };
  }
}

/** The findings of the fitness rules, as the document's warnings. */
function fitnessWarnings({ host, observed }: Inventory): Warning[] {
  return assessFitness({ host, ...observed }).findings.map(({ code, message, remedy }) => ({ code, message, remedy }));
}
