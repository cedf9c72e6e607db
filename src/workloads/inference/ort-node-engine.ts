/** The `ort-node` engine: ONNX Runtime through onnxruntime-node, on the thread that calls it. */
import type { InferenceSession, Tensor } from 'onnxruntime-node';
import type { NamedTensors, TensorValue } from '../../models/tensor.ts';
import { loadOrt, type OrtModule } from '../../runtime/ort.ts';
import type { Engine, EngineSession, SessionOptions, TensorInfo } from './engine.ts';

/** @throws AibenchError ORT_MISSING or ORT_BROKEN */
export function openOrtNodeEngine(): Engine {
  const { ort, version } = loadOrt();
  // Errors come back as exceptions, and the terminal belongs to the progress display.
  ort.env.logLevel = 'fatal';
  return {
    name: 'ort-node',
    version,
    copiesOutputs: true,
    open: async (file, options) => wrapSession(ort, await ort.InferenceSession.create(file, sessionOptions(options))),
  };
}

function sessionOptions({
  device,
  threads,
  spinning,
  optimise,
  profilePrefix,
}: SessionOptions): InferenceSession.SessionOptions {
  const session: Record<string, unknown> = { intra_op: { allow_spinning: spinning ? '1' : '0' } };
  return {
    executionProviders: [device],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    graphOptimizationLevel: optimise ? 'all' : 'disabled',
    logSeverityLevel: 4,
    // Nodes that the device cannot run go to the CPU without a word: proof.ts counts them.
    ...(profilePrefix === undefined ? {} : { enableProfiling: true, profileFilePrefix: profilePrefix }),
    extra: { session },
  };
}

function wrapSession(ort: OrtModule, session: InferenceSession): EngineSession {
  return {
    inputs: session.inputMetadata.map(tensorInfo),
    outputs: session.outputMetadata.map(tensorInfo),
    bind: (inputs, fetches) => {
      const feeds = Object.fromEntries(
        Object.entries(inputs).map(([name, value]) => [name, toOrtTensor(ort, value)] as const),
      );
      const names = [...fetches];
      // A Tensor has the members of a TensorValue: outputs are passed on as they are.
      return () => session.run(feeds, names) as Promise<unknown> as Promise<NamedTensors>;
    },
    endProfiling: () => session.endProfiling(),
    release: () => session.release(),
  };
}

function toOrtTensor(ort: OrtModule, { type, data, dims }: TensorValue): Tensor {
  return new ort.Tensor(type as 'float32', data as Float32Array, dims);
}

function tensorInfo(value: InferenceSession.ValueMetadata): TensorInfo {
  return value.isTensor
    ? { name: value.name, type: value.type, dims: value.shape }
    : { name: value.name, type: null, dims: [] };
}
