/** Every model that aibench makes itself, one row each. The weights are random: speed does not depend on what was learned. */
import { BERT_BASE, bertInputs, bertWorkingBytes, buildBert, DISTILBERT } from './bert.ts';
import type { GraphBuilder, WorkPoint } from './graph-builder.ts';
import {
  buildLlama,
  LLAMA_15M,
  LLAMA_160M,
  type LlamaConfig,
  llamaWorkingBytes,
  SMOLLM_135M,
  SMOLLM_360M,
  TINYLLAMA_1B,
} from './llama.ts';
import { buildMlp, MLP_TINY, mlpInputs } from './mlp.ts';
import { cachedModel } from './model-cache.ts';
import { buildMoe, MOE_BLOCK, moeInputs, moeWorkingBytes } from './moe.ts';
import { buildResnet18 } from './resnet18.ts';
import { buildResnet50, RESNET50_BYTES_PER_IMAGE, resnet50Inputs } from './resnet50.ts';
import type { NamedTensors } from './tensor.ts';
import { buildUnet, UNET_BYTES_PER_IMAGE, unetInputs } from './unet.ts';
import { buildVit, VIT_B_16, VIT_S_16, type VitConfig, vitWorkingBytes } from './vit.ts';

interface ModelBase {
  name: string;
  /** One line for `aibench list models`. */
  summary: string;
  /** Raised whenever the same name gives other bytes: it is part of the cache's file name. */
  version: number;
  build(): GraphBuilder;
  /** Memory that an inference needs beside the weights, estimated from above: inputs, activations, KV cache. Bytes. */
  workingBytes(at: WorkPoint): number;
  /** The model beside which it stands as the smaller one: what a distillation buys in speed. */
  smallerOf?: string;
  /** The output that a benchmark fetches: small, since the Node binding copies outputs. */
  output: string;
}

/** A model whose every inference stands alone. */
export interface StatelessModel extends ModelBase {
  kind: 'vector' | 'image' | 'encoder';
  /** Of an encoder: what it does when no length is asked for, and the most that it can do. */
  sequence: { default: number; max: number } | null;
  /** Seeded random inputs. */
  inputs(at: { batch: number; sequence: number }, seed: number): NamedTensors;
}

/** A language model that prefills a KV cache and decodes from it. */
export interface DecoderModel extends ModelBase {
  kind: 'decoder';
  config: LlamaConfig;
  sequence: { default: number; max: number };
}

export type ModelDefinition = StatelessModel | DecoderModel;

function llama(name: string, summary: string, config: LlamaConfig): DecoderModel {
  return {
    kind: 'decoder',
    name,
    summary,
    version: 1,
    build: () => buildLlama(config),
    workingBytes: at => llamaWorkingBytes(config, at),
    output: 'logits',
    config,
    sequence: { default: 128, max: config.positions },
  };
}

function vit(name: string, summary: string, config: VitConfig): StatelessModel {
  return {
    kind: 'image',
    name,
    summary,
    version: 1,
    build: () => buildVit(config),
    workingBytes: at => vitWorkingBytes(config, at),
    output: 'output',
    sequence: null,
    inputs: ({ batch }, seed) => resnet50Inputs(batch, seed),
  };
}

export const MODELS: readonly ModelDefinition[] = [
  {
    kind: 'image',
    name: 'resnet50',
    summary: 'ResNet-50 v1.5, 224x224 images',
    version: 1,
    build: buildResnet50,
    workingBytes: ({ batch }) => batch * RESNET50_BYTES_PER_IMAGE,
    output: 'output',
    sequence: null,
    inputs: ({ batch }, seed) => resnet50Inputs(batch, seed),
  },
  {
    kind: 'encoder',
    name: 'bert-base',
    summary: 'BERT-base encoder with pooler',
    version: 1,
    build: () => buildBert(BERT_BASE),
    workingBytes: at => bertWorkingBytes(BERT_BASE, at),
    output: 'pooler_output',
    sequence: { default: 128, max: BERT_BASE.positions },
    inputs: ({ batch, sequence }, seed) => bertInputs(BERT_BASE, batch, sequence, seed),
  },
  {
    ...llama('llama-15m', 'Llama-style decoder, grouped-query attention, for quick runs', LLAMA_15M),
    smallerOf: 'llama-160m',
  },
  llama('llama-160m', 'Llama-style decoder in the shape of llama-160m', LLAMA_160M),
  llama('smollm-135m', 'decoder in the shape of SmolLM-135M, grouped-query attention', SMOLLM_135M),
  llama('smollm-360m', 'decoder in the shape of SmolLM-360M, grouped-query attention', SMOLLM_360M),
  llama('tinyllama-1b', 'decoder in the shape of TinyLlama-1.1B, grouped-query attention', TINYLLAMA_1B),
  {
    kind: 'image',
    name: 'resnet18',
    summary: 'ResNet-18, 224x224 images: the smaller variant of resnet50',
    smallerOf: 'resnet50',
    version: 1,
    build: buildResnet18,
    workingBytes: ({ batch }) => batch * RESNET50_BYTES_PER_IMAGE,
    output: 'output',
    sequence: null,
    inputs: ({ batch }, seed) => resnet50Inputs(batch, seed),
  },
  vit('vit-b-16', 'Vision Transformer B/16, 224x224 images', VIT_B_16),
  {
    ...vit('vit-s-16', 'Vision Transformer S/16: the smaller variant of vit-b-16', VIT_S_16),
    smallerOf: 'vit-b-16',
  },
  {
    kind: 'encoder',
    name: 'distilbert',
    summary: 'DistilBERT encoder: the smaller variant of bert-base',
    smallerOf: 'bert-base',
    version: 1,
    build: () => buildBert(DISTILBERT),
    workingBytes: at => bertWorkingBytes(DISTILBERT, at),
    output: 'first_token',
    sequence: { default: 128, max: DISTILBERT.positions },
    inputs: ({ batch, sequence }, seed) => bertInputs(DISTILBERT, batch, sequence, seed),
  },
  {
    kind: 'image',
    name: 'unet',
    summary: 'U-Net for segmentation, 128x128 images',
    version: 1,
    build: buildUnet,
    workingBytes: ({ batch }) => batch * UNET_BYTES_PER_IMAGE,
    output: 'output',
    sequence: null,
    inputs: ({ batch }, seed) => unetInputs(batch, seed),
  },
  {
    kind: 'encoder',
    name: 'moe-block',
    summary: 'one mixture-of-experts block: the best 2 of 8 experts per token',
    version: 1,
    build: () => buildMoe(MOE_BLOCK),
    workingBytes: at => moeWorkingBytes(MOE_BLOCK, at),
    output: 'output',
    sequence: { default: 128, max: 8192 },
    inputs: ({ batch, sequence }, seed) => moeInputs(MOE_BLOCK, batch, sequence, seed),
  },
  {
    kind: 'vector',
    name: 'mlp-tiny',
    summary: 'two-layer perceptron of a few kilobytes, for smoke tests',
    version: 1,
    build: () => buildMlp(MLP_TINY),
    workingBytes: ({ batch }) => 4 * batch * (MLP_TINY.inputs + MLP_TINY.hidden + MLP_TINY.outputs),
    output: 'output',
    sequence: null,
    inputs: ({ batch }, seed) => mlpInputs(MLP_TINY, batch, seed),
  },
];

export function findModel(name: string): ModelDefinition | undefined {
  return MODELS.find(model => model.name === name);
}

/** What one inference at batch 1 does by default: the point at which `list models` gives MACs. */
export function defaultWorkPoint(model: ModelDefinition): WorkPoint {
  return { batch: 1, sequence: model.sequence?.default ?? 1, context: 0 };
}

export interface ModelRow {
  name: string;
  kind: ModelDefinition['kind'];
  summary: string;
  parameters: number;
  /** Multiply–accumulates of one inference at batch 1 and, for text, `sequence` tokens. */
  macs: number;
  sequence: number | null;
  /** Weights, in bytes: the file is a few kilobytes larger. */
  bytes: number;
  cached: boolean;
}

/** Rows of `aibench list models`. */
export function listModels(cacheDir: string): ModelRow[] {
  return MODELS.map(model => {
    const graph = model.build();
    return {
      name: model.name,
      kind: model.kind,
      summary: model.summary,
      parameters: graph.parameters,
      macs: graph.macs(defaultWorkPoint(model)),
      sequence: model.sequence?.default ?? null,
      bytes: graph.initializers.reduce((sum, initializer) => sum + initializer.byteLength, 0),
      cached: cachedModel(model, graph, cacheDir) !== null,
    };
  });
}
