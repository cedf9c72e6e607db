/** The composite GitHub Action's script, as a runner would start it. */
import { spawnSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { aibench, root, temporaryFolder } from '../support/cli.ts';
import { placeDocument } from '../support/documents.ts';

const cwd = temporaryFolder();
placeDocument(cwd, 'base line.json', { seed: 1, cases: 2, launches: 10 });
placeDocument(cwd, 'same.json', { seed: 2, cases: 2, launches: 10 });
placeDocument(cwd, 'slow.json', { seed: 3, cases: 2, launches: 10, speed: 0.8 });
placeDocument(cwd, 'noisy.json', { seed: 4, cases: 2, launches: 3, betweenSd: 0.2 });
aibench(['gate', 'init', 'base line.json', '--margin', '5%', '-o', 'policy.yaml'], { cwd });
const program = path.join(cwd, 'aibench');
writeFileSync(program, `#!/bin/sh\nexec "${process.execPath}" "${path.join(root, 'bin', 'aibench.js')}" "$@"\n`);
chmodSync(program, 0o755);

function act(candidate: string, more: Record<string, string> = {}) {
  const output = path.join(temporaryFolder(), 'output');
  writeFileSync(output, '');
  const { status, stderr } = spawnSync('bash', [path.join(root, 'deploy', 'action', 'gate.sh')], {
    cwd,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH ?? '',
      AIBENCH: program,
      POLICY: 'policy.yaml',
      CANDIDATE: `${candidate}\n`,
      BASELINE: 'base line.json\n',
      VERSION: '0.1.0',
      JUNIT: '',
      UNDECIDED: 'fail',
      RUNNER_TEMP: cwd,
      GITHUB_OUTPUT: output,
      ...more,
    },
  });
  return { status, stderr, outputs: readFileSync(output, 'utf8') };
}

describe('deploy/action', () => {
  it.each([
    ['same.json', 0, 'PASS'],
    ['slow.json', 1, 'FAIL'],
    ['noisy.json', 3, 'INCONCLUSIVE'],
  ])('%s exits %d with %s', (file, code, verdict) => {
    const { status, outputs } = act(file);
    expect(outputs).toMatch(`verdict=${verdict}\n`);
    expect(status).toBe(code);
    const result = /^result=(.+)$/m.exec(outputs)?.[1] ?? '';
    expect(JSON.parse(readFileSync(result, 'utf8'))).toMatchObject({ verdict });
  });
  it('lets undecided results pass where told to, never failures', () => {
    expect(act('noisy.json', { UNDECIDED: 'pass' }).status).toBe(0);
    expect(act('slow.json', { UNDECIDED: 'pass' }).status).toBe(1);
    expect(act('nowhere.json', { UNDECIDED: 'pass' }).status).toBe(2);
  });
  it('annotates', () => {
    expect(act('slow.json').stderr).toMatch(/^::error title=FAIL gemm-native::/m);
  });
  it('hands every input to the script, and the example names inputs that exist', () => {
    const read = (name: string): unknown => parse(readFileSync(path.join(root, 'deploy', 'action', name), 'utf8'));
    const action = read('action.yml') as {
      inputs: Record<string, unknown>;
      runs: { steps: { env: Record<string, string> }[] };
    };
    const handed = Object.values(action.runs.steps[0]?.env ?? {}).join(' ');
    for (const input of Object.keys(action.inputs)) expect(handed).toContain(`inputs.${input} `);
    const example = read('example-workflow.yml') as {
      jobs: { judge: { steps: { uses: string; with?: Record<string, string> }[] } };
    };
    const step = example.jobs.judge.steps.find(({ uses }) => uses === './deploy/action');
    for (const name of Object.keys(step?.with ?? {})) expect(Object.keys(action.inputs)).toContain(name);
  });
});
