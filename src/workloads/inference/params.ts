/** Parameters of an inference case: what may be asked of which model, with the defaults filled in. */
import path from 'node:path';
import * as z from 'zod';
import { findPackaged, PACKAGED_MODELS } from '../../models/packaged.ts';
import { findModel, MODELS, type ModelDefinition } from '../../models/registry.ts';
import { PRECISIONS, type Precision, precisionProblem, SPARSITIES, type Sparsity } from '../../models/variant.ts';
import { type ThreadsParam, threadsParam } from '../parameters.ts';
import type { Params } from '../workload.ts';
import { DEVICES, type Device } from './device.ts';
import { defaultBatch, type LoadParams, loadDefaults, loadProblem, loadShape } from './load-params.ts';

const DEFAULT_NEW_TOKENS = 32;
/** Of a user's language model. */
const DEFAULT_TOKENS = 128;

const rawParams = z.strictObject({
  /** A name from `aibench list models`, or the path of an .onnx file. */
  model: z.string().min(1).max(1024),
  /** Rows per inference. */
  batch: z.int().min(1).max(65_536).optional(),
  /** Text models: tokens per row that go in at once. */
  sequence: z.int().min(1).max(1_048_576).optional(),
  /** Language models: a whole prompt, or one token more on a filled KV cache. */
  mode: z.enum(['prefill', 'decode', 'generate']).optional(),
  /** Generate: tokens per row that come out. */
  newTokens: z.int().min(2).max(65_536).optional(),
  /** Decode: tokens per row that the KV cache holds. */
  context: z.int().min(1).max(1_048_576).optional(),
  /** Threads inside an operator (ONNX Runtime: intra-op). */
  threads: threadsParam.default('all'),
  /** What the weights are in; compressed from the same fp32 weights. */
  precision: z.enum(PRECISIONS).default('fp32'),
  /** Weights pruned by magnitude, before they are compressed. */
  sparsity: z.enum(SPARSITIES).optional(),
  device: z.enum(DEVICES).default('auto'),
  /** A device may leave nodes to the CPU; their share is in the result. Otherwise such a case is invalid. */
  cpuFallback: z.enum(['forbid', 'allow']).optional(),
  /** Idle threads of the engine's pool wait actively, as ONNX Runtime does by default. */
  spinning: z.boolean().default(true),
  ...loadShape,
  /** The user's own file: sizes of its dynamic dimensions, `[height=480, width=640]`. */
  dims: z
    .union([z.string().transform(text => text.split(',')), z.array(z.string())])
    .pipe(z.array(z.string().regex(/^[^=]+=[1-9]\d{0,8}$/, 'a dimension is written name=size, such as height=480')))
    .optional(),
});

const checkedParams = rawParams.transform((raw, context): InferenceParams => {
  const given = withoutUndefined(raw);
  const params = { ...given, batch: given.batch ?? defaultBatch(given), ...loadDefaults(given) } as InferenceParams;
  const issue = (key: string, message: string): never => {
    context.addIssue({ code: 'custom', path: [key], message });
    return z.NEVER;
  };
  const loadIssue = loadProblem(given);
  if (loadIssue !== null) return issue(...loadIssue);
  const model = findModel(params.model);
  if (model === undefined) {
    if (findPackaged(params.model) !== undefined && params.dims !== undefined) {
      return issue('dims', `${params.model} comes with its sizes; name the file by its path to choose others`);
    }
    if (findPackaged(params.model) === undefined && !isFile(params.model))
      return issue('model', unknownModel(params.model));
    const given = (['precision', 'sparsity'] as const).find(key => params[key] !== undefined && params[key] !== 'fp32');
    if (given !== undefined) return issue(given, `${given} is for aibench's own models; a file is run as it is`);
    if (isGguf(params.model)) {
      if (params.dims !== undefined)
        return issue('dims', 'a .gguf file has no dimensions to set; use sequence or context');
      const surplus = surplusTextKey(params);
      return surplus === null ? withTextDefaults(params, DEFAULT_TOKENS) : issue(...surplus);
    }
    const text = (['mode', 'context', 'newTokens'] as const).find(key => params[key] !== undefined);
    return text === undefined ? params : issue(text, `${text} is for aibench's own language models and .gguf files`);
  }
  const surplus = surplusKey(model, params);
  if (surplus !== null) return issue(...surplus);
  const completed = withDefaults(model, params);
  const longest = model.sequence?.max ?? 0;
  const length =
    (completed.sequence ?? 0) +
    (completed.context ?? 0) +
    (completed.newTokens ?? 0) +
    (completed.mode === 'decode' ? 1 : 0);
  if (length > longest) {
    return issue(
      completed.mode === 'decode' ? 'context' : 'sequence',
      `${model.name} has ${longest} positions; ${length} are asked for`,
    );
  }
  return completed;
});

/** In one order, given or filled in: the case's id is made of them, and documents are compared by id. */
export const inferenceParams: z.ZodType<InferenceParams> = checkedParams.transform(params => {
  const keys = Object.keys(rawParams.shape).filter(key => key in params);
  return Object.fromEntries(keys.map(key => [key, params[key]])) as unknown as InferenceParams;
});

interface InferenceFields extends LoadParams {
  model: string;
  batch: number;
  sequence?: number;
  mode?: 'prefill' | 'decode' | 'generate';
  newTokens?: number;
  context?: number;
  threads: ThreadsParam;
  precision: Precision;
  sparsity?: Sparsity;
  device: Device;
  cpuFallback?: 'forbid' | 'allow';
  spinning: boolean;
  dims?: string[];
}

export interface InferenceParams extends Params, InferenceFields {}

/** As asked for, before the defaults that depend on each other. */
type GivenParams = Omit<InferenceFields, 'batch'> & { batch?: number };

/** The parser leaves keys of absent options behind; a parameter that does not apply shall not be there. */
function withoutUndefined(params: z.infer<typeof rawParams>): GivenParams {
  return Object.fromEntries(Object.entries(params).filter(([, value]) => value !== undefined)) as GivenParams;
}

/** Whether a model parameter is meant as a path. */
export function isFile(model: string): boolean {
  return model.includes('/') || model.includes(path.sep) || path.extname(model) !== '';
}

/** Whether a model parameter is a file for llama.cpp. */
export function isGguf(model: string): boolean {
  return path.extname(model).toLowerCase() === '.gguf';
}

/** What the model is called in a table or a message. */
export function modelLabel({ model }: Pick<InferenceParams, 'model'>): string {
  return findModel(model) === undefined ? path.basename(model) : model;
}

/** The first parameter that this model has no use for, and why. */
function surplusKey(model: ModelDefinition, params: InferenceParams): [string, string] | null {
  const precision = precisionProblem(model, params.precision);
  if (precision !== null) return ['precision', precision];
  if (params.dims !== undefined) return ['dims', `${model.name} has no dimensions to set; use batch and sequence`];
  if (model.sequence === null && params.sequence !== undefined) return ['sequence', `${model.name} takes no sequence`];
  if (model.kind === 'decoder') return surplusTextKey(params);
  if (params.newTokens !== undefined) return ['newTokens', 'newTokens belongs to mode=generate'];
  if (params.mode !== undefined) return ['mode', `${model.name} has no modes: it is not a language model`];
  if (params.context !== undefined) return ['context', `${model.name} has no KV cache`];
  return null;
}

/** The same for a language model. */
function surplusTextKey(params: InferenceParams): [string, string] | null {
  if (params.newTokens !== undefined && params.mode !== 'generate') {
    return ['newTokens', 'newTokens belongs to mode=generate'];
  }
  if (params.mode === 'generate' && params.scenario !== undefined) {
    return ['scenario', 'a load scenario takes prefill or decode; generate has its own times'];
  }
  if (params.mode === 'decode') {
    return params.sequence === undefined ? null : ['sequence', 'decode takes one token at a time; set context instead'];
  }
  return params.context === undefined
    ? null
    : ['context', `${params.mode ?? 'prefill'} starts from an empty KV cache; set sequence instead`];
}

function withDefaults(model: ModelDefinition, params: InferenceParams): InferenceParams {
  if (model.sequence === null) return params;
  return model.kind === 'decoder'
    ? withTextDefaults(params, model.sequence.default)
    : { ...params, sequence: params.sequence ?? model.sequence.default };
}

function withTextDefaults(params: InferenceParams, tokens: number): InferenceParams {
  return params.mode === 'decode'
    ? { ...params, context: params.context ?? tokens }
    : {
        ...params,
        mode: params.mode ?? 'prefill',
        sequence: params.sequence ?? tokens,
        ...(params.mode === 'generate' ? { newTokens: params.newTokens ?? DEFAULT_NEW_TOKENS } : {}),
      };
}

function unknownModel(name: string): string {
  const names = [...MODELS, ...PACKAGED_MODELS].map(model => model.name).join(', ');
  return `there is no model \`${name}\`; known are ${names}, and a file is named by its path, such as ./my.onnx`;
}
