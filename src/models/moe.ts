/**
 * One mixture-of-experts block in the shape of Mixtral's: a router takes the best 2 of 8 experts per token, each a SwiGLU
 * feed-forward. Jiang et al. 2024, arXiv:2401.04088. Only the chosen experts compute: tokens are gathered per expert and their
 * results added back, with standard operators.
 */
import { GraphBuilder, type WorkPoint } from './graph-builder.ts';
import { Random } from './random.ts';
import { float32, type NamedTensors } from './tensor.ts';

export interface MoeConfig {
  hidden: number;
  feedForward: number;
  experts: number;
  /** Experts that a token goes to. */
  chosen: number;
}

/** A quarter of Mixtral 8x7B's widths, which are 4096 and 14336. */
export const MOE_BLOCK: MoeConfig = { hidden: 1024, feedForward: 3584, experts: 8, chosen: 2 };

export function buildMoe(config: MoeConfig): GraphBuilder {
  const { hidden, feedForward, experts, chosen } = config;
  const graph = new GraphBuilder('moe', { seed: 8 });
  const input = graph.input('input', 'float32', ['batch', 'sequence', hidden]);
  const x = graph.node('Reshape', [input, graph.integers([-1, hidden])]);
  graph.countMacs(at => at.batch * at.sequence * hidden * (experts + 3 * chosen * feedForward));
  const gate = graph.node('MatMul', [x, graph.weight('gate.weight', [hidden, experts], 1 / Math.sqrt(hidden))]);
  const [scores, indices] = ['gate.scores', 'gate.indices'];
  graph.node('TopK', [gate, graph.integers([chosen])], { axis: -1 }, { outputs: [scores, indices] });
  // Softmax over the chosen ones, as Mixtral has it.
  const shares = graph.node('Softmax', [scores], { axis: -1 });
  let sum = graph.node('Mul', [x, graph.scalar(0)]);
  for (let expert = 0; expert < experts; expert++) {
    sum = addExpert(graph, config, expert, { x, shares, indices, sum });
  }
  const rows = graph.node('Reshape', [sum, graph.node('Shape', [input])]);
  graph.node('Gather', [rows, graph.index(-1)], { axis: 1 }, { outputs: ['output'] });
  graph.output('output', 'float32', ['batch', hidden]);
  return graph;
}

interface Routed {
  x: string;
  shares: string;
  indices: string;
  sum: string;
}

function addExpert(graph: GraphBuilder, config: MoeConfig, expert: number, routed: Routed): string {
  const { hidden, feedForward } = config;
  const name = `experts.${expert}`;
  const mine = graph.node('Cast', [graph.node('Equal', [routed.indices, graph.integers([expert])])], { to: 1 });
  // Share of the expert in each token, 0 where it was not chosen: [tokens, 1].
  const share = graph.node('ReduceSum', [graph.node('Mul', [routed.shares, mine]), graph.integers([1])], {
    keepdims: 1,
  });
  const chosen = graph.node('ReduceSum', [mine, graph.integers([1])], { keepdims: 0 });
  const tokens = graph.node('Reshape', [graph.node('NonZero', [chosen]), graph.integers([-1])]);
  const given = graph.node('Gather', [routed.x, tokens], { axis: 0 });
  const linear = (part: string, from: string, inner: number, width: number): string =>
    graph.node('MatMul', [from, graph.weight(`${name}.${part}.weight`, [inner, width], 1 / Math.sqrt(inner))]);
  const gate = linear('w1', given, hidden, feedForward);
  const silu = graph.node('Mul', [gate, graph.node('Sigmoid', [gate])]);
  const product = graph.node('Mul', [silu, linear('w3', given, hidden, feedForward)]);
  const weighted = graph.node('Mul', [
    linear('w2', product, feedForward, hidden),
    graph.node('Gather', [share, tokens], { axis: 0 }),
  ]);
  const places = graph.node('Reshape', [tokens, graph.integers([-1, 1])]);
  return graph.node('ScatterND', [routed.sum, places, weighted], { reduction: 'add' });
}

export function moeInputs({ hidden }: MoeConfig, batch: number, sequence: number, seed: number): NamedTensors {
  const count = batch * sequence * hidden;
  return { input: float32([batch, sequence, hidden], new Random(seed).fill(new Float32Array(count), 1)) };
}

/** Every token in two experts: inputs, sums and the wide layers. Bytes. */
export function moeWorkingBytes({ hidden, feedForward, chosen }: MoeConfig, { batch, sequence }: WorkPoint): number {
  return 4 * batch * sequence * (4 * hidden + chosen * (2 * hidden + 4 * feedForward));
}
