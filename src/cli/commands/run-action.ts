/** What `aibench run` does: suite → cases → host and telemetry → the loop → table. */
import path from 'node:path';
import { EXIT, type ExitCode } from '../../errors.ts';
import { collectInventory } from '../../host/inventory.ts';
import { loadAddon } from '../../native/addon.ts';
import type { BuildInfo, NativeAddon, NativeMpi } from '../../native/types.ts';
import type { ResultDocument } from '../../results/schema.ts';
import { openDocumentWriter } from '../../results/write.ts';
import { followJob, joinJob, MpiCoordinator } from '../../runner/mpi-job.ts';
import { runSuite } from '../../runner/run-suite.ts';
import { detectMpiJob } from '../../runtime/mpi.ts';
import { findOrt } from '../../runtime/ort.ts';
import type { Case } from '../../suite/expand.ts';
import { selectCases } from '../../suite/select.ts';
import { calibrateSensors } from '../../telemetry/calibrate.ts';
import { observerEffect } from '../../telemetry/observer-effect.ts';
import { type Recorder, startRecorder } from '../../telemetry/recorder.ts';
import { withReferenceLoad } from '../../telemetry/reference-load.ts';
import { DEFAULT_ROOTS, probeAll } from '../../telemetry/registry.ts';
import { probeRemote } from '../../telemetry/remote.ts';
import { remoteSources } from '../../telemetry/remote-registry.ts';
import { isGpuCollective } from '../../workloads/gpu/collective.ts';
import { cacheFolder } from '../cache-folder.ts';
import { listenForInterrupt } from '../interrupt.ts';
import { dryRunTable } from '../render/dry-run.ts';
import { progressDisplay } from '../render/progress.ts';
import { resultTable } from '../render/result-table.ts';
import { buildCommit, packageVersion } from '../version.ts';
import type { RunFlags } from './run-flags.ts';

const TABLE_WIDTH = 80;

/** Returns the exit code. */
export async function run(suiteName: string, flags: RunFlags): Promise<ExitCode> {
  const { suite, cases } = selectCases(suiteName, {
    settings: flags.set ?? [],
    filters: flags.filter ?? [],
    models: flags.model ?? [],
    launches: flags.launches,
  });
  const native = loadAddon();
  const job = joinMpiJob(native, cases, flags);
  if (job !== null && job.info().rank > 0) return (await followJob(job)) as ExitCode;
  const coordinator = job === null ? null : new MpiCoordinator(native, job);
  const code = await measureAll(suiteName, flags, { suite, cases }, native, coordinator);
  coordinator?.end(code);
  return code;
}

/** The job that a launcher put this process into, where a case needs it. */
function joinMpiJob(native: NativeAddon, cases: readonly Case[], flags: RunFlags): NativeMpi | null {
  if (flags.dryRun === true || detectMpiJob(process.env) === null) return null;
  if (!cases.some(item => item.backend === 'mpi' || isGpuCollective(item.backend))) return null;
  return joinJob(native, [packageVersion(), buildCommit() ?? '', ...cases.map(item => item.id)].join('\n'));
}

async function measureAll(
  suiteName: string,
  flags: RunFlags,
  { suite, cases }: ReturnType<typeof selectCases>,
  native: NativeAddon,
  coordinator: MpiCoordinator | null,
): Promise<ExitCode> {
  const cacheDir = cacheFolder();
  const writer = flags.dryRun === true ? null : openDocumentWriter(flags.output ?? defaultOutput(suite.value.name));
  const ort = findOrt();
  const { nvmlLibraries } = DEFAULT_ROOTS;
  const inventory = await collectInventory({
    native,
    nvmlLibraries,
    cacheDir,
    activitySeconds: Math.min(1, Math.max(0.2, suite.value.idleSeconds)),
    ...(flags.label === undefined ? {} : { label: flags.label }),
    versions: ort.status === 'ok' ? { onnxruntime: ort.version } : {},
  });
  const fitting = suite.value.crowded ? cases : cases.filter(item => fitsCpus(item, inventory.machine.usableCores));
  if (fitting.length < cases.length) {
    const left = cases.length - fitting.length;
    console.error(
      `${left} cases ask for more threads or ranks than the ${inventory.machine.usableCores} CPUs here and are left out.`,
    );
  }
  if (writer === null) {
    process.stdout.write(dryRunTable(suite.value, fitting, inventory.machine, { json: flags.json === true }));
    return EXIT.ok;
  }
  const interrupt = listenForInterrupt();
  const display = progressDisplay({
    stream: process.stderr,
    quiet: flags.quiet === true,
    interactive: process.stderr.isTTY === true,
  });
  const [channels, remote] = await Promise.all([
    probeAll(DEFAULT_ROOTS, native),
    probeRemote(remoteSources, process.env),
  ]);
  const recorder = startRecorder({
    native,
    channels: await calibrateSensors(channels, {
      native,
      nvmlLibraries,
      load: () => loadAllCpus(native, inventory.machine.usableCores),
    }),
    remote,
    nvmlLibraries,
  });
  try {
    if (suite.value.observerPairs > 0) {
      await measureObserver(native, recorder, inventory.machine.usableCores, suite.value.observerPairs);
    }
    const document = await runSuite({
      suite,
      cases: fitting,
      seed: flags.seed ?? Math.floor(Math.random() * 2 ** 32),
      arguments: { suite: suiteName, ...asArguments(flags) },
      tool: describeTool(native.buildInfo(), ort.status === 'ok' ? ort.version : null),
      inventory,
      cacheDir,
      now: () => native.now(),
      recorder,
      writer,
      signal: interrupt.signal,
      ...(flags.coolTo === undefined ? {} : { coolToCelsius: flags.coolTo }),
      ...(flags.ratedWatts === undefined ? {} : { ratedWatts: flags.ratedWatts }),
      onEvent: display.show,
      ...(coordinator === null ? {} : { launch: coordinator.launch }),
    });
    display.close();
    process.stdout.write(
      flags.json === true ? `${JSON.stringify(document)}\n` : resultTable(document, { width: TABLE_WIDTH }),
    );
    console.error(`\nThe document is ${path.relative(process.cwd(), writer.file)}`);
    return exitCode(document, interrupt.exitCode());
  } finally {
    display.close();
    interrupt.close();
    recorder.stop();
  }
}

/** Whether each of its threads or ranks can have a CPU. */
function fitsCpus({ params }: Case, usableCores: number): boolean {
  const wanted = params.threads ?? params.ranks;
  return typeof wanted !== 'number' || wanted <= usableCores;
}

/** All CPUs at work for a good second: the step that a gauge's averaging is measured by. */
async function loadAllCpus(native: NativeAddon, threads: number): Promise<void> {
  const timing = { maxWarmupSeconds: 0, minSampleSeconds: 0.01, targetSeconds: 1.5, minSamples: 1, maxSamples: 1e4 };
  await withReferenceLoad(native, threads, problem => problem.measure(timing));
}

/** What sampling costs work on all CPUs, for the document; 12 pairs take a good second. A failure costs only this figure. */
async function measureObserver(native: NativeAddon, recorder: Recorder, threads: number, pairs: number): Promise<void> {
  const effect = await withReferenceLoad(native, threads, problem => observerEffect(problem, recorder, pairs));
  if (effect === null) recorder.resume();
  else recorder.setEffect(effect);
}

function exitCode(document: ResultDocument, interrupted: ExitCode | null): ExitCode {
  if (interrupted !== null) return interrupted;
  if (document.cases.some(item => item.status === 'failed')) return EXIT.failed;
  return document.cases.some(item => item.status === 'measured') ? EXIT.ok : EXIT.unmeasured;
}

function defaultOutput(suite: string): string {
  const stamp = new Date().toISOString().replace(/[-:]/g, '').replace(/\..*/, 'Z');
  return `aibench-${suite}-${stamp}.json`;
}

/** Only what changes what is measured; a model by its file name alone. */
function asArguments({ filter, launches, model, set }: RunFlags): ResultDocument['run']['arguments'] {
  return {
    ...(filter === undefined ? {} : { filter }),
    ...(launches === undefined ? {} : { launches }),
    ...(model === undefined ? {} : { model: model.map(file => path.basename(file)) }),
    ...(set === undefined ? {} : { set }),
  };
}

function describeTool(build: BuildInfo, onnxruntime: string | null): ResultDocument['tool'] {
  const commit = buildCommit();
  return {
    version: packageVersion(),
    ...(commit === undefined ? {} : { gitCommit: commit }),
    node: process.versions.node,
    onnxruntime,
    addon: {
      compiler: build.compiler,
      target: build.target,
      kernels: build.kernels.map(kernel => kernel.name),
    },
  };
}
