import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { aibench, temporaryFolder } from '../support/cli.ts';
import { placeDocument } from '../support/documents.ts';
import { validateJunit } from '../unit/report/xml-checks.ts';

const cwd = temporaryFolder();
placeDocument(cwd, 'base.json', { seed: 1, cases: 2, launches: 10, watts: 100 });
placeDocument(cwd, 'same.json', { seed: 2, cases: 2, launches: 10, watts: 100 });
placeDocument(cwd, 'slow.json', { seed: 3, cases: 2, launches: 10, watts: 100, speed: 0.8 });
placeDocument(cwd, 'noisy.json', { seed: 4, cases: 2, launches: 3, watts: 100, betweenSd: 0.2 });
const policy = ['--policy', 'policy.yaml', '--baseline', 'base.json'];

describe('aibench gate', () => {
  it('init writes a policy that the gate takes', () => {
    const { status, stderr } = aibench(['gate', 'init', 'base.json', '--margin', '5%', '-o', 'policy.yaml'], { cwd });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(readFileSync(path.join(cwd, 'policy.yaml'), 'utf8')).toMatch(/not_worse: 5%/);
  });
  it.each([
    ['same.json', 0, 'PASS'],
    ['slow.json', 1, 'FAIL'],
    ['noisy.json', 3, 'INCONCLUSIVE'],
  ])('%s exits %d: %s', (file, code, verdict) => {
    const { status, stdout } = aibench(['gate', ...policy, file], { cwd });
    expect(stdout.startsWith(`${verdict}: `)).toBe(true);
    expect(status).toBe(code);
    expect(JSON.parse(aibench(['gate', ...policy, '--json', file], { cwd }).stdout)).toMatchObject({ verdict });
  });
  it('explains', () => {
    const { status, stdout } = aibench(['gate', 'explain', ...policy, 'slow.json', '--rule', 'gemm-native'], { cwd });
    expect(status).toBe(1);
    expect(stdout).toMatch(/held to +0\.950/);
    expect(stdout).toMatch(/corrected \(Holm\)/);
  });
  it('writes JUnit, Markdown, annotations and the job summary', () => {
    const summary = path.join(cwd, 'summary.md');
    const { status, stdout } = aibench(
      ['gate', ...policy, 'slow.json', '--junit', 'out.xml', '--markdown', 'out.md', '--github'],
      {
        cwd,
        env: { GITHUB_STEP_SUMMARY: summary },
      },
    );
    expect(status).toBe(1);
    validateJunit(readFileSync(path.join(cwd, 'out.xml'), 'utf8'));
    expect(readFileSync(path.join(cwd, 'out.md'), 'utf8')).toMatch(/^## FAIL/);
    expect(readFileSync(summary, 'utf8')).toMatch(/^## FAIL/);
    expect(stdout).toMatch(/^::error title=FAIL gemm-native::/m);
  });
  it('tests itself', () => {
    const { status, stdout } = aibench(
      ['gate', '--self-test', '--json', '--repeats', '20', '--policy', 'policy.yaml', 'base.json'],
      { cwd },
    );
    expect(status).toBe(0);
    const test = JSON.parse(stdout) as {
      rules: { identical: { fail: { count: number } }; seeded: { change: number; fail: { share: number } }[] }[];
    };
    expect(test.rules[0]?.identical.fail.count).toBe(0);
    expect(test.rules[0]?.seeded[1]?.fail.share).toBeGreaterThan(0.9);
  });
  it('plans the acceptance of a delivery', () => {
    const { status, stdout } = aibench(['gate', 'acceptance', '--lot', '1000', '--defect-rate', '1%'], { cwd });
    expect(status).toBe(0);
    expect(stdout).toMatch(/Test 258 of 1000 nodes/);
    const concluded = aibench(
      ['gate', 'acceptance', '--lot', '1000', '--defect-rate', '1%', '--tested', '258', '--failures', '2', '--json'],
      { cwd },
    );
    expect(JSON.parse(concluded.stdout)).toMatchObject({ accepted: false, conclusion: { failures: 2 } });
  });
  it('refuses a document with one digit changed, and writes nothing', () => {
    const text = readFileSync(path.join(cwd, 'same.json'), 'utf8');
    writeFileSync(
      path.join(cwd, 'tampered.json'),
      text.replace(
        /("samplesSeconds":\[0\.0\d\d)(\d)/,
        (_all, head: string, digit: string) => `${head}${(Number(digit) + 1) % 10}`,
      ),
    );
    const { status, stdout, stderr } = aibench(['gate', ...policy, 'tampered.json', '--markdown', 'never.md'], { cwd });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/tampered\.json does not hold: seal: .*\[EVIDENCE_BROKEN\]/s);
    expect(existsSync(path.join(cwd, 'never.md'))).toBe(false);
  });
  it.each([
    ['no policy', ['same.json']],
    ['no candidate', [...policy]],
    ['no margin', ['init', 'base.json']],
    ['a policy that is not there', ['--policy', 'nowhere.yaml', 'same.json']],
    ['a policy that is no policy', ['--policy', 'base.json', 'same.json']],
  ])('%s exits 2', (_name, args) => {
    const { status, stdout, stderr } = aibench(['gate', ...args], { cwd });
    expect(status).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
