/** Folds each batch normalisation into the convolution before it, which is exact up to rounding. */
import { create } from '@bufbuild/protobuf';
import { type NodeProto, NodeProtoSchema } from 'onnx-buf';
import type { GraphBuilder } from '../graph-builder.ts';
import { floatsOf, type InitializersByName, lazily, rewrite, shared } from './rewrite.ts';

export function foldBatchNorm(source: GraphBuilder): GraphBuilder {
  const consumers = consumersOf(source.nodes);
  const folded = new Set<NodeProto>();
  return rewrite(source, (node, target, initializers) => {
    if (folded.has(node)) return true;
    const [next, ...others] = consumers.get(node.output[0] ?? '') ?? [];
    if (node.opType !== 'Conv' || next?.opType !== 'BatchNormalization' || others.length > 0) return false;
    folded.add(next);
    const [weightName = '', ownBias] = node.input.slice(1);
    const weight = initializers.get(weightName);
    if (weight === undefined) return false;
    const channels = weight.dims[0] ?? 0;
    const make = shared(() => fold(weightName, ownBias, next, initializers));
    const inputs = [
      node.input[0] ?? '',
      target.tensor(
        `${weightName}.folded`,
        'float32',
        weight.dims,
        lazily(() => make().weight),
      ),
      target.tensor(
        `${weightName}.folded.bias`,
        'float32',
        [channels],
        lazily(() => make().bias),
      ),
    ];
    target.nodes.push(create(NodeProtoSchema, { ...node, input: inputs, output: [next.output[0] ?? ''] }));
    return true;
  });
}

export function consumersOf(nodes: readonly NodeProto[]): Map<string, NodeProto[]> {
  const consumers = new Map<string, NodeProto[]>();
  for (const node of nodes) {
    for (const input of node.input) consumers.set(input, [...(consumers.get(input) ?? []), node]);
  }
  return consumers;
}

function fold(
  weightName: string,
  biasName: string | undefined,
  norm: NodeProto,
  initializers: InitializersByName,
): { weight: Float32Array; bias: Float32Array } {
  const read = (name: string | undefined): Float32Array => {
    const initializer = initializers.get(name ?? '');
    if (initializer === undefined) throw new Error(`${norm.name} has no constant ${name}`);
    return floatsOf(initializer);
  };
  const [gain, shift, mean, variance] = norm.input.slice(1).map(read);
  const epsilon = norm.attribute.find(({ name }) => name === 'epsilon')?.f ?? 1e-5;
  const weight = read(weightName);
  const bias = biasName === undefined ? new Float32Array(gain?.length ?? 0) : read(biasName);
  const perChannel = weight.length / bias.length;
  for (let channel = 0; channel < bias.length; channel++) {
    const factor = (gain?.[channel] ?? 1) / Math.sqrt((variance?.[channel] ?? 1) + epsilon);
    for (let i = channel * perChannel; i < (channel + 1) * perChannel; i++) weight[i] = (weight[i] ?? 0) * factor;
    bias[channel] = ((bias[channel] ?? 0) - (mean?.[channel] ?? 0)) * factor + (shift?.[channel] ?? 0);
  }
  return { weight, bias };
}
