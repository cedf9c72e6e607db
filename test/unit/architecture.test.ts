/** Imports go down only: docs/architecture.md. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { root } from '../support/cli.ts';

const source = path.join(root, 'src');
const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(file => file.endsWith('.ts'));

/** Rooms that each room may import from, besides itself and the files at the top (errors, units). */
const ALLOWED: Record<string, string[]> = {
  cli: [
    'analysis',
    'config',
    'evidence',
    'gate',
    'host',
    'import',
    'models',
    'native',
    'report',
    'results',
    'runner',
    'runtime',
    'suite',
    'telemetry',
    'workloads',
  ],
  runner: ['analysis', 'host', 'native', 'results', 'suite', 'telemetry', 'workloads'],
  suite: ['config', 'native', 'workloads'],
  workloads: ['analysis', 'models', 'native', 'results', 'runtime'],
  models: ['analysis', 'results'],
  runtime: [],
  telemetry: ['analysis', 'host', 'native', 'results'],
  host: ['native', 'results'],
  gate: ['analysis', 'config', 'report', 'results'],
  report: ['analysis', 'results'],
  import: ['analysis', 'results'],
  analysis: ['results'],
  evidence: ['analysis', 'results'],
  results: [],
  config: [],
  native: [],
};

const PURE = [
  /^analysis\//,
  /^suite\/expand\.ts$/,
  /^runner\/(assemble|order|expected-time)\.ts$/,
  /^gate\/evaluate\.ts$/,
  /^report\//,
  /^cli\/render\/(?!progress)/,
];

function importsOf(file: string): string[] {
  const text = readFileSync(path.join(source, file), 'utf8');
  return [...text.matchAll(/(?:from|import)\s*\(?\s*'([^']+)'/g)].map(match => match[1] ?? '');
}

/** Only types come from there: nothing is loaded at run time. */
function typeOnly(file: string, specifier: string): boolean {
  const text = readFileSync(path.join(source, file), 'utf8');
  const escaped = specifier.replace(/[.*+?^${}()|[\]\\/]/g, '\\$&');
  const statements = [...text.matchAll(new RegExp(`import\\s+([^;]*?)\\s+from\\s+'${escaped}'`, 'g'))];
  return statements.length > 0 && statements.every(([, clause]) => (clause ?? '').startsWith('type '));
}

describe('imports', () => {
  it.each(files)('%s imports only from below', file => {
    const room = file.split('/')[0] ?? '';
    const allowed = ALLOWED[room];
    if (!file.includes('/') || allowed === undefined) return;
    for (const specifier of importsOf(file).filter(name => name.startsWith('.'))) {
      const target = path.relative(source, path.resolve(source, path.dirname(file), specifier));
      const targetRoom = target.split('/')[0] ?? '';
      if (targetRoom === room || !target.includes('/')) continue;
      expect(allowed, `${file} imports ${target}`).toContain(targetRoom);
    }
  });

  it.each(files.filter(file => PURE.some(pattern => pattern.test(file))))('%s is pure', file => {
    for (const specifier of importsOf(file)) {
      expect(specifier, file).not.toMatch(/^(node:(?!crypto$)|systeminformation|onnxruntime)/);
      if (/\/native\/addon|\/telemetry\/(recorder|sources)/.test(specifier))
        expect(typeOnly(file, specifier), `${file}: ${specifier}`).toBe(true);
    }
    expect(readFileSync(path.join(source, file), 'utf8'), file).not.toMatch(
      /\bprocess\.(env|argv|exit|cwd)|Date\.now\(|new Date\(\)/,
    );
  });

  it('the addon is loaded in one place', () => {
    const loaders = files.filter(file => /aibench\.node/.test(readFileSync(path.join(source, file), 'utf8')));
    expect(loaders).toEqual(['native/addon.ts']);
  });
});
