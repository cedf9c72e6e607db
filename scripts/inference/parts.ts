/** For `npm run bench:inference`: the parts of the program that it measures, in one bundle, which its workers open as well. */
export { quantile } from '../../src/analysis/statistics.ts';
export { GraphBuilder } from '../../src/models/graph-builder.ts';
export { llamaTokens } from '../../src/models/llama.ts';
export { llamaGguf } from '../../src/models/llama-gguf.ts';
export { ensureModel } from '../../src/models/model-cache.ts';
export { writeModel } from '../../src/models/onnx-writer.ts';
export { findModel } from '../../src/models/registry.ts';
export { buildVariant } from '../../src/models/variant.ts';
export { findOrt, ortLibrary } from '../../src/runtime/ort.ts';
export { openEngine } from '../../src/workloads/inference/engines.ts';
export { bindGeneration } from '../../src/workloads/inference/generation.ts';
export { realClock } from '../../src/workloads/inference/load/clock.ts';
export { poissonArrivals, runClosedLoop, runOpenLoop } from '../../src/workloads/inference/load/queries.ts';
export { inferenceParams } from '../../src/workloads/inference/params.ts';
export { planScenario } from '../../src/workloads/inference/scenario.ts';
export { runSampledLoop } from '../../src/workloads/inference/timed-loop.ts';
export { takeTurns } from '../../src/workloads/inference/turns.ts';
