/**
 * The gate's own error rates, by simulation through what the command runs: policy and documents are files, and
 * `judgeFiles`, the function behind `aibench gate`, reads, verifies, checks and evaluates them. Started by bench-gate.mjs.
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { compareDocuments } from '../src/analysis/compare.ts';
import { judgeFiles } from '../src/cli/commands/gate-action.ts';
import type { Verdict } from '../src/gate/judgement.ts';
import { type Share, shareOf } from '../src/gate/self-test.ts';
import { type SyntheticOptions, syntheticDocument } from '../test/fixtures/synthetic.ts';

const MARGIN = 0.05;
const CASES = 100;
const CONFIDENCE = 0.95;

const POLICY = `schema: aibench.policy/1
name: simulation
rules:
  - id: rate
    reason: the rule whose error rates are measured here
    on: flops_per_second{workload:gemm}
    not_worse: 5%
`;

export interface Cell {
  launches: number;
  sd: number;
  tails: 'normal' | 'heavy';
  falseFail: Share;
  falsePass: Share;
  detection: Share;
  coverage: Share;
}

export interface Bar {
  bar: string;
  held: boolean;
  worst: string;
}

export interface Simulation {
  schema: 'aibench.gate-simulation/1';
  comparisons: number;
  cells: Cell[];
  bars: Bar[];
}

/**
 * @param comparisons per cell and effect, a multiple of 100.
 * @param folder for the files; each is replaced by the next.
 */
export function simulate(comparisons: number, folder: string, progress: (line: string) => void): Simulation {
  writeFileSync(path.join(folder, 'policy.yaml'), POLICY);
  const cells: Cell[] = [];
  let seed = 1;
  for (const launches of [5, 10]) {
    for (const sd of [0.01, 0.02, 0.05]) {
      for (const tails of ['normal', 'heavy'] as const) {
        const run = (speed: number): Tally => {
          const tally = new Tally(speed, folder);
          for (let done = 0; done < comparisons; done += CASES) {
            tally.add({ launches, betweenSd: sd, withinSd: sd, tails, cases: CASES, samples: 4, seed });
            seed += 2;
          }
          return tally;
        };
        const same = run(1);
        const atMargin = run(1 - MARGIN);
        const twice = run(1 - 2 * MARGIN);
        const coverage = shareOf(same.covered + atMargin.covered + twice.covered, 3 * comparisons);
        const cell = {
          launches,
          sd,
          tails,
          falseFail: same.share('FAIL'),
          falsePass: atMargin.share('PASS'),
          detection: twice.share('FAIL'),
          coverage,
        };
        cells.push(cell);
        progress(`n ${launches}, sd ${100 * sd} %, ${tails}: done`);
      }
    }
  }
  return { schema: 'aibench.gate-simulation/1', comparisons, cells, bars: barsOf(cells) };
}

class Tally {
  readonly #speed: number;
  readonly #folder: string;
  readonly #verdicts = new Map<Verdict, number>();
  #count = 0;
  covered = 0;

  constructor(speed: number, folder: string) {
    this.#speed = speed;
    this.#folder = folder;
  }

  add(options: SyntheticOptions): void {
    const baseline = syntheticDocument(options);
    const candidate = syntheticDocument({ ...options, seed: options.seed + 1, speed: this.#speed });
    const file = (name: string): string => path.join(this.#folder, name);
    writeFileSync(file('baseline.json'), JSON.stringify(baseline));
    writeFileSync(file('candidate.json'), JSON.stringify(candidate));
    const { result } = judgeFiles([file('candidate.json')], {
      policy: file('policy.yaml'),
      baseline: [file('baseline.json')],
    });
    for (const { verdict } of result.items) {
      this.#verdicts.set(verdict, (this.#verdicts.get(verdict) ?? 0) + 1);
      this.#count += 1;
    }
    const { rows } = compareDocuments([baseline], [candidate], { confidence: CONFIDENCE, metrics: 'headline' });
    for (const { difference } of rows) {
      const [low, high] = difference?.interval ?? [Number.NaN, Number.NaN];
      if (low <= this.#speed && this.#speed <= high) this.covered += 1;
    }
  }

  share(verdict: Verdict): Share {
    return shareOf(this.#verdicts.get(verdict) ?? 0, this.#count);
  }
}

function barsOf(cells: readonly Cell[]): Bar[] {
  const bar = (
    name: string,
    chosen: readonly Cell[],
    of: (cell: Cell) => Share,
    holds: (share: number) => boolean,
    worst: (a: number, b: number) => number,
  ): Bar => {
    const shares = chosen.map(cell => ({ cell, share: of(cell) }));
    const [first] = [...shares].sort((a, b) => worst(a.share.share, b.share.share));
    return {
      bar: name,
      held: shares.every(({ share }) => holds(share.share)),
      worst:
        first === undefined
          ? ''
          : `${percent(first.share)} at n ${first.cell.launches}, sd ${100 * first.cell.sd} %, ${first.cell.tails}`,
    };
  };
  const highest = (a: number, b: number): number => b - a;
  const lowest = (a: number, b: number): number => a - b;
  const stated = cells.filter(cell => cell.launches === 10 && cell.sd === 0.02);
  return [
    bar(
      'false FAIL <= 1 % at no difference',
      cells,
      cell => cell.falseFail,
      share => share <= 0.01,
      highest,
    ),
    bar(
      'false PASS <= 5 % at the margin',
      cells,
      cell => cell.falsePass,
      share => share <= 0.05,
      highest,
    ),
    bar(
      'detection >= 95 % at twice the margin, sd 2 %, n 10',
      stated,
      cell => cell.detection,
      share => share >= 0.95,
      lowest,
    ),
    bar(
      'interval coverage >= 93 %',
      cells,
      cell => cell.coverage,
      share => share >= 0.93,
      lowest,
    ),
    bar(
      'interval coverage <= 97 %',
      cells,
      cell => cell.coverage,
      share => share <= 0.97,
      highest,
    ),
  ];
}

export function percent({ share, interval }: Share): string {
  const text = (value: number): string => (100 * value).toFixed(2);
  return `${text(share)} % [${text(interval[0])}, ${text(interval[1])}]`;
}

export function simulationMarkdown({ cells, bars, comparisons }: Simulation): string {
  const rows = cells.map(
    cell =>
      `| ${cell.launches} | ${100 * cell.sd} % | ${cell.tails} | ${percent(cell.falseFail)} | ${percent(cell.falsePass)} | ${percent(cell.detection)} | ${percent(cell.coverage)} |`,
  );
  return [
    `${comparisons} comparisons per cell and effect; Clopper-Pearson bounds of 95 % in brackets.\n`,
    '| launches a side | sd of a launch | tails | false FAIL, no difference | false PASS, at the margin | FAIL at twice the margin | coverage of the 95 % interval |',
    '|---|---|---|---|---|---|---|',
    ...rows,
    '',
    ...bars.map(({ bar, held, worst }) => `- ${held ? 'held' : 'MISSED'}: ${bar}; worst ${worst}`),
    '',
  ].join('\n');
}
