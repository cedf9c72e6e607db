/**
 * Static int8 (QDQ): uint8 activations whose ranges were calibrated beforehand, int8 weights with a scale per output, written
 * as QuantizeLinear/DequantizeLinear pairs, which the runtime turns into integer operators where it can.
 *
 * A convolution's bias has the scale of input times weight: with any other, ONNX Runtime leaves the convolution in float and
 * does not say so.
 */
import { create } from '@bufbuild/protobuf';
import { type NodeProto, NodeProtoSchema } from 'onnx-buf';
import type { GraphBuilder, Initializer } from '../graph-builder.ts';
import { int8Weight, quantiseRows } from './dynamic-int8.ts';
import { consumersOf, foldBatchNorm } from './fold-batch-norm.ts';
import {
  asLinear,
  floatsOf,
  type InitializersByName,
  initializersOf,
  type Linear,
  lazily,
  rewrite,
  shared,
} from './rewrite.ts';

/** Smallest and largest value of each tensor. */
export type Ranges = ReadonlyMap<string, readonly [number, number]>;

export interface StaticInt8 {
  /** The quantised model. Its weights cannot be made before `ranges` has been filled. */
  graph: GraphBuilder;
  /** The fp32 model with the extremes of every tensor that is quantised as outputs, `<tensor>.min` and `<tensor>.max`. */
  calibration: GraphBuilder;
  tensors: readonly string[];
}

/** Operators that hand quantised values on. */
const CARRIERS = new Set(['Add', 'MaxPool', 'GlobalAveragePool', 'Flatten', 'Concat']);

/** @param ranges asked when the weights are written */
export function toStaticInt8(fp32: GraphBuilder, ranges: Ranges): StaticInt8 {
  const source = foldBatchNorm(fp32);
  const pass = new QdqPass(source, ranges);
  const graph = rewrite(source, (node, target, initializers) => pass.replace(node, target, initializers));
  return { graph, calibration: calibrationGraph(source, [...pass.tensors]), tensors: [...pass.tensors] };
}

class QdqPass {
  /** Tensors of the fp32 graph whose ranges are needed. */
  readonly tensors = new Set<string>();
  readonly #ranges: Ranges;
  readonly #consumers: Map<string, NodeProto[]>;
  readonly #initializers: InitializersByName;
  /** Tensors that come from integer operators. */
  readonly #integer = new Set<string>();
  readonly #pairs = new Map<string, { value: string; scale: () => number }>();
  /** A Relu's output is its input clipped by the range: the node goes, its range stays. */
  readonly #renamed = new Map<string, string>();

  constructor(source: GraphBuilder, ranges: Ranges) {
    this.#ranges = ranges;
    this.#consumers = consumersOf(source.nodes);
    this.#initializers = initializersOf(source);
  }

  replace(node: NodeProto, target: GraphBuilder, initializers: InitializersByName): boolean {
    const output = node.output[0] ?? '';
    const linear = asLinear(node, initializers);
    if (linear !== null) {
      this.#product(linear, target);
      return true;
    }
    const weight = initializers.get(node.input[1] ?? '');
    if (node.opType === 'Conv' && weight !== undefined) {
      this.#convolution(node, weight, target);
      return true;
    }
    if (node.opType === 'Relu' && this.#renamed.has(output)) return true;
    const activations = node.input.filter(name => !this.#initializers.has(name));
    if (!CARRIERS.has(node.opType) || !activations.every(name => this.#integer.has(name))) return false;
    const input = node.input.map(name => (this.#initializers.has(name) ? name : this.#quantised(name, target).value));
    target.nodes.push(create(NodeProtoSchema, { ...node, input, output: [this.#produced(output)] }));
    return true;
  }

  /**
   * A bias stays within the product: MatMul and Add would be fused to a Gemm whose output is not quantised, and so in float.
   */
  #product(linear: Linear, target: GraphBuilder): void {
    const { weight, scale, make } = int8Weight(linear, target);
    const activation = this.#quantised(linear.input, target);
    const inputs = [
      activation.value,
      target.node('DequantizeLinear', [weight, scale, zeros(target, 'int8', linear.n)], { axis: 1 }),
    ];
    const bias = this.#initializers.get(linear.bias ?? '');
    if (bias !== undefined) inputs.push(this.#bias(bias, activation.scale, make, target));
    target.node(bias === undefined ? 'MatMul' : 'Gemm', inputs, {}, { outputs: [linear.output] });
  }

  #convolution(node: NodeProto, weight: Initializer, target: GraphBuilder): void {
    const [input = '', name = '', biasName] = node.input;
    const channels = weight.dims[0] ?? 0;
    const make = (): { values: Int8Array; scales: Float32Array } => quantiseRows(floatsOf(weight), channels);
    const quantised = shared(make);
    const activation = this.#quantised(input, target);
    const inputs = [
      activation.value,
      target.node(
        'DequantizeLinear',
        [
          target.tensor(
            `${name}.int8`,
            'int8',
            weight.dims,
            lazily(() => quantised().values),
          ),
          target.tensor(
            `${name}.scale`,
            'float32',
            [channels],
            lazily(() => quantised().scales),
          ),
          zeros(target, 'int8', channels),
        ],
        { axis: 0 },
      ),
    ];
    const bias = this.#initializers.get(biasName ?? '');
    if (bias !== undefined) inputs.push(this.#bias(bias, activation.scale, make, target));
    target.nodes.push(
      create(NodeProtoSchema, { ...node, input: inputs, output: [this.#produced(node.output[0] ?? '')] }),
    );
  }

  #bias(
    bias: Initializer,
    activationScale: () => number,
    weights: () => { scales: Float32Array },
    target: GraphBuilder,
  ): string {
    const scaled = shared(() => {
      const scales = weights().scales.map(scale => Math.fround(Math.fround(activationScale()) * scale));
      return { scales, values: Int32Array.from(floatsOf(bias), (value, i) => Math.round(value / (scales[i] ?? 1))) };
    });
    const { dims, name } = bias;
    return target.node(
      'DequantizeLinear',
      [
        target.tensor(
          `${name}.int32`,
          'int32',
          dims,
          lazily(() => scaled().values),
        ),
        target.tensor(
          `${name}.scale`,
          'float32',
          dims,
          lazily(() => scaled().scales),
        ),
        zeros(target, 'int32', dims[0] ?? 0),
      ],
      { axis: 0 },
    );
  }

  /** An integer operator's output; where a Relu alone follows, the Relu's. */
  #produced(output: string): string {
    const [next, ...others] = this.#consumers.get(output) ?? [];
    const relu = next?.opType === 'Relu' && others.length === 0 ? next.output[0] : undefined;
    if (relu !== undefined) this.#renamed.set(relu, output);
    this.#integer.add(relu ?? output);
    return relu ?? output;
  }

  /** The tensor behind a QuantizeLinear and a DequantizeLinear, which all its consumers share. */
  #quantised(tensor: string, target: GraphBuilder): { value: string; scale: () => number } {
    const known = this.#pairs.get(tensor);
    if (known !== undefined) return known;
    this.tensors.add(tensor);
    const parameters = (): { scale: number; zeroPoint: number } => {
      const range = this.#ranges.get(tensor);
      if (range === undefined) throw new Error(`${tensor} was not calibrated`);
      return affine(...range);
    };
    const scale = target.tensor(
      `${tensor}.q.scale`,
      'float32',
      [],
      lazily(() => Float32Array.of(parameters().scale)),
    );
    const zero = target.tensor(
      `${tensor}.q.zero`,
      'uint8',
      [],
      lazily(() => Uint8Array.of(parameters().zeroPoint)),
    );
    const integer = target.node('QuantizeLinear', [tensor, scale, zero]);
    const pair = {
      value: target.node('DequantizeLinear', [integer, scale, zero]),
      scale: () => parameters().scale,
    };
    this.#pairs.set(tensor, pair);
    return pair;
  }
}

/**
 * Scale and zero point of uint8 over a range. The scale is rounded up to two digits, so that two machines whose calibrations
 * differ in the last bits make the same file.
 */
export function affine(low: number, high: number): { scale: number; zeroPoint: number } {
  const least = Math.min(0, low);
  const raw = Math.max(1e-9, (Math.max(0, high) - least) / 255);
  const digit = 10 ** (Math.floor(Math.log10(raw)) - 1);
  const scale = Math.fround(Math.ceil(raw / digit - 1e-6) * digit);
  return { scale, zeroPoint: Math.min(255, Math.round(Math.abs(least) / scale)) };
}

function zeros(target: GraphBuilder, type: 'int8' | 'int32', count: number): string {
  const name = `zeros.${type}.${count}`;
  if (target.has(name)) return name;
  return target.tensor(
    name,
    type,
    [count],
    lazily(() => new (type === 'int8' ? Int8Array : Int32Array)(count)),
  );
}

function calibrationGraph(source: GraphBuilder, tensors: readonly string[]): GraphBuilder {
  const graph = source.derive();
  graph.nodes.push(...source.nodes);
  graph.initializers.push(...source.initializers);
  graph.outputs.splice(0);
  for (const tensor of tensors) {
    for (const [op, end] of [
      ['ReduceMin', 'min'],
      ['ReduceMax', 'max'],
    ] as const) {
      graph.node(op, [tensor], { keepdims: 0 }, { outputs: [`${tensor}.${end}`] });
      graph.output(`${tensor}.${end}`, 'float32', []);
    }
  }
  return graph;
}
