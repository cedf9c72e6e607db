/** For bench-inference.mjs: the parts of the program that it measures, in one bundle, which its workers open as well. */
export { GraphBuilder } from '../src/models/graph-builder.ts';
export { decodeInputs, llamaTokens, prefillInputs, presentNames } from '../src/models/llama.ts';
export { ensureModel } from '../src/models/model-cache.ts';
export { writeModel } from '../src/models/onnx-writer.ts';
export { findModel } from '../src/models/registry.ts';
export { buildVariant } from '../src/models/variant.ts';
export { findOrt, ortLibrary } from '../src/runtime/ort.ts';
export { openEngine } from '../src/workloads/inference/engines.ts';
export { runSampledLoop, runTimedLoop } from '../src/workloads/inference/timed-loop.ts';
