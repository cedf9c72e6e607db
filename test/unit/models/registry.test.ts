import os from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BERT_BASE, buildBert, DISTILBERT } from '../../../src/models/bert.ts';
import type { GraphBuilder } from '../../../src/models/graph-builder.ts';
import {
  buildLlama,
  LLAMA_15M,
  LLAMA_160M,
  SMOLLM_135M,
  SMOLLM_360M,
  TINYLLAMA_1B,
} from '../../../src/models/llama.ts';
import { buildMlp, MLP_TINY } from '../../../src/models/mlp.ts';
import { buildMoe, MOE_BLOCK } from '../../../src/models/moe.ts';
import { findModel, listModels, MODELS } from '../../../src/models/registry.ts';
import { buildResnet18 } from '../../../src/models/resnet18.ts';
import { buildResnet50 } from '../../../src/models/resnet50.ts';
import { elementCount } from '../../../src/models/tensor.ts';
import { buildUnet } from '../../../src/models/unet.ts';
import { buildVit, VIT_B_16, VIT_S_16 } from '../../../src/models/vit.ts';

const LLAMA_2_7B = {
  layers: 32,
  hidden: 4096,
  heads: 32,
  kvHeads: 32,
  feedForward: 11008,
  vocabulary: 32000,
  positions: 4096,
  tiedEmbeddings: false,
};

describe('parameter counts', () => {
  // torchvision.models.resnet50, bert-base-uncased, bert-large-uncased, JackFram/llama-160m, TinyLlama-1.1B (grouped-query
  // attention), Llama-2-7B, Llama-3.2-1B (grouped-query attention, tied embeddings), as their model cards and
  // sum(p.numel()) have them. Counting makes no weights, so size does not matter here.
  it.each<[string, () => GraphBuilder, number]>([
    ['ResNet-50', buildResnet50, 25_557_032],
    ['BERT-base', () => buildBert(BERT_BASE), 109_482_240],
    [
      'BERT-large',
      () => buildBert({ ...BERT_BASE, layers: 24, hidden: 1024, heads: 16, feedForward: 4096 }),
      335_141_888,
    ],
    ['llama-160m', () => buildLlama(LLAMA_160M), 162_417_408],
    ['stories15M', () => buildLlama({ ...LLAMA_15M, kvHeads: 6 }), 15_191_712],
    [
      'TinyLlama-1.1B',
      () => buildLlama({ ...LLAMA_2_7B, layers: 22, hidden: 2048, kvHeads: 4, feedForward: 5632 }),
      1_100_048_384,
    ],
    ['Llama-2-7B', () => buildLlama(LLAMA_2_7B), 6_738_415_616],
    [
      'Llama-3.2-1B',
      () =>
        buildLlama({
          ...LLAMA_2_7B,
          layers: 16,
          hidden: 2048,
          kvHeads: 8,
          feedForward: 8192,
          vocabulary: 128_256,
          tiedEmbeddings: true,
        }),
      1_235_814_400,
    ],
    ['mlp-tiny', () => buildMlp(MLP_TINY), 16 * 32 + 32 + 32 * 8 + 8],
    // torchvision resnet18, vit_b_16; DeiT-S; distilbert-base-uncased; SmolLM-135M and -360M; milesial/Pytorch-UNet.
    ['ResNet-18', buildResnet18, 11_689_512],
    ['ViT-B/16', () => buildVit(VIT_B_16), 86_567_656],
    ['ViT-S/16', () => buildVit(VIT_S_16), 22_050_664],
    ['DistilBERT', () => buildBert(DISTILBERT), 66_362_880],
    ['SmolLM-135M', () => buildLlama(SMOLLM_135M), 134_515_008],
    ['SmolLM-360M', () => buildLlama(SMOLLM_360M), 361_821_120],
    ['TinyLlama-1.1B of the registry', () => buildLlama(TINYLLAMA_1B), 1_100_048_384],
    ['U-Net', buildUnet, 31_037_698],
  ])('%s', (_name, build, published) => {
    expect(build().parameters).toBe(published);
  });
});

describe('mixture of experts', () => {
  it('has the parameters of Mixtral 8x7B (46,702,792,704) at its widths, with its attention and embeddings around', () => {
    const block = buildMoe({ hidden: 4096, feedForward: 14336, experts: 8, chosen: 2 }).parameters;
    const attention = 2 * 4096 * 4096 + 2 * 4096 * 1024;
    expect(32 * (block + attention + 2 * 4096) + 2 * 32000 * 4096 + 4096).toBe(46_702_792_704);
  });

  it('computes in the chosen experts alone', () => {
    const [two, four] = [2, 4].map(chosen =>
      buildMoe({ ...MOE_BLOCK, chosen }).macs({ batch: 1, sequence: 1, context: 0 }),
    );
    const expert = 3 * MOE_BLOCK.hidden * MOE_BLOCK.feedForward;
    expect((four ?? 0) - (two ?? 0)).toBe(2 * expert);
  });
});

describe('multiply–accumulates', () => {
  const at = { batch: 1, sequence: 128, context: 0 };

  it('ResNet-18: 1.81 GMAC, ViT-B/16: 17.56 GMAC, as torchvision publishes them', () => {
    expect(buildResnet18().macs(at)).toBe(1_814_073_344);
    expect(buildVit(VIT_B_16).macs(at) / 1e9).toBeCloseTo(17.56, 2);
  });

  it('ResNet-50: 4.09 GMAC per 224x224 image, in proportion to the batch', () => {
    const graph = buildResnet50();
    expect(graph.macs(at)).toBe(4_089_184_256);
    expect(graph.macs({ ...at, batch: 8 })).toBe(8 * 4_089_184_256);
  });

  it('BERT-base: 22.35 GFLOP at 128 tokens, quadratic only in the attention', () => {
    const graph = buildBert(BERT_BASE);
    // Twelve layers of 4·S·H² + 2·S·H·F + 2·S²·H, and the pooler.
    const layers = (s: number): number => 12 * (4 * s * 768 ** 2 + 2 * s * 768 * 3072 + 2 * s * s * 768);
    expect(graph.macs(at)).toBe(layers(128) + 768 ** 2);
    expect(graph.macs({ ...at, sequence: 384 })).toBe(layers(384) + 768 ** 2);
    expect((2 * graph.macs(at)) / 1e9).toBeCloseTo(22.35, 2);
  });

  it('Llama: a prompt of n tokens costs what n single steps on a growing cache cost, but for the extra logits', () => {
    const graph = buildLlama(LLAMA_15M);
    const logits = LLAMA_15M.hidden * LLAMA_15M.vocabulary;
    let steps = 0;
    for (let context = 0; context < 40; context++) steps += graph.macs({ batch: 1, sequence: 1, context });
    expect(graph.macs({ batch: 1, sequence: 40, context: 0 })).toBe(steps - 39 * logits);
  });

  it('Llama: a step without a context costs one MAC per matrix weight', () => {
    const graph = buildLlama(LLAMA_160M);
    const gains = (2 * LLAMA_160M.layers + 1) * LLAMA_160M.hidden;
    const matrices = graph.parameters - gains - LLAMA_160M.vocabulary * LLAMA_160M.hidden;
    const attention = 2 * LLAMA_160M.layers * LLAMA_160M.hidden;
    expect(graph.macs({ batch: 1, sequence: 1, context: 0 })).toBe(matrices + attention);
  });
});

describe('the registry', () => {
  it('has unique names and finds each', () => {
    expect(new Set(MODELS.map(({ name }) => name)).size).toBe(MODELS.length);
    for (const model of MODELS) expect(findModel(model.name)).toBe(model);
    expect(findModel('resnet51')).toBeUndefined();
  });

  it('lists every model with its counts, and none as cached in a folder that is not there', () => {
    const rows = listModels(path.join(os.tmpdir(), 'aibench-no-such-folder'));
    expect(rows.map(({ name }) => name)).toEqual(MODELS.map(({ name }) => name));
    for (const row of rows) {
      expect(row).toMatchObject({ cached: false, summary: expect.stringMatching(/\w/) });
      expect(row.bytes).toBeGreaterThanOrEqual(4 * row.parameters);
      expect(row.macs).toBeGreaterThan(0);
    }
  });

  it.each(MODELS.map(model => [model.name, model] as const))(
    '%s fetches an output that its graph has',
    (_name, model) => {
      expect(model.build().outputs.map(({ name }) => name)).toContain(model.output);
    },
  );

  it.each(MODELS.filter(model => model.kind !== 'decoder').map(model => [model.name, model] as const))(
    '%s: inputs are those of the graph, repeat with the seed and differ without it',
    (_name, model) => {
      const inputs = model.inputs({ batch: 2, sequence: 16 }, 7);
      expect(Object.keys(inputs)).toEqual(model.build().inputs.map(({ name }) => name));
      for (const { dims, data } of Object.values(inputs)) expect(data).toHaveLength(elementCount(dims));
      const content = (seed: number): Buffer[] =>
        Object.values(model.inputs({ batch: 2, sequence: 16 }, seed)).map(({ data }) =>
          Buffer.from((data as Float32Array).buffer),
        );
      const [first = Buffer.alloc(0), ...rest] = content(7);
      expect([first, ...rest].every((bytes, index) => bytes.equals(content(7)[index] ?? Buffer.alloc(0)))).toBe(true);
      expect(first.equals(content(8)[0] ?? first)).toBe(false);
    },
  );

  it('gives BERT ids within its tables', () => {
    const model = findModel('bert-base');
    if (model === undefined || model.kind === 'decoder') throw new Error('no bert-base');
    const inputs = model.inputs({ batch: 3, sequence: 512 }, 1);
    const highest = (name: string): number =>
      Math.max(...Array.from((inputs[name]?.data ?? []) as BigInt64Array, Number));
    expect(highest('input_ids')).toBeLessThan(BERT_BASE.vocabulary);
    expect(highest('position_ids')).toBe(511);
    expect(highest('token_type_ids')).toBe(1);
  });
});
