/** A two-layer perceptron of a few kilobytes: starts at once, for smoke tests and for the overhead of a call. */
import { GraphBuilder } from './graph-builder.ts';
import { Random } from './random.ts';
import { float32, type NamedTensors } from './tensor.ts';

export interface MlpConfig {
  inputs: number;
  hidden: number;
  outputs: number;
}

export const MLP_TINY: MlpConfig = { inputs: 16, hidden: 32, outputs: 8 };

/** y = W2·max(0, W1·x + b1) + b2, weights [out, in] as torch.nn.Linear keeps them. */
export function buildMlp({ inputs, hidden, outputs }: MlpConfig): GraphBuilder {
  const graph = new GraphBuilder('mlp', { seed: 101 });
  const linear = (x: string, name: string, from: number, to: number, output?: string): string => {
    graph.countMacs(at => at.batch * from * to);
    const weight = graph.weight(`${name}.weight`, [to, from], 1 / Math.sqrt(from));
    const bias = graph.weight(`${name}.bias`, [to], 0.1);
    return graph.node('Gemm', [x, weight, bias], { transB: 1 }, output === undefined ? {} : { outputs: [output] });
  };
  const x = graph.input('input', 'float32', ['batch', inputs]);
  linear(graph.node('Relu', [linear(x, 'fc1', inputs, hidden)]), 'fc2', hidden, outputs, 'output');
  graph.output('output', 'float32', ['batch', outputs]);
  return graph;
}

export function mlpInputs(config: MlpConfig, batch: number, seed: number): NamedTensors {
  const dims = [batch, config.inputs];
  return { input: float32(dims, new Random(seed).fill(new Float32Array(batch * config.inputs), 1)) };
}
