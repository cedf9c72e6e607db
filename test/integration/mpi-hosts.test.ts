/** mpirun over four hosts: network namespaces with a shaped wire between them. Needs root and /dev/net/tun, else it skips. */
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { startHosts, whyNoHosts } from '../../scripts/hosts/hosts.mjs';
import { calibrationTable } from '../../src/analysis/collective-model.ts';
import type { ResultDocument } from '../../src/results/schema.ts';
import { root } from '../support/cli.ts';

const why = whyNoHosts();
const MEGABITS = 100;
const DELAY_MICROSECONDS = 1000;

it.skipIf(why !== null)(
  `four hosts make one document, and no message is faster than the wire${why === null ? '' : ` (skipped: ${why})`}`,
  { timeout: 120_000 },
  async () => {
    const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-hosts-'));
    const suite = path.join(folder, 'hosts.yaml');
    const file = path.join(folder, 'hosts.json');
    writeFileSync(
      suite,
      `schema: aibench.suite/1
name: hosts
summary: four hosts
launches: 1
idleSeconds: 0
observerPairs: 0
timing: { targetSeconds: 0.05, maxWarmupSeconds: 0.02, minSamples: 3, maxSamples: 20 }
cases:
  - { workload: allreduce, backend: mpi, params: { bytes: 4KiB } }
  - { workload: ping-pong, backend: mpi, matrix: { bytes: [64, 1KiB, 256KiB] } }
`,
    );
    const hosts = await startHosts({ count: 4, megabits: MEGABITS, delayMicroseconds: DELAY_MICROSECONDS });
    try {
      const { status, stderr } = await hosts.mpirun(4, [
        path.join(root, 'bin', 'aibench.js'),
        'run',
        suite,
        '-q',
        '-o',
        file,
      ]);
      expect(status, stderr).toBe(0);
    } finally {
      await hosts.stop();
    }
    const document = JSON.parse(readFileSync(file, 'utf8')) as ResultDocument;
    expect(document.cases.map(item => item.status)).toEqual(Array.from({ length: 4 }, () => 'measured'));
    expect(document.cases[0]?.launches[0]?.ranks?.map(({ host }) => host)).toEqual(hosts.names);
    // What any message pays on this wire whatever else the machine does; upper bounds would be a timed assertion.
    const table = calibrationTable(document.cases, 'ping-pong', 'mpi');
    expect(table.map(({ bytes }) => bytes)).toEqual([64, 1024, 262_144]);
    for (const { bytes, seconds } of table) {
      expect(seconds).toBeGreaterThan(0.98 * (DELAY_MICROSECONDS * 1e-6 + (bytes * 8e-6) / MEGABITS));
    }
  },
);
