/** From a model parameter to a file that an engine can open, with the facts that go into the record. */
import path from 'node:path';
import { AibenchError, EXIT } from '../../errors.ts';
import type { WorkPoint } from '../../models/graph-builder.ts';
import { contentSha256, ensureModel, isIntactModel } from '../../models/model-cache.ts';
import { inspectModel, type ModelFile } from '../../models/onnx-file.ts';
import { findPackaged, locatePackaged, type PackagedModel, packageMissing } from '../../models/packaged.ts';
import { findModel, type ModelDefinition } from '../../models/registry.ts';
import { buildVariant, type Precision } from '../../models/variant.ts';
import { formatBytes } from '../../units.ts';
import { calibrate } from './calibrate.ts';
import type { Tolerance } from './compare.ts';
import type { Engine } from './engine.ts';
import { type InferenceParams, modelLabel } from './params.ts';

export interface ResolvedModel {
  path: string;
  facts: Record<string, string | number | boolean | null>;
  macs: ((at: WorkPoint) => number) | null;
  /** What passes the verification. */
  tolerance: Tolerance;
  /** Some weights are of less than 32 bits, or zeros: the output differs from the fp32 model's. */
  compressed: boolean;
}

/**
 * What passes against the unoptimised graph of the same file, by what the model computes in: 1.5 times the largest seen. Measured on ResNet-50, ResNet-18,
 * BERT-base, DistilBERT, ViT-S/16, llama-15m and llama-160m, up to six seeds, as element / rms: fp32 5e-6; fp16 6e-3 / 1.6e-3; int8-dynamic 0.14 /
 * 2.9e-2; int8-qdq 0.19 / 4.5e-2; int4 0.13 / 2.0e-2. Where the optimiser leaves the products alone, as in llama-15m, it is 0. Elsewhere it changes a sum by 1e-7, and each
 * rounding that this turns is a whole step s of the activations: after one layer a difference d has become sqrt(d s), after a few layers it is s itself,
 * whatever it began with. So no bound can be below the activations' own rounding. Two sessions of the same options do not differ (compareWithTwins). The
 * output of another input is off by an rms of 0.16 (ResNet-50) and more.
 */
const TOLERANCE: Record<Precision | 'file' | 'reduced', Tolerance> = {
  fp32: { element: 1e-4, rms: null },
  fp16: { element: 1e-2, rms: 2.5e-3 },
  'int8-dynamic': { element: 0.21, rms: 4.5e-2 },
  'int8-qdq': { element: 0.29, rms: 6.8e-2 },
  int4: { element: 0.2, rms: 3e-2 },
  file: { element: 1e-3, rms: null },
  // A file that is quantised somewhere: as the largest of our own.
  reduced: { element: 0.29, rms: 6.8e-2 },
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
  if (definition !== undefined) return generatedModel(definition, params, engine, cacheDir, progress);
  const packaged = findPackaged(params.model);
  return packaged === undefined ? ownFile(params.model) : packagedFile(packaged);
}

/** A file that an npm package brings; its digest is checked, since another version may be another model. */
function packagedFile(model: PackagedModel): ResolvedModel {
  const file = locatePackaged(model);
  if (file === null) {
    const { reason, remedy } = packageMissing(model);
    throw new AibenchError('MODEL_NOT_FOUND', reason, remedy, EXIT.unmeasured);
  }
  if (contentSha256(file) !== model.sha256) {
    throw new AibenchError(
      'MODEL_INVALID',
      `${file} is not the ${model.name} of ${model.package} ${model.version}: its digest is another.`,
      `${packageMissing(model).remedy} To run this file as it is, name it by its path.`,
      EXIT.failed,
    );
  }
  const own = ownFile(file);
  const { name, licence, version, package: from } = model;
  return { ...own, facts: { ...own.facts, model: name, modelPackage: `${from}@${version}`, modelLicence: licence } };
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
      ...(definition.smallerOf === undefined ? {} : { smallerOf: definition.smallerOf }),
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
      // Weights may lie in Constant nodes, which are not counted: no number is better than a wrong one.
      parameters: inspected.parameters === 0 ? null : inspected.parameters,
      macs: null,
      opset: inspected.opset,
    },
    macs: null,
    tolerance: inspected.reducedPrecision ? TOLERANCE.reduced : TOLERANCE.file,
    compressed: false,
  };
}
