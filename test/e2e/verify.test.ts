import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { verifyDocument } from '../../src/evidence/verify.ts';
import { readDocument } from '../../src/results/read.ts';
import { aibench, temporaryFolder } from '../support/cli.ts';
import { placeDocument } from '../support/documents.ts';

const cwd = temporaryFolder();
placeDocument(cwd, 'result.json', { seed: 1, cases: 2, watts: 90 });

describe('aibench verify and sign', () => {
  it('holds', () => {
    const { status, stdout } = aibench(['verify', 'result.json'], { cwd });
    expect(status).toBe(0);
    expect(stdout).toMatch(/^holds {2}result\.json: 8 summaries worked out again/);
  });
  it('finds every one of fifty changed digits', () => {
    const text = readFileSync(path.join(cwd, 'result.json'), 'utf8');
    const digits = [...text.matchAll(/\d/g)].map(match => match.index);
    const files: string[] = [];
    for (let i = 0; i < 50; i++) {
      const at = digits[Math.floor((i * digits.length) / 50) + 3] ?? 0;
      const changed = `${text.slice(0, at)}${(Number(text[at]) + 1) % 10}${text.slice(at + 1)}`;
      files.push(`changed-${i}.json`);
      writeFileSync(path.join(cwd, `changed-${i}.json`), changed);
    }
    const holds = (file: string): boolean => {
      try {
        const { seal, mismatches } = verifyDocument(readDocument(path.join(cwd, file)));
        return seal === 'intact' && mismatches.length === 0;
      } catch (error) {
        expect(error).toMatchObject({ code: 'DOCUMENT_INVALID' });
        return false;
      }
    };
    expect(holds('result.json')).toBe(true);
    expect(files.filter(holds)).toEqual([]);
    for (const file of files.filter((_, index) => index % 10 === 0))
      expect([1, 2], file).toContain(aibench(['verify', file], { cwd }).status);
  });
  it('signs, and knows the signer', () => {
    const made = aibench(['sign', '--generate-key', 'lab.key'], { cwd });
    expect(made.status).toBe(0);
    expect(made.stdout).toMatch(/^ed25519:[A-Za-z0-9+/]{43}=\n$/);
    expect(statSync(path.join(cwd, 'lab.key')).mode & 0o777).toBe(0o600);
    aibench(['sign', '--generate-key', 'rival.key'], { cwd });
    expect(aibench(['sign', '--key', 'lab.key', 'result.json', '-o', 'signed.json'], { cwd }).status).toBe(0);
    expect(aibench(['verify', '--key', 'lab.key.pub', 'signed.json'], { cwd }).status).toBe(0);
    expect(aibench(['verify', '--key', 'rival.key.pub', 'signed.json'], { cwd }).status).toBe(1);
    expect(aibench(['verify', '--require-signature', 'result.json'], { cwd }).status).toBe(1);
    expect(JSON.parse(aibench(['verify', '--json', 'signed.json'], { cwd }).stdout)).toMatchObject({
      results: [{ holds: true }],
    });
  });
  it('names every file that is no document and still checks the others', () => {
    writeFileSync(path.join(cwd, 'empty.json'), '');
    const files = ['empty.json', 'result.json', 'changed-10.json', 'nowhere.json'];
    const { status, stdout } = aibench(['verify', ...files], { cwd });
    expect(status).toBe(2);
    expect(stdout).toMatch(/^NO DOCUMENT {2}empty\.json .*it is empty\.\n {2}.*\[DOCUMENT_INVALID\]$/m);
    expect(stdout).toMatch(/^holds {2}result\.json/m);
    expect(stdout).toMatch(/changed-10\.json/);
    expect(stdout).toMatch(/^NO DOCUMENT {2}nowhere\.json cannot be read: there is no such file\.$/m);
    const json = JSON.parse(aibench(['verify', '--json', ...files], { cwd }).stdout);
    expect(json.results.map(({ file, holds }: { file: string; holds: boolean }) => [file, holds])).toEqual(
      files.map(file => [file, file === 'result.json']),
    );
    expect(json.results[0].error.code).toBe('DOCUMENT_INVALID');
    // A page or a table of the rest would look whole: these name all and make nothing.
    const report = aibench(['report', ...files, '-o', 'page.html'], { cwd });
    expect(report.status).toBe(2);
    expect(report.stderr).toMatch(/empty\.json[\s\S]*nowhere\.json/);
    expect(readdirSync(cwd)).not.toContain('page.html');
  });
  it('does not sign what does not hold', () => {
    const { status, stderr } = aibench(['sign', '--key', 'lab.key', 'changed-10.json'], { cwd });
    expect(status).toBe(2);
    expect(stderr).toMatch(/SIGN_REFUSED|DOCUMENT_INVALID/);
  });
});
