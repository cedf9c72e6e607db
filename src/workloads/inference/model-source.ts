/** From a model parameter to a file that an engine can open, with the facts that go into the record. */
import path from 'node:path';
import type { WorkPoint } from '../../models/graph-builder.ts';
import { contentSha256, ensureModel } from '../../models/model-cache.ts';
import { inspectModel, type ModelFile } from '../../models/onnx-file.ts';
import { findModel, type ModelDefinition } from '../../models/registry.ts';
import { formatBytes } from '../../units.ts';
import { type InferenceParams, modelLabel } from './params.ts';

export interface ResolvedModel {
  path: string;
  facts: Record<string, string | number | boolean | null>;
  macs: ((at: WorkPoint) => number) | null;
  /** Largest error that passes the verification. */
  tolerance: number;
}

/**
 * Largest error that passes, by what the model computes in. Measured on the project's own fp32 models: up to 5e-6. A model
 * with quantised or half-precision weights may round elsewhere once it is optimised.
 */
const TOLERANCE = { own: 1e-4, file: 1e-3, reduced: 5e-2 } as const;

/**
 * The file of a model and what is known of it. A generated one is made when the cache lacks it.
 * @throws AibenchError MODEL_*, one sentence for whatever is wrong with the file or the cache
 */
export function resolveModel(
  params: InferenceParams,
  cacheDir: string,
  progress: (message: string) => void,
): ResolvedModel {
  const definition = findModel(params.model);
  return definition === undefined ? ownFile(params.model) : generatedModel(definition, params, cacheDir, progress);
}

function generatedModel(
  definition: ModelDefinition,
  params: InferenceParams,
  cacheDir: string,
  progress: (message: string) => void,
): ResolvedModel {
  const graph = definition.build();
  const cached = ensureModel(definition, graph, cacheDir, {
    onGenerate: bytes => progress(`generating ${definition.name} (${formatBytes(bytes)})`),
  });
  const point = { batch: params.batch, sequence: params.sequence ?? 1, context: params.context ?? 0 };
  return {
    path: cached.path,
    facts: {
      model: definition.name,
      modelVersion: definition.version,
      modelSha256: cached.sha256,
      weightsSha256: cached.weightsSha256,
      modelBytes: cached.bytes,
      parameters: graph.parameters,
      macs: graph.macs(point),
      opset: graph.opset,
    },
    macs: at => graph.macs(at),
    tolerance: TOLERANCE.own,
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
  };
}
