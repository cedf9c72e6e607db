/**
 * Llama-style decoder: RMSNorm, rotary positions, grouped-query attention with a KV cache, SwiGLU. Touvron et al. 2023,
 * arXiv:2302.13971. Attention and normalisation are ONNX Runtime's own operators (com.microsoft), as its model builders
 * export them. Only the last token's logits are computed, as a server does.
 */
import { GraphBuilder, type WorkPoint } from './graph-builder.ts';
import { Random } from './random.ts';
import { float32, int32, int64, type NamedTensors, type TensorValue } from './tensor.ts';

export interface LlamaConfig {
  layers: number;
  hidden: number;
  heads: number;
  /** Fewer than `heads` is grouped-query attention. */
  kvHeads: number;
  feedForward: number;
  vocabulary: number;
  /** Longest prompt and context together. */
  positions: number;
  /** The output projection is the embedding itself. */
  tiedEmbeddings: boolean;
}

/** Shape of llama2.c's stories15M, with two KV heads instead of six. */
export const LLAMA_15M: LlamaConfig = {
  layers: 6,
  hidden: 288,
  heads: 6,
  kvHeads: 2,
  feedForward: 768,
  vocabulary: 32000,
  positions: 2048,
  tiedEmbeddings: true,
};

/** Shape of JackFram/llama-160m: 162,417,408 parameters. */
export const LLAMA_160M: LlamaConfig = {
  layers: 12,
  hidden: 768,
  heads: 12,
  kvHeads: 12,
  feedForward: 3072,
  vocabulary: 32000,
  positions: 2048,
  tiedEmbeddings: false,
};

/** Shape of SmolLM-135M: 134,515,008 parameters, three query heads to a KV head. */
export const SMOLLM_135M: LlamaConfig = {
  layers: 30,
  hidden: 576,
  heads: 9,
  kvHeads: 3,
  feedForward: 1536,
  vocabulary: 49152,
  positions: 2048,
  tiedEmbeddings: true,
};

/** Shape of SmolLM-360M: 361,821,120 parameters. */
export const SMOLLM_360M: LlamaConfig = {
  ...SMOLLM_135M,
  layers: 32,
  hidden: 960,
  heads: 15,
  kvHeads: 5,
  feedForward: 2560,
};

/** Shape of TinyLlama-1.1B: 1,100,048,384 parameters, eight query heads to a KV head; 4.4 GB in fp32. */
export const TINYLLAMA_1B: LlamaConfig = {
  layers: 22,
  hidden: 2048,
  heads: 32,
  kvHeads: 4,
  feedForward: 5632,
  vocabulary: 32000,
  positions: 2048,
  tiedEmbeddings: false,
};

const CONTRIB = 'com.microsoft';
export const EPSILON = 1e-5;
export const ROTARY_BASE = 10000;

export function buildLlama(config: LlamaConfig): GraphBuilder {
  const { layers, hidden, vocabulary } = config;
  const graph = new GraphBuilder('llama', { seed: 160, usesContribOps: true });
  const ids = graph.input('input_ids', 'int64', ['batch', 'sequence']);
  graph.input('seqlens_k', 'int32', ['batch']);
  graph.input('total_sequence_length', 'int32', [1]);
  rotaryTables(graph, config);
  const embeddings = graph.weight('model.embed_tokens.weight', [vocabulary, hidden], 1 / Math.sqrt(hidden));
  let residual = graph.node('Gather', [embeddings, ids]);
  let x = graph.node(
    'SimplifiedLayerNormalization',
    [residual, graph.weight('model.layers.0.input_layernorm.weight', [hidden], 0.05, 1)],
    { axis: -1, epsilon: { float: EPSILON }, stash_type: 1 },
  );
  for (let layer = 0; layer < layers; layer++) {
    const name = `model.layers.${layer}`;
    const attended = attention(graph, config, layer, x);
    [x, residual] = addAndNorm(graph, residual, attended, `${name}.post_attention_layernorm.weight`, hidden);
    const next = layer + 1 < layers ? `model.layers.${layer + 1}.input_layernorm.weight` : 'model.norm.weight';
    [x, residual] = addAndNorm(graph, residual, feedForward(graph, config, name, x), next, hidden);
  }
  outputProjection(graph, config, x, embeddings);
  return graph;
}

/** cos and sin of position x base^(-2i/d), each [positions, head size / 2]. */
function rotaryTables(graph: GraphBuilder, { positions, hidden, heads }: LlamaConfig): void {
  const half = hidden / heads / 2;
  const table = (f: (angle: number) => number) => (): Float32Array =>
    Float32Array.from({ length: positions * half }, (_, index) =>
      f(Math.floor(index / half) * ROTARY_BASE ** (-(index % half) / half)),
    );
  graph.table('cos_cache', [positions, half], table(Math.cos));
  graph.table('sin_cache', [positions, half], table(Math.sin));
}

/** x·W with W as [in, out]; Llama has no biases. */
function linear(graph: GraphBuilder, name: string, x: string, from: number, to: number, gain = 1): string {
  graph.countMacs(at => at.batch * at.sequence * from * to);
  return graph.node('MatMul', [x, graph.weight(`${name}.weight`, [from, to], gain / Math.sqrt(from))]);
}

function attention(graph: GraphBuilder, config: LlamaConfig, layer: number, x: string): string {
  const { hidden, heads, kvHeads } = config;
  const name = `model.layers.${layer}.self_attn`;
  const perHead = hidden / heads;
  const cacheDims = (length: string): (number | string)[] => ['batch', kvHeads, length, perHead];
  const past = ['key', 'value'].map(part =>
    graph.input(`past.${layer}.${part}`, 'float32', cacheDims('past_sequence')),
  );
  const query = linear(graph, `${name}.q_proj`, x, hidden, hidden);
  const key = linear(graph, `${name}.k_proj`, x, hidden, kvHeads * perHead);
  const value = linear(graph, `${name}.v_proj`, x, hidden, kvHeads * perHead);
  // A new token i of a row sees the context and the new tokens up to itself: sequence·context + sequence·(sequence+1)/2.
  graph.countMacs(
    ({ batch, sequence, context }) => 2 * batch * hidden * (sequence * context + (sequence * (sequence + 1)) / 2),
  );
  const attended = graph.node(
    'GroupQueryAttention',
    [query, key, value, ...past, 'seqlens_k', 'total_sequence_length', 'cos_cache', 'sin_cache'],
    {
      num_heads: heads,
      kv_num_heads: kvHeads,
      scale: { float: 1 / Math.sqrt(perHead) },
      do_rotary: 1,
      rotary_interleaved: 0,
    },
    { domain: CONTRIB, outputs: [`attention.${layer}`, `present.${layer}.key`, `present.${layer}.value`] },
  );
  graph.output(`present.${layer}.key`, 'float32', cacheDims('total_sequence'));
  graph.output(`present.${layer}.value`, 'float32', cacheDims('total_sequence'));
  return linear(graph, `${name}.o_proj`, attended, hidden, hidden, branchGain(config));
}

/** down(silu(gate) · up). */
function feedForward(graph: GraphBuilder, config: LlamaConfig, layer: string, x: string): string {
  const { hidden, feedForward: inner } = config;
  const gate = linear(graph, `${layer}.mlp.gate_proj`, x, hidden, inner);
  const up = linear(graph, `${layer}.mlp.up_proj`, x, hidden, inner);
  const silu = graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]);
  const product = graph.node('Mul', [silu, up]);
  return linear(graph, `${layer}.mlp.down_proj`, product, inner, hidden, branchGain(config));
}

/** Keeps the sum of all residual branches in range (GPT-2's 1/sqrt(number of branches)). */
function branchGain({ layers }: LlamaConfig): number {
  return 1 / Math.sqrt(2 * layers);
}

/** Adds a branch to the residual stream and normalises: [normalised, new residual]. */
function addAndNorm(
  graph: GraphBuilder,
  residual: string,
  branch: string,
  weight: string,
  hidden: number,
): [string, string] {
  const sum = `${weight}.residual`;
  const normalised = graph.node(
    'SkipSimplifiedLayerNormalization',
    [residual, branch, graph.weight(weight, [hidden], 0.05, 1)],
    { epsilon: { float: EPSILON } },
    { domain: CONTRIB, outputs: [`${weight}.normalised`, '', '', sum] },
  );
  return [normalised, sum];
}

/** Logits of each row's last token: [batch, vocabulary]. */
function outputProjection(graph: GraphBuilder, config: LlamaConfig, x: string, embeddings: string): void {
  const { hidden, vocabulary, tiedEmbeddings } = config;
  const last = graph.node('Gather', [x, graph.integers([-1])], { axis: 1 });
  const flat = graph.node('Reshape', [last, graph.integers([-1, hidden])]);
  graph.countMacs(at => at.batch * hidden * vocabulary);
  const weight = tiedEmbeddings
    ? embeddings
    : graph.weight('lm_head.weight', [vocabulary, hidden], 1 / Math.sqrt(hidden));
  graph.node('Gemm', [flat, weight], { transB: 1 }, { outputs: ['logits'] });
  graph.output('logits', 'float32', ['batch', vocabulary]);
}

/** `batch` rows of `length` random token ids. */
export function llamaTokens(
  config: Pick<LlamaConfig, 'vocabulary'>,
  batch: number,
  length: number,
  seed: number,
): number[][] {
  const random = new Random(seed);
  return Array.from({ length: batch }, () => Array.from({ length }, () => random.integer(config.vocabulary)));
}

/** Inputs that run whole prompts from an empty KV cache. All rows have the same length. */
export function prefillInputs(config: LlamaConfig, rows: readonly (readonly number[])[]): NamedTensors {
  const perHead = config.hidden / config.heads;
  const empty = float32([rows.length, config.kvHeads, 0, perHead], new Float32Array(0));
  return stepInputs(config, rows, 0, () => empty);
}

/**
 * Inputs that run one more token per row on the cache that an earlier run left in its `present.*` outputs.
 * @param context tokens per row in that cache
 */
export function decodeInputs(
  config: LlamaConfig,
  nextTokens: readonly number[],
  context: number,
  present: NamedTensors,
): NamedTensors {
  const rows = nextTokens.map(token => [token]);
  return stepInputs(config, rows, context, (layer, part) => {
    const tensor = present[`present.${layer}.${part}`];
    if (tensor === undefined) throw new Error(`the prefill run returned no present.${layer}.${part}`);
    return tensor;
  });
}

/** Names of the outputs that hold the KV cache. */
export function presentNames({ layers }: LlamaConfig): string[] {
  return Array.from({ length: layers }, (_, layer) => [`present.${layer}.key`, `present.${layer}.value`]).flat();
}

function stepInputs(
  config: LlamaConfig,
  rows: readonly (readonly number[])[],
  context: number,
  past: (layer: number, part: 'key' | 'value') => TensorValue,
): NamedTensors {
  const length = rows[0]?.length ?? 0;
  const total = context + length;
  const ids = rows.flat();
  const inputs: NamedTensors = {
    input_ids: int64([rows.length, length], index => ids[index] ?? 0),
    // GroupQueryAttention wants the index of the last valid key, not the count.
    seqlens_k: int32(
      [rows.length],
      rows.map(() => total - 1),
    ),
    total_sequence_length: int32([1], [total]),
  };
  for (let layer = 0; layer < config.layers; layer++) {
    inputs[`past.${layer}.key`] = past(layer, 'key');
    inputs[`past.${layer}.value`] = past(layer, 'value');
  }
  return inputs;
}

/** Live activations of one layer, and the KV cache three times: two sets of inputs and the outputs of a run. Bytes. */
export function llamaWorkingBytes(config: LlamaConfig, { batch, sequence, context }: WorkPoint): number {
  const { layers, hidden, heads, kvHeads, feedForward, vocabulary } = config;
  const total = sequence + context;
  const cache = 2 * layers * kvHeads * (hidden / heads) * total;
  const activations = sequence * (6 * hidden + 4 * feedForward + 2 * heads * total);
  return 4 * batch * (3 * cache + activations + vocabulary);
}
