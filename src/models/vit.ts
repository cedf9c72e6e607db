/**
 * Vision Transformer as torchvision lays it out, for 224x224 images. Dosovitskiy et al. 2020, arXiv:2010.11929;
 * torchvision.models.vit_b_16: 86,567,656 parameters, 17.56 GMAC.
 */
import { GraphBuilder, type WorkPoint } from './graph-builder.ts';

export interface VitConfig {
  layers: number;
  hidden: number;
  heads: number;
  feedForward: number;
  patch: number;
}

export const VIT_B_16: VitConfig = { layers: 12, hidden: 768, heads: 12, feedForward: 3072, patch: 16 };
/** DeiT's small size: 22,050,664 parameters. */
export const VIT_S_16: VitConfig = { layers: 12, hidden: 384, heads: 6, feedForward: 1536, patch: 16 };

const IMAGE = 224;
const CLASSES = 1000;

export function buildVit(config: VitConfig): GraphBuilder {
  const { layers, hidden, patch } = config;
  const graph = new GraphBuilder('vit', { seed: 16 });
  const patches = (IMAGE / patch) ** 2;
  const image = graph.input('input', 'float32', ['batch', 3, IMAGE, IMAGE]);
  const fanIn = 3 * patch * patch;
  graph.countMacs(at => at.batch * patches * hidden * fanIn);
  const embedded = graph.node(
    'Conv',
    [
      image,
      graph.weight('conv_proj.weight', [hidden, 3, patch, patch], 1 / Math.sqrt(fanIn)),
      graph.weight('conv_proj.bias', [hidden], 0.02),
    ],
    { kernel_shape: [patch, patch], strides: [patch, patch] },
  );
  const rows = graph.node('Transpose', [graph.node('Reshape', [embedded, graph.integers([0, hidden, patches])])], {
    perm: [0, 2, 1],
  });
  // The class token is row 0: a row of zeros, to which it is added. So no shape arithmetic is needed for the batch.
  const padded = graph.node('Pad', [rows, graph.integers([0, 1, 0, 0, 0, 0])]);
  const token = graph.node('Pad', [
    graph.weight('class_token', [1, 1, hidden], 0.5),
    graph.integers([0, 0, 0, 0, patches, 0]),
  ]);
  const positions = graph.weight('encoder.pos_embedding', [1, patches + 1, hidden], 0.02);
  let x = graph.node('Add', [graph.node('Add', [padded, token]), positions]);
  for (let layer = 0; layer < layers; layer++) {
    x = encoderLayer(graph, config, `encoder.layers.${layer}`, x, patches + 1);
  }
  const first = graph.node('Gather', [layerNorm(graph, 'encoder.ln', x, hidden), graph.integers([0])], { axis: 1 });
  const flat = graph.node('Reshape', [first, graph.integers([-1, hidden])]);
  graph.countMacs(at => at.batch * hidden * CLASSES);
  const weight = graph.weight('heads.head.weight', [CLASSES, hidden], 1 / Math.sqrt(hidden));
  const bias = graph.weight('heads.head.bias', [CLASSES], 0.01);
  graph.node('Gemm', [flat, weight, bias], { transB: 1 }, { outputs: ['output'] });
  graph.output('output', 'float32', ['batch', CLASSES]);
  return graph;
}

/** Norm before each branch, as ViT has it. */
function encoderLayer(graph: GraphBuilder, config: VitConfig, name: string, x: string, tokens: number): string {
  const { hidden, heads, feedForward } = config;
  const perHead = hidden / heads;
  const linear = (part: string, from: string, inner: number, width: number, gain = 1): string => {
    graph.countMacs(at => at.batch * tokens * inner * width);
    const weight = graph.weight(`${name}.${part}.weight`, [inner, width], gain / Math.sqrt(inner));
    return graph.node('Add', [
      graph.node('MatMul', [from, weight]),
      graph.weight(`${name}.${part}.bias`, [width], 0.02),
    ]);
  };
  // Keeps the sum of all residual branches in range.
  const branch = 1 / Math.sqrt(2 * config.layers);
  const normed = layerNorm(graph, `${name}.ln_1`, x, hidden);
  const project = (part: string, perm: number[]): string =>
    graph.node(
      'Transpose',
      [graph.node('Reshape', [linear(part, normed, hidden, hidden), graph.integers([0, 0, heads, perHead])])],
      { perm },
    );
  const query = project('self_attention.q', [0, 2, 1, 3]);
  const key = project('self_attention.k', [0, 2, 3, 1]);
  const value = project('self_attention.v', [0, 2, 1, 3]);
  graph.countMacs(at => 2 * at.batch * tokens * tokens * hidden);
  const scores = graph.node('Div', [graph.node('MatMul', [query, key]), graph.scalar(Math.sqrt(perHead))]);
  const mixed = graph.node('MatMul', [graph.node('Softmax', [scores], { axis: -1 }), value]);
  const merged = graph.node('Reshape', [
    graph.node('Transpose', [mixed], { perm: [0, 2, 1, 3] }),
    graph.integers([0, 0, hidden]),
  ]);
  const attended = graph.node('Add', [x, linear('self_attention.out_proj', merged, hidden, hidden, branch)]);
  const inner = graph.node(
    'Gelu',
    [linear('mlp.0', layerNorm(graph, `${name}.ln_2`, attended, hidden), hidden, feedForward)],
    {
      approximate: 'none',
    },
  );
  return graph.node('Add', [attended, linear('mlp.3', inner, feedForward, hidden, branch)]);
}

function layerNorm(graph: GraphBuilder, name: string, x: string, hidden: number): string {
  const gain = graph.weight(`${name}.weight`, [hidden], 0.05, 1);
  const shift = graph.weight(`${name}.bias`, [hidden], 0.02);
  return graph.node('LayerNormalization', [x, gain, shift], { axis: -1, epsilon: { float: 1e-6 } });
}

/** Image, live activations of a layer and attention scores. Bytes. */
export function vitWorkingBytes({ hidden, heads, feedForward, patch }: VitConfig, { batch }: WorkPoint): number {
  const tokens = (IMAGE / patch) ** 2 + 1;
  return 4 * batch * (3 * IMAGE * IMAGE + tokens * (6 * hidden + 2 * feedForward + 3 * heads * tokens));
}
