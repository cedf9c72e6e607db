/** What `aibench tune` does: every algorithm at a few sizes, in turns, the fastest median wins. */
import { rmSync } from 'node:fs';
import { median } from '../../analysis/statistics.ts';
import { AibenchError, EXIT, type ExitCode } from '../../errors.ts';
import { loadAddon } from '../../native/addon.ts';
import { COLLECTIVES, type CollectiveName, type NativeAddon } from '../../native/types.ts';
import { formatBytes } from '../../units.ts';
import {
  machineKey,
  rangesOf,
  type TuningPoint,
  type TuningRow,
  tuningFile,
  writeTuning,
} from '../../workloads/collectives/tuning.ts';
import { cacheFolder } from '../cache-folder.ts';

const SIZES = [64, 512, 4096, 32_768, 262_144, 2_097_152, 16_777_216];
const ROUNDS = 3;
const TIMING = { maxWarmupSeconds: 0.01, minSampleSeconds: 5e-5, targetSeconds: 0.01, minSamples: 3, maxSamples: 500 };
const KINDS = [
  { backend: 'threads', buffers: 'shared' },
  { backend: 'processes', buffers: 'shared' },
  { backend: 'processes', buffers: 'private' },
] as const;
/** Where ranks see each other's buffers these point-to-point patterns have one sensible form. */
const TUNED: readonly CollectiveName[] = COLLECTIVES.filter(name => name !== 'ping-pong' && name !== 'shift');

export async function tune(flags: { collective?: string[]; clear?: boolean; json?: boolean }): Promise<ExitCode> {
  const cacheDir = cacheFolder();
  if (flags.clear === true) {
    rmSync(tuningFile(cacheDir), { force: true });
    return EXIT.ok;
  }
  const unknown = flags.collective?.find(name => !TUNED.includes(name as CollectiveName));
  if (unknown !== undefined) {
    throw new AibenchError(
      'UNKNOWN_COLLECTIVE',
      `There is no collective ${unknown} to tune.`,
      `Use ${TUNED.join(', ')}.`,
    );
  }
  const native = loadAddon();
  const cpus = native.affinity().length;
  if (cpus < 2) {
    throw new AibenchError(
      'ONE_CPU',
      'Collectives cannot be tuned with one usable CPU.',
      'Allow this process more CPUs.',
      EXIT.unmeasured,
    );
  }
  const rows: TuningRow[] = [];
  for (const collective of TUNED.filter(name => flags.collective?.includes(name) ?? true)) {
    for (const kind of KINDS) {
      const points: TuningPoint[] = [];
      for (const bytes of SIZES)
        points.push({ bytes, algorithm: await fastest(native, collective, kind, cpus, bytes) });
      const ranges = rangesOf(points).map(range => ({ collective, ...kind, ranks: cpus, ...range }));
      rows.push(...ranges);
      if (flags.json !== true) console.log(describe(ranges));
    }
  }
  const features = native.cpuFeatures();
  const table = {
    schema: 'aibench.tuning/1' as const,
    machine: machineKey(features.brand, features.isas, cpus),
    measuredAt: new Date().toISOString(),
    rows,
  };
  writeTuning(cacheDir, table);
  if (flags.json === true) console.log(JSON.stringify(table));
  else console.log('kept for `algorithm: auto` on this machine; `aibench tune --clear` removes it');
  return EXIT.ok;
}

async function fastest(
  native: NativeAddon,
  collective: CollectiveName,
  kind: (typeof KINDS)[number],
  ranks: number,
  bytes: number,
): Promise<string> {
  const names = native
    .collectiveAlgorithms()
    .filter(row => row.collective === collective && (kind.buffers === 'shared' || !row.sharedBuffers))
    .map(row => row.name);
  const problems = names.map(algorithm =>
    native.createCollective({
      collective,
      dtype: 'f32',
      op: 'sum',
      bytes,
      ranks,
      seed: 1,
      algorithm,
      processes: kind.backend === 'processes',
      privateBuffers: kind.buffers === 'private',
    }),
  );
  const times = names.map((): number[] => []);
  try {
    for (const problem of problems) await problem.prepare();
    for (let round = 0; round < ROUNDS; round++) {
      for (const [index, problem] of problems.entries()) {
        const { samplesSeconds, iterationsPerSample } = await problem.measure(TIMING);
        times[index]?.push(median([...samplesSeconds]) / iterationsPerSample);
      }
    }
  } finally {
    for (const problem of problems) problem.dispose();
  }
  const medians = times.map(values => median(values));
  return names[medians.indexOf(Math.min(...medians))] ?? '';
}

function describe(ranges: readonly TuningRow[]): string {
  const [first] = ranges;
  const list = ranges.map(({ algorithm, upToBytes }) =>
    upToBytes === null ? algorithm : `${algorithm} up to ${formatBytes(upToBytes)}`,
  );
  return `${first?.collective}, ${first?.ranks} ${first?.backend}, ${first?.buffers} buffers: ${list.join(', then ')}`;
}
