/**
 * The `ort-native` engine: ONNX Runtime's C API through the addon, on the library that onnxruntime-node brings. Inputs and
 * outputs are bound once; an inference allocates and copies nothing. Its difference from ort-node is the cost of the binding.
 */
import { AibenchError, EXIT } from '../../errors.ts';
import type { NamedTensors, TensorValue } from '../../models/tensor.ts';
import { loadAddon } from '../../native/addon.ts';
import type { NativeOrtSession, OrtTensor } from '../../native/types.ts';
import { findOrt, ortLibrary } from '../../runtime/ort.ts';
import type { Device } from './device.ts';
import type { BoundInference, Engine, EngineSession, SessionOptions } from './engine.ts';

/** Names as ONNX Runtime's C API takes them; those that are not here cannot be opened through it yet. */
export const NATIVE_PROVIDERS: Partial<Record<Exclude<Device, 'auto'>, string>> = {
  cpu: 'cpu',
  cuda: 'cuda',
  webgpu: 'WebGPU',
  coreml: 'CoreML',
};

/** @throws AibenchError ORT_MISSING, or ADDON_* where the addon is not there */
export function openOrtNativeEngine(): Engine {
  const found = findOrt();
  if (found.status === 'absent') throw new AibenchError('ORT_MISSING', found.reason, found.remedy, EXIT.unmeasured);
  const library = ortLibrary(found);
  if (library === null) {
    throw new AibenchError(
      'ORT_MISSING',
      `onnxruntime-node ${found.version} brings no library that ort-native can open.`,
      'Use backend ort-node.',
      EXIT.unmeasured,
    );
  }
  const addon = loadAddon();
  return {
    name: 'ort-native',
    version: found.version,
    copiesOutputs: false,
    open: async (file, options) =>
      wrapSession(addon.createOrtSession(nativeOptions(library, file, options)), options.device),
  };
}

function nativeOptions(library: string, model: string, options: SessionOptions) {
  const { device, threads, spinning, optimise, profilePrefix } = options;
  return {
    library,
    model,
    threads,
    spinning: spinning ? 1 : 0,
    optimise: optimise ? 1 : 0,
    provider: NATIVE_PROVIDERS[device] ?? device,
    ...(profilePrefix === undefined ? {} : { profilePrefix }),
  };
}

function wrapSession(session: NativeOrtSession, device: SessionOptions['device']): EngineSession {
  return {
    inputs: session.inputs,
    outputs: session.outputs,
    bind: (inputs, fetches) => bindRun(session, inputs, fetches),
    // The buffers lie in the CPU's memory: a device would copy them there and back in every run.
    ...(device === 'cpu' ? { bindShared: (inputs, fetches, shared) => bindRun(session, inputs, fetches, shared) } : {}),
    endProfiling: () => {
      session.endProfiling();
    },
    release: async () => session.release(),
  };
}

/** Outputs are the same arrays from run to run: whoever keeps one copies it. */
function bindRun(
  session: NativeOrtSession,
  inputs: NamedTensors,
  fetches: readonly string[],
  shared: Record<string, string> = {},
): BoundInference {
  const given = Object.entries(inputs).map(([name, value]) => ({ name, ...toNative(name, value) }));
  const run = session.bind(given, fetches, shared);
  const outputs = run.outputs() as unknown as NamedTensors;
  return Object.assign(
    async () => {
      run.run();
      return outputs;
    },
    {
      firstSeconds: run.firstSeconds,
      time: (iterations: number) => run.time(iterations),
      outputs: () => outputs,
    },
  );
}

function toNative(name: string, { type, dims, data }: TensorValue): OrtTensor {
  if (ArrayBuffer.isView(data)) return { type, dims, data };
  throw new AibenchError(
    'MODEL_INPUT',
    `ort-native cannot hand over input ${name} of type ${type}.`,
    'Use backend ort-node for models with strings.',
  );
}
