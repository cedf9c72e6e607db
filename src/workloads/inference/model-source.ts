/** From a model parameter to a file that an engine can open, with the facts that go into the record. */
import path from 'node:path';
import type { WorkPoint } from '../../models/graph-builder.ts';
import { contentSha256, ensureModel, isIntactModel } from '../../models/model-cache.ts';
import { inspectModel, type ModelFile } from '../../models/onnx-file.ts';
import { findModel, type ModelDefinition } from '../../models/registry.ts';
import { buildVariant, type Precision } from '../../models/variant.ts';
import { formatBytes } from '../../units.ts';
import { calibrate } from './calibrate.ts';
import type { Engine } from './engine.ts';
import { type InferenceParams, modelLabel } from './params.ts';

export interface ResolvedModel {
  path: string;
  facts: Record<string, string | number | boolean | null>;
  macs: ((at: WorkPoint) => number) | null;
  /** Largest error that passes the verification. */
  tolerance: number;
  /** Some weights are of less than 32 bits, or zeros: the output differs from the fp32 model's. */
  compressed: boolean;
}

/**
 * Largest error that passes against the unoptimised graph of the same file, by what the model computes in. Measured: own fp32
 * models up to 5e-6; fp16 2e-3; int8 9e-2 and int4 6e-2, where an optimised graph rounds activations elsewhere.
 */
const TOLERANCE: Record<Precision | 'file' | 'reduced', number> = {
  fp32: 1e-4,
  fp16: 2e-2,
  'int8-dynamic': 0.25,
  'int8-qdq': 0.25,
  int4: 0.25,
  file: 1e-3,
  reduced: 5e-2,
};

/**
 * The file of a model and what is known of it. A generated one is made when the cache lacks it.
 * @throws AibenchError MODEL_*, one sentence for whatever is wrong with the file or the cache
 */
export async function resolveModel(
  params: InferenceParams,
  engine: Engine,
  cacheDir: string,
  progress: (message: string) => void,
): Promise<ResolvedModel> {
  const definition = findModel(params.model);
  return definition === undefined
    ? ownFile(params.model)
    : generatedModel(definition, params, engine, cacheDir, progress);
}

async function generatedModel(
  definition: ModelDefinition,
  params: InferenceParams,
  engine: Engine,
  cacheDir: string,
  progress: (message: string) => void,
): Promise<ResolvedModel> {
  const { precision, sparsity } = params;
  const ranges = new Map<string, [number, number]>();
  const variant = buildVariant(definition, precision, sparsity, ranges);
  const { graph } = variant;
  if (variant.calibration !== null && !isIntactModel(variant, graph, cacheDir)) {
    progress(`calibrating ${definition.name}`);
    await calibrate(definition, variant, ranges, engine, cacheDir);
  }
  const cached = ensureModel(variant, graph, cacheDir, {
    onGenerate: bytes => progress(`generating ${variant.name} (${formatBytes(bytes)})`),
  });
  const point = { batch: params.batch, sequence: params.sequence ?? 1, context: params.context ?? 0 };
  return {
    path: cached.path,
    facts: {
      model: definition.name,
      modelVersion: variant.version,
      modelSha256: cached.sha256,
      weightsSha256: cached.weightsSha256,
      modelBytes: cached.bytes,
      parameters: graph.parameters,
      macs: graph.macs(point),
      opset: graph.opset,
      ...(precision === 'fp32' && sparsity === undefined ? {} : { precision, sparsity: sparsity ?? 'none' }),
    },
    macs: at => graph.macs(at),
    tolerance: TOLERANCE[precision],
    compressed: precision !== 'fp32' || sparsity !== undefined,
  };
}

function ownFile(file: string): ResolvedModel {
  const inspected: ModelFile = inspectModel(file);
  const external = inspected.externalFiles.map(name => path.join(path.dirname(file), name));
  return {
    path: file,
    facts: {
      model: modelLabel({ model: file }),
      modelSha256: contentSha256(file),
      weightsSha256: external.length === 0 ? null : contentSha256(...external),
      modelBytes: inspected.bytes + inspected.externalBytes,
      parameters: inspected.parameters,
      macs: null,
      opset: inspected.opset,
    },
    macs: null,
    tolerance: inspected.reducedPrecision ? TOLERANCE.reduced : TOLERANCE.file,
    compressed: false,
  };
}
