/**
 * BERT encoder with pooler. Devlin et al. 2018, arXiv:1810.04805; bert-base-uncased has 109,482,240 parameters. Positions
 * are an input, so that no shape arithmetic is left in the graph for a device to hand back to the CPU.
 */
import { GraphBuilder, type WorkPoint } from './graph-builder.ts';
import { Random } from './random.ts';
import { int64, type NamedTensors } from './tensor.ts';

export interface BertConfig {
  layers: number;
  hidden: number;
  heads: number;
  feedForward: number;
  vocabulary: number;
  positions: number;
  /** DistilBERT has neither sentence types nor a pooler: its first token's state is the output. */
  distilled?: boolean;
}

export const BERT_BASE: BertConfig = {
  layers: 12,
  hidden: 768,
  heads: 12,
  feedForward: 3072,
  vocabulary: 30522,
  positions: 512,
};

/** DistilBERT, Sanh et al. 2019, arXiv:1910.01108: half the layers, 66,362,880 parameters. */
export const DISTILBERT: BertConfig = { ...BERT_BASE, layers: 6, distilled: true };

const TOKEN_TYPES = 2;
const LAYER_NORM_EPSILON = 1e-12;

export function buildBert(config: BertConfig): GraphBuilder {
  const { layers, hidden } = config;
  const graph = new GraphBuilder('bert', { seed: 12 });
  const ids = graph.input('input_ids', 'int64', ['batch', 'sequence']);
  const mask = graph.input('attention_mask', 'int64', ['batch', 'sequence']);
  const types = config.distilled === true ? null : graph.input('token_type_ids', 'int64', ['batch', 'sequence']);
  const positions = graph.input('position_ids', 'int64', ['batch', 'sequence']);
  const bias = attentionBias(graph, mask);
  let x = embedding(graph, 'embeddings.word_embeddings', config.vocabulary, hidden, ids);
  if (types !== null) {
    const sentences = embedding(graph, 'embeddings.token_type_embeddings', TOKEN_TYPES, hidden, types);
    x = graph.node('Add', [x, sentences]);
  }
  x = graph.node('Add', [x, embedding(graph, 'embeddings.position_embeddings', config.positions, hidden, positions)]);
  x = layerNorm(graph, 'embeddings.LayerNorm', x, hidden);
  for (let layer = 0; layer < layers; layer++) x = encoderLayer(graph, config, `encoder.layer.${layer}`, x, bias);
  graph.node('Identity', [x], {}, { outputs: ['last_hidden_state'] });
  const first = graph.node('Gather', [x, graph.integers([0])], { axis: 1 });
  const state = config.distilled === true ? { outputs: ['first_token'] } : {};
  const flat = graph.node('Reshape', [first, graph.integers([-1, hidden])], {}, state);
  graph.output('last_hidden_state', 'float32', ['batch', 'sequence', hidden]);
  if (config.distilled === true) {
    graph.output('first_token', 'float32', ['batch', hidden]);
    return graph;
  }
  graph.countMacs(at => at.batch * hidden * hidden);
  const pooled = graph.node('Gemm', [
    flat,
    graph.weight('pooler.dense.weight', [hidden, hidden], 1 / Math.sqrt(hidden)),
    graph.weight('pooler.dense.bias', [hidden], 0.02),
  ]);
  graph.node('Tanh', [pooled], {}, { outputs: ['pooler_output'] });
  graph.output('pooler_output', 'float32', ['batch', hidden]);
  return graph;
}

function embedding(graph: GraphBuilder, name: string, rows: number, width: number, ids: string): string {
  return graph.node('Gather', [graph.weight(`${name}.weight`, [rows, width], 0.02), ids]);
}

/** 0 where a token may be seen, -10000 where the mask hides it: [batch, 1, 1, sequence]. */
function attentionBias(graph: GraphBuilder, mask: string): string {
  const float = graph.node('Cast', [mask], { to: 1 });
  const spread = graph.node('Unsqueeze', [float, graph.integers([1, 2])]);
  return graph.node('Mul', [graph.node('Sub', [graph.scalar(1), spread]), graph.scalar(-10000)]);
}

function layerNorm(graph: GraphBuilder, name: string, x: string, hidden: number): string {
  const gain = graph.weight(`${name}.weight`, [hidden], 0.05, 1);
  const shift = graph.weight(`${name}.bias`, [hidden], 0.02);
  return graph.node('LayerNormalization', [x, gain, shift], { axis: -1, epsilon: { float: LAYER_NORM_EPSILON } });
}

/** x·W + b with W as [in, out]. */
function linear(graph: GraphBuilder, name: string, x: string, from: number, to: number): string {
  graph.countMacs(at => at.batch * at.sequence * from * to);
  const weight = graph.weight(`${name}.weight`, [from, to], 1 / Math.sqrt(from));
  return graph.node('Add', [graph.node('MatMul', [x, weight]), graph.weight(`${name}.bias`, [to], 0.02)]);
}

function encoderLayer(graph: GraphBuilder, config: BertConfig, name: string, x: string, bias: string): string {
  const { hidden, feedForward } = config;
  const context = selfAttention(graph, config, `${name}.attention.self`, x, bias);
  const attended = linear(graph, `${name}.attention.output.dense`, context, hidden, hidden);
  const y = layerNorm(graph, `${name}.attention.output.LayerNorm`, graph.node('Add', [x, attended]), hidden);
  const inner = graph.node('Gelu', [linear(graph, `${name}.intermediate.dense`, y, hidden, feedForward)], {
    approximate: 'none',
  });
  const outer = linear(graph, `${name}.output.dense`, inner, feedForward, hidden);
  return layerNorm(graph, `${name}.output.LayerNorm`, graph.node('Add', [y, outer]), hidden);
}

function selfAttention(graph: GraphBuilder, config: BertConfig, name: string, x: string, bias: string): string {
  const { hidden, heads } = config;
  const perHead = hidden / heads;
  const project = (part: string, order: number[]): string => {
    const projected = linear(graph, `${name}.${part}`, x, hidden, hidden);
    return graph.node('Transpose', [graph.node('Reshape', [projected, graph.integers([0, 0, heads, perHead])])], {
      perm: order,
    });
  };
  const query = project('query', [0, 2, 1, 3]);
  const key = project('key', [0, 2, 3, 1]);
  const value = project('value', [0, 2, 1, 3]);
  // Query times key and weights times value, each sequence² x hidden.
  graph.countMacs(at => 2 * at.batch * at.sequence * at.sequence * hidden);
  const scores = graph.node('Div', [graph.node('MatMul', [query, key]), graph.scalar(Math.sqrt(perHead))]);
  const weights = graph.node('Softmax', [graph.node('Add', [scores, bias])], { axis: -1 });
  const mixed = graph.node('Transpose', [graph.node('MatMul', [weights, value])], { perm: [0, 2, 1, 3] });
  return graph.node('Reshape', [mixed, graph.integers([0, 0, hidden])]);
}

/** Random tokens, all visible, the second half of a second sentence. */
export function bertInputs(config: BertConfig, batch: number, sequence: number, seed: number): NamedTensors {
  const random = new Random(seed);
  const dims = [batch, sequence];
  return {
    input_ids: int64(dims, () => random.integer(config.vocabulary)),
    attention_mask: int64(dims, () => 1),
    ...(config.distilled === true
      ? {}
      : { token_type_ids: int64(dims, index => (index % sequence < sequence / 2 ? 0 : 1)) }),
    position_ids: int64(dims, index => index % sequence),
  };
}

/** Live activations of one layer: the hidden states and the wide layer per token, the attention scores per pair. Bytes. */
export function bertWorkingBytes({ hidden, heads, feedForward }: BertConfig, { batch, sequence }: WorkPoint): number {
  return 4 * batch * sequence * (6 * hidden + 2 * feedForward + 3 * heads * sequence);
}
