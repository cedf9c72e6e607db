/** llama.cpp itself, where node-llama-cpp is installed (it is no dependency): held against ONNX Runtime on the same weights. */
import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { llamaGguf } from '../../src/models/llama-gguf.ts';
import { ensureModel } from '../../src/models/model-cache.ts';
import { type DecoderModel, findModel } from '../../src/models/registry.ts';
import { findLlamaCpp } from '../../src/runtime/llama-cpp.ts';
import { findOrt } from '../../src/runtime/ort.ts';
import { FAULTS } from '../../src/workloads/inference/compare.ts';
import { createLlamaCppHost } from '../../src/workloads/inference/llama-cpp/host.ts';
import { inferenceParams } from '../../src/workloads/inference/params.ts';

const found = findLlamaCpp();
const ort = findOrt();
const reason = found.status === 'absent' ? found.reason : ort.status === 'absent' ? ort.reason : null;
const timing = { maxWarmupSeconds: 0.05, minSampleSeconds: 0.001, targetSeconds: 0.1, minSamples: 3, maxSamples: 100 };

describe.skipIf(reason !== null)(`llama.cpp${reason === null ? '' : ` (skipped: ${reason})`}`, () => {
  let cacheDir = '';
  beforeAll(() => {
    cacheDir = mkdtempSync(path.join(os.tmpdir(), 'aibench-llama-cpp-'));
  });
  afterAll(() => rmSync(cacheDir, { recursive: true }));
  const host = (raw: object) =>
    createLlamaCppHost(
      { backend: 'node-llama-cpp', params: inferenceParams.parse(raw), threads: 1, seed: 3, cacheDir },
      { stopped: () => false, progress: () => {} },
    );

  it.each([
    { model: 'llama-15m', sequence: 16 },
    { model: 'llama-15m', mode: 'decode', context: 16, precision: 'int4' },
    { model: 'llama-15m', mode: 'generate', sequence: 8, newTokens: 6, precision: 'fp16' },
  ])('%j agrees with ONNX Runtime before and after the timing', async raw => {
    const session = host(raw);
    const { facts, work } = await session.load();
    expect(facts).toMatchObject({ engine: 'node-llama-cpp', parameters: 14_528_160, device: 'cpu' });
    expect(work.flops).toBeGreaterThan(1e6);
    expect(await session.verify()).toMatchObject({ passed: true });
    const measured = await session.measure(timing);
    expect(measured.samplesSeconds.length).toBeGreaterThanOrEqual(3);
    expect(measured.tokenTimes?.firstTokenSeconds.length ?? 0).toBe(
      raw.newTokens === undefined ? 0 : measured.samplesSeconds.length,
    );
    expect(await session.verifyTimed()).toMatchObject({ passed: true });
    for (const fault of FAULTS) {
      await session.injectFault(fault);
      expect((await session.verifyTimed()).passed, fault).toBe(false);
    }
    await session.dispose();
  });

  it('runs a file of the user’s, and says of a truncated one what is wrong', async () => {
    const { source, graph } = llamaGguf(findModel('llama-15m') as DecoderModel, 'int4', undefined);
    const file = ensureModel(source, graph, cacheDir).path;
    const session = host({ model: file, mode: 'generate', sequence: 8, newTokens: 4 });
    await session.load();
    expect(await session.verify()).toMatchObject({ passed: true, method: expect.stringContaining('no other engine') });
    await session.dispose();
    const cut = path.join(cacheDir, 'cut.gguf');
    writeFileSync(cut, 'GGUF\x03\0\0\0');
    truncateSync(cut, 1000);
    await expect(host({ model: cut }).load()).rejects.toMatchObject({ code: 'MODEL_INVALID' });
  });
});
