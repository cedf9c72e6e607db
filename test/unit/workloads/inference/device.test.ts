import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEVICES, deviceSupport, providerOf, resolveDevice } from '../../../../src/workloads/inference/device.ts';
import { engineSupport } from '../../../../src/workloads/inference/engines.ts';

let binaryFolder = '';
beforeEach(() => {
  binaryFolder = mkdtempSync(path.join(os.tmpdir(), 'aibench-ort-'));
});
afterEach(() => rmSync(binaryFolder, { recursive: true }));

const ort = () => ({ status: 'ok', version: '1.30.0', binaryFolder }) as const;

describe('engineSupport', () => {
  it('ort-native keeps the KV cache of a generation on the CPU alone', () => {
    writeFileSync(path.join(binaryFolder, 'libonnxruntime.so.1'), '');
    for (const mode of ['prefill', 'decode'] as const) {
      expect(engineSupport('ort-native', 'cuda', ort(), mode)).toEqual({ supported: true });
    }
    expect(engineSupport('ort-native', 'auto', ort(), 'generate')).toEqual({ supported: true });
    expect(engineSupport('ort-node', 'cuda', ort(), 'generate')).toEqual({ supported: true });
    expect(engineSupport('ort-native', 'cuda', ort(), 'generate')).toMatchObject({
      supported: false,
      remedy: expect.stringContaining('backend ort-node'),
    });
  });
});

describe('deviceSupport', () => {
  it('has the CPU everywhere, and takes auto as the CPU', () => {
    for (const platform of ['linux/x64', 'linux/arm64', 'darwin/arm64']) {
      expect(deviceSupport('cpu', ort(), platform)).toEqual({ supported: true });
      expect(deviceSupport('auto', ort(), platform)).toEqual({ supported: true });
    }
    expect(resolveDevice('auto')).toBe('cpu');
  });

  it.each([
    ['cuda', 'libonnxruntime_providers_cuda.so'],
    ['tensorrt', 'libonnxruntime_providers_tensorrt.so'],
  ] as const)('wants the library of %s beside the binding', (device, library) => {
    expect(deviceSupport(device, ort(), 'linux/x64')).toMatchObject({
      supported: false,
      reason: expect.stringContaining(library),
      remedy: expect.stringContaining('install.js'),
    });
    writeFileSync(path.join(binaryFolder, library), '');
    expect(deviceSupport(device, ort(), 'linux/x64')).toEqual({ supported: true });
  });

  it('says where a provider does not exist', () => {
    expect(deviceSupport('coreml', ort(), 'linux/x64')).toEqual({
      supported: false,
      reason: 'onnxruntime-node 1.30.0 has no coreml provider on linux/x64.',
      remedy: 'Use device=cpu.',
    });
    expect(deviceSupport('coreml', ort(), 'darwin/arm64').supported).toBe(true);
    expect(deviceSupport('cuda', ort(), 'linux/arm64').supported).toBe(false);
  });

  it('has a provider name for every device', () => {
    for (const device of DEVICES) expect(providerOf(resolveDevice(device))).toMatch(/ExecutionProvider$/);
  });
});
