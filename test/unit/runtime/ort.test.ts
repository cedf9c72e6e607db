import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findOrt } from '../../../src/runtime/ort.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-ort-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

const resolveIn = (request: string): string => path.join(folder, path.basename(request));

describe('findOrt', () => {
  it('says how to install what is not there', () => {
    const resolve = (): string => {
      throw new Error('Cannot find module');
    };
    expect(findOrt(resolve)).toEqual({
      status: 'absent',
      reason: 'onnxruntime-node is not installed.',
      remedy: 'Install it with `npm install --ignore-scripts onnxruntime-node@1.30.0`.',
    });
  });

  it('sees that the binary for this platform is missing', () => {
    writeFileSync(path.join(folder, 'package.json'), '{"version": "1.30.0"}');
    expect(findOrt(resolveIn, 'plan9/mips')).toMatchObject({
      status: 'absent',
      reason: 'onnxruntime-node is installed without its binary for plan9/mips.',
    });
  });

  it('finds version and folder without loading anything', () => {
    const binaryFolder = path.join(folder, 'bin', 'napi-v6', 'linux/x64');
    mkdirSync(binaryFolder, { recursive: true });
    writeFileSync(path.join(folder, 'package.json'), '{"version": "9.8.7"}');
    writeFileSync(path.join(binaryFolder, 'onnxruntime_binding.node'), 'not loadable');
    expect(findOrt(resolveIn, 'linux/x64')).toEqual({ status: 'ok', version: '9.8.7', binaryFolder });
  });
});
