/** Every engine that runs ONNX files, one row each; the first is the default. llama.cpp, which does not, is beside them in backends.ts. */
import { type OrtLookup, ortLibrary } from '../../runtime/ort.ts';
import type { Support } from '../workload.ts';
import type { Device } from './device.ts';
import { resolveDevice } from './device.ts';
import type { Engine } from './engine.ts';
import { NATIVE_PROVIDERS, openOrtNativeEngine } from './ort-native-engine.ts';
import { openOrtNodeEngine } from './ort-node-engine.ts';

export const ENGINE_NAMES = ['ort-node', 'ort-native'] as const;
export type EngineName = (typeof ENGINE_NAMES)[number];

const ENGINES: Record<EngineName, () => Engine> = { 'ort-node': openOrtNodeEngine, 'ort-native': openOrtNativeEngine };

/** @throws AibenchError where the engine cannot be loaded */
export function openEngine(name: EngineName): Engine {
  return ENGINES[name]();
}

/** Whether the engine has what it needs for the device; looks at files only. */
export function engineSupport(
  name: string,
  device: Device,
  ort: Extract<OrtLookup, { status: 'ok' }>,
  mode?: 'prefill' | 'decode' | 'generate',
): Support {
  if (name !== 'ort-native') return { supported: true };
  if (ortLibrary(ort) === null) {
    return {
      supported: false,
      reason: `onnxruntime-node ${ort.version} brings no library that ort-native can open.`,
      remedy: 'Use backend ort-node.',
    };
  }
  if (mode === 'generate' && resolveDevice(device) !== 'cpu') {
    return {
      supported: false,
      reason: `ort-native keeps a generation’s KV cache in the CPU’s memory alone, not in that of ${device}.`,
      remedy: 'Use backend ort-node, which hands the cache back and forth, or device=cpu.',
    };
  }
  return NATIVE_PROVIDERS[resolveDevice(device)] === undefined
    ? { supported: false, reason: `ort-native cannot open ${device}.`, remedy: 'Use backend ort-node.' }
    : { supported: true };
}
