import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TensorValue } from '../../../../../src/models/tensor.ts';
import { findLlamaCpp, installRemedy } from '../../../../../src/runtime/llama-cpp.ts';
import { damage, FAULTS } from '../../../../../src/workloads/inference/compare.ts';
import { type Check, checkRuns, choiceGap } from '../../../../../src/workloads/inference/llama-cpp/check.ts';
import { llamaCppError } from '../../../../../src/workloads/inference/llama-cpp/errors.ts';
import { checkGguf } from '../../../../../src/workloads/inference/llama-cpp/gguf-file.ts';
import type { Reference } from '../../../../../src/workloads/inference/llama-cpp/reference.ts';
import { timedRun } from '../../../../../src/workloads/inference/llama-cpp/runs.ts';
import type { Text } from '../../../../../src/workloads/inference/llama-cpp/sequence.ts';
import { llamaCppSupport } from '../../../../../src/workloads/inference/llama-cpp/support.ts';
import { inferenceParams } from '../../../../../src/workloads/inference/params.ts';
import { inference } from '../../../../../src/workloads/inference/workload.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-llama-cpp-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const VOCABULARY = 8;

/** Logits that depend on every token in front and its place, as a language model's do. */
function logitsOf(tokens: readonly number[]): TensorValue {
  const data = Float32Array.from({ length: VOCABULARY }, (_, i) =>
    Math.sin(tokens.reduce((sum, token, place) => sum + (token + 1) * (place + 1), i * i)),
  );
  return { type: 'float32', dims: [1, VOCABULARY], data };
}

function topOf({ data }: TensorValue): number {
  const values = [...(data as Float32Array)];
  return values.indexOf(Math.max(...values));
}

/** A text as llama.cpp keeps it, with a defect where one is asked for. */
function fakeText(defect: 'none' | 'loses a token' | 'chooses badly' = 'none'): Text & { held: number[] } {
  const held: number[] = [];
  const put = (tokens: readonly number[]): void => {
    held.push(...(defect === 'loses a token' && tokens.length > 2 ? tokens.slice(1) : tokens));
  };
  return {
    held,
    positions: 256,
    length: () => held.length,
    keep: async length => {
      held.length = Math.min(length, held.length);
    },
    fill: async tokens => put(tokens),
    logits: async tokens => {
      put(tokens);
      return logitsOf(held);
    },
    dispose: async () => {},
    async *generate(tokens) {
      put(tokens);
      for (;;) {
        const token = defect === 'chooses badly' ? (topOf(logitsOf(held)) + 3) % VOCABULARY : topOf(logitsOf(held));
        yield token;
        put([token]);
      }
    },
  };
}

const reference: Reference = {
  against: 'against the definition',
  tolerance: { element: 1e-3, rms: 1e-3 },
  logits: async texts => texts.map(logitsOf),
};
const params = (raw: object) => inferenceParams.parse({ model: 'llama-15m', ...raw });
const PROMPT = [3, 1, 4, 1, 5];
const CASES = [
  { mode: 'prefill', sequence: 5 },
  { mode: 'decode', context: 4 },
  { mode: 'generate', sequence: 5, newTokens: 4 },
];

describe('a run on llama.cpp', () => {
  it.each(CASES)('%j leaves what it says, and passes', async raw => {
    const text = fakeText();
    const run = timedRun(text, params(raw), PROMPT);
    await run.prepare();
    await run.run();
    const outcome = await run.run();
    expect(outcome.seconds).toBeGreaterThanOrEqual(0);
    expect(outcome.held.slice(0, 5)).toEqual(PROMPT);
    expect(outcome.chosen).toHaveLength(raw.newTokens ?? 1);
    expect(outcome.tokenTimes?.interTokenSeconds.length).toBe(raw.newTokens === undefined ? undefined : 3);
    // The last token that was chosen is not yet in the cache.
    expect(text.held).toEqual([...outcome.held]);
    const verification = await checkRuns([{ text, outcome }], reference, outputs => outputs);
    expect(verification).toMatchObject({ passed: true, error: 0 });
    expect(verification.method).toContain('against the definition');
  });

  it.each(['loses a token', 'chooses badly'] as const)('a cache that %s is found out', async defect => {
    for (const raw of CASES) {
      const text = fakeText(defect);
      const run = timedRun(text, params(raw), PROMPT);
      await run.prepare();
      const outcome = await run.run();
      expect((await checkRuns([{ text, outcome }], reference, outputs => outputs)).passed, raw.mode).toBe(false);
    }
  });

  it.each(FAULTS)('an output with the fault %s is found out', async fault => {
    const checks: Check[] = [];
    for (const prompt of [PROMPT, [2, 7, 1, 0, 2]]) {
      const text = fakeText();
      checks.push({ text, outcome: await timedRun(text, params(CASES[0] ?? {}), prompt).run() });
    }
    const verification = await checkRuns(checks, reference, (outputs, other) => damage(outputs, fault, other));
    expect(verification.passed).toBe(false);
    // Of one run too, where there is no other output.
    expect(
      (await checkRuns(checks.slice(1), reference, (outputs, other) => damage(outputs, fault, other))).passed,
    ).toBe(false);
  });

  it('the gap of a choice is in root mean squares of the logits', () => {
    expect(choiceGap({ type: 'float32', dims: [1, 2], data: Float32Array.of(1, -1) }, 0)).toBe(0);
    expect(choiceGap({ type: 'float32', dims: [1, 2], data: Float32Array.of(1, -1) }, 1)).toBe(2);
    expect(choiceGap({ type: 'float32', dims: [1, 2], data: Float32Array.of(1, -1) }, 7)).toBeNaN();
  });
});

describe('what llama.cpp takes', () => {
  it.each([
    [{ model: 'resnet50' }, /^llama.cpp runs language models alone, and resnet50 is none/],
    [{ model: './my.onnx' }, /^llama.cpp runs language models alone, and my.onnx is none/],
    [{ model: 'llama-15m', batch: 2 }, /one text at a time/],
    [{ model: 'llama-15m', device: 'cuda' }, /cuda is not driven through it/],
    [{ model: 'llama-15m', precision: 'int8-qdq' }, /^llama.cpp has no int8-qdq/],
  ])('%j is skipped with a reason', (raw, reason) => {
    expect(llamaCppSupport(inferenceParams.parse(raw))).toMatchObject({
      supported: false,
      reason: expect.stringMatching(reason),
      remedy: expect.stringMatching(/\.$/),
    });
  });

  it('ONNX Runtime does not take a GGUF file, and says who does', async () => {
    const machine = { usableCores: 2, memoryBytes: 2 ** 33, caches: [] };
    expect(await inference.supports(inferenceParams.parse({ model: './my.gguf' }), 'ort-node', machine)).toMatchObject({
      supported: false,
      remedy: 'Use backend: node-llama-cpp.',
    });
  });

  it('a GGUF file has the metrics of a language model, without those that would need its operations', () => {
    const metrics = (raw: object) => inference.metrics(inferenceParams.parse({ model: './my.gguf', ...raw }));
    expect(metrics({})[0]).toBe('prefill_tokens_per_second');
    expect(metrics({ mode: 'decode' })[0]).toBe('decode_tokens_per_second');
    expect(metrics({ mode: 'generate' })[0]).toBe('output_tokens_per_second');
    for (const mode of ['prefill', 'decode', 'generate']) expect(metrics({ mode })).not.toContain('flops_per_second');
  });
});

describe('findLlamaCpp', () => {
  it('looks upwards from each folder, and says how to install what is not there', () => {
    const deep = path.join(folder, 'a', 'b');
    mkdirSync(deep, { recursive: true });
    expect(findLlamaCpp([deep], {})).toEqual({
      status: 'absent',
      reason: 'node-llama-cpp is not installed.',
      remedy: installRemedy(),
    });
    expect(installRemedy('linux/x64')).toContain('@node-llama-cpp/linux-x64@');
    expect(installRemedy('plan9/mips')).not.toContain('@node-llama-cpp/');
    const place = path.join(folder, 'node_modules', 'node-llama-cpp');
    mkdirSync(place, { recursive: true });
    writeFileSync(path.join(place, 'package.json'), '{"version": "9.8.7"}');
    expect(findLlamaCpp([deep], {})).toEqual({ status: 'ok', version: '9.8.7', folder: place });
    expect(findLlamaCpp([], { AIBENCH_NODE_LLAMA_CPP: place })).toMatchObject({ status: 'ok', folder: place });
    writeFileSync(path.join(place, 'package.json'), '{');
    expect(findLlamaCpp([deep], {})).toMatchObject({
      status: 'absent',
      reason: expect.stringContaining('cannot be read'),
    });
  });
});

describe('a file that is no model', () => {
  it.each([
    ['absent', null, 'MODEL_NOT_FOUND'],
    ['empty', '', 'MODEL_EMPTY'],
    ['text', 'hello', 'MODEL_NOT_GGUF'],
    ['of another version', 'GGUF\x09\0\0\0', 'MODEL_UNSUPPORTED'],
  ])('%s: %s', (_name, content, code) => {
    const file = path.join(folder, 'x.gguf');
    if (content !== null) writeFileSync(file, content);
    expect(() => checkGguf(file)).toThrow(expect.objectContaining({ code }));
  });

  it('what llama.cpp says of it becomes a sentence', () => {
    expect(llamaCppError(new Error('Failed to load model'), 'x.gguf', true)).toMatchObject({ code: 'MODEL_INVALID' });
    expect(llamaCppError(new Error('A context size of 99 is too large'), 'x')).toMatchObject({
      code: 'MODEL_TOO_LARGE',
    });
    expect(llamaCppError(new Error('odd'), 'x.gguf')).toMatchObject({
      code: 'ENGINE_FAILURE',
      message: 'llama.cpp cannot run x.gguf: odd.',
    });
  });
});
