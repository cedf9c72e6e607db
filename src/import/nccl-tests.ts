/**
 * nccl-tests and rccl-tests: the table on standard output, or the file of `-J`. Each message size is two cases, out of
 * place and in place. `#wrong` is the tool's own verification. Bus bandwidth is kept as a fact: it is algorithm bandwidth
 * times a factor of the number of ranks (PERFORMANCE.md there).
 */
import * as z from 'zod';
import type { Verification, Warning } from '../results/schema.ts';
import type { Imported, ImportedCase, ImportedLaunch, Importer } from './importer.ts';
import { jsonInput, notThis } from './json-input.ts';

interface Row {
  /** Which run of the program in this file, where several logs stand behind each other. */
  run: number;
  test: string;
  bytes: number;
  count: number;
  type: string;
  redop: string;
  root: string;
  inPlace: boolean;
  seconds: number;
  /** Single iterations, where -J with per-iteration timing gave them. */
  iterations?: number[];
  busBandwidth: number | null;
  wrong: number | null;
}

/** Rows of one size and place become one case: those of one run samples of a launch, those of another run another launch. */
function toCases(rows: readonly Row[]): ImportedCase[] {
  const cases = new Map<string, { found: ImportedCase; runs: Map<number, ImportedLaunch> }>();
  for (const row of rows) {
    const { test, bytes, type, redop, root, inPlace, run, wrong } = row;
    const params = { test, bytes, dtype: type, op: redop, root, inPlace };
    const key = JSON.stringify(params);
    const known: { found: ImportedCase; runs: Map<number, ImportedLaunch> } = cases.get(key) ?? {
      runs: new Map<number, ImportedLaunch>(),
      found: {
        workload: 'nccl-tests',
        params,
        device: 'gpu',
        launches: [],
        metrics: ['algorithm_bandwidth_bytes_per_second', 'latency_seconds_p50'],
        verification: verificationOf(wrong),
        facts: { count: row.count, busBandwidthBytesPerSecond: row.busBandwidth },
      },
    };
    cases.set(key, known);
    const launch = known.runs.get(run) ?? { samplesSeconds: [], iterationsPerSample: 1, work: { bytes } };
    if (!known.runs.has(run)) known.found.launches.push(launch);
    known.runs.set(run, launch);
    launch.samplesSeconds.push(...(row.iterations ?? [row.seconds]));
    // One wrong run is a wrong case.
    if (wrong !== null && wrong > (known.found.verification?.error ?? 0))
      known.found.verification = verificationOf(wrong);
  }
  return [...cases.values()].map(({ found }) => found);
}

function verificationOf(wrong: number | null): Verification | null {
  return wrong === null ? null : { method: 'nccl-tests #wrong', passed: wrong === 0, error: wrong, tolerance: 0 };
}

const UNKNOWN = 'unknown';
const DEVICE = /^#\s+Rank\s+\d+\s.*\[[0-9a-fx:.]+\]\s+(.+)$/i;
const STARTING = /^# Collective test starting:\s*(\S+)/;
/** The first line of every version's table. */
const HEADER = /^# nThread\s/;
const INTEGER = /^\d+$/;
/** What `mpirun --tag-output`, `mpiexec -prepend-rank` and `srun -l` put before a line. */
const RANK_TAG = /^(?:\[[^\]\s]*\d\](?:<std\w+>:)?\s?|\d+:\s)/;

/** Columns: size count type redop root, then (time algbw busbw #wrong) twice. */
function parseTable(text: string, name: string): Imported {
  const rows: Row[] = [];
  const accelerators: Record<string, string>[] = [];
  let test = UNKNOWN;
  let run = 0;
  for (const tagged of text.split(/\r?\n/)) {
    const line = tagged.replace(RANK_TAG, '');
    test = STARTING.exec(line)?.[1] ?? test;
    if (HEADER.test(line)) run += 1;
    const device = run > 1 ? undefined : DEVICE.exec(line)?.[1];
    if (device !== undefined) accelerators.push({ name: device.trim().slice(0, 200) });
    const columns = line.trim().split(/\s+/);
    const [bytes = '', count = '', type = '', redop = '', root = '', ...rest] = columns;
    if (!INTEGER.test(bytes) || !INTEGER.test(count) || rest.length < 4 || Number(bytes) === 0) continue;
    for (const [inPlace, at] of [
      [false, 0],
      [true, 4],
    ] as const) {
      const [time, , bus, wrong] = rest.slice(at, at + 4).map(Number);
      if (time === undefined || !(time > 0) || bus === undefined || wrong === undefined) continue;
      rows.push({
        run,
        test,
        bytes: Number(bytes),
        count: Number(count),
        type,
        redop,
        root,
        inPlace,
        seconds: time / 1e6,
        busBandwidth: Number.isFinite(bus) ? bus * 1e9 : null,
        wrong: Number.isFinite(wrong) ? wrong : null,
      });
    }
  }
  if (rows.length === 0) throw notThis(name, 'nccl-tests', 'no line of its table was found');
  return { cases: toCases(rows), machine: { accelerators }, warnings: test === UNKNOWN ? [namelessTest(name)] : [] };
}

/** Before 2.17 the table did not say which program wrote it. */
function namelessTest(name: string): Warning {
  return {
    code: 'IMPORT_TEST_UNKNOWN',
    message: `${name} does not say which collective it measured: nccl-tests of before version 2.17 leave it out.`,
    remedy: 'Compare it only with files of the same program, or repeat the run with a newer version.',
  };
}

const bodySchema = z.object({
  time: z.number().positive(),
  bus_bw: z.number().nullable().optional(),
  nwrong: z.number().nullable().optional(),
});
const perIterSchema = z.object({ times_us: z.array(z.number().positive()).min(1) });
const jsonSchema = z.object({
  config: z
    .object({
      devices: z.array(z.object({ name: z.string().optional(), device_name: z.string().optional() })).optional(),
    })
    .optional(),
  results: z.array(
    z.object({
      size: z.number().positive(),
      count: z.number().min(0),
      type: z.string(),
      redop: z.string(),
      root: z.union([z.string(), z.number()]),
      out_of_place: bodySchema.nullable().optional(),
      in_place: bodySchema.nullable().optional(),
      out_of_place_per_iter: perIterSchema.optional(),
      in_place_per_iter: perIterSchema.optional(),
      experiment_name: z.string().optional(),
    }),
  ),
});

function parseJsonFile(text: string, name: string): Imported {
  const { config, results } = jsonInput(text, name, 'nccl-tests -J', jsonSchema);
  const rows = results.flatMap(result => {
    const sides = [
      { inPlace: false, body: result.out_of_place, iterations: result.out_of_place_per_iter },
      { inPlace: true, body: result.in_place, iterations: result.in_place_per_iter },
    ];
    return sides.flatMap(({ inPlace, body, iterations }): Row[] =>
      body === null || body === undefined
        ? []
        : [
            {
              run: 1,
              test: result.experiment_name ?? UNKNOWN,
              bytes: result.size,
              count: result.count,
              type: result.type.trim(),
              redop: result.redop.trim(),
              root: String(result.root).trim(),
              inPlace,
              seconds: body.time / 1e6,
              ...(iterations !== undefined && { iterations: iterations.times_us.map(time => time / 1e6) }),
              busBandwidth: body.bus_bw === null || body.bus_bw === undefined ? null : body.bus_bw * 1e9,
              wrong: body.nwrong ?? null,
            },
          ],
    );
  });
  const accelerators = (config?.devices ?? []).flatMap(device => {
    const found = device.name ?? device.device_name;
    return found === undefined ? [] : [{ name: found }];
  });
  return { cases: toCases(rows), machine: { accelerators }, warnings: [] };
}

export const ncclTests: Importer = {
  name: 'nccl-tests',
  summary: 'nccl-tests or rccl-tests: standard output, or the file of -J',
  parse: (text, name) => (text.trimStart().startsWith('{') ? parseJsonFile(text, name) : parseTable(text, name)),
};
