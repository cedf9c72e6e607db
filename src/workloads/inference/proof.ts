/** Pure: what a profiled session shows of where each node ran and in which precision. */
import * as z from 'zod';
import type { Precision } from '../../models/variant.ts';

const profileSchema = z.array(
  z.object({
    dur: z.number().optional(),
    name: z.string().optional(),
    args: z
      .object({
        provider: z.string().optional(),
        op_name: z.string().optional(),
        input_type_shape: z.array(z.record(z.string(), z.unknown())).optional(),
      })
      .optional(),
  }),
);

export interface ExecutedNode {
  name: string;
  provider: string;
  op: string;
  /** Types of the inputs; a weight that the CPU provider has packed anew is not among them, others are. */
  inputTypes: string[];
  /** Numbers of dimensions of the same inputs. */
  inputRanks: number[];
  seconds: number;
}

/** The executed nodes of a profile that ONNX Runtime wrote; a node that ran twice is there twice. */
export function readProfile(text: string): ExecutedNode[] {
  return profileSchema.parse(JSON.parse(text)).flatMap(({ args, dur = 0, name = '' }) =>
    args?.provider === undefined || args.op_name === undefined
      ? []
      : [
          {
            name,
            provider: args.provider,
            op: args.op_name,
            inputTypes: (args.input_type_shape ?? []).flatMap(shape => Object.keys(shape)),
            inputRanks: (args.input_type_shape ?? []).flatMap(shape =>
              Object.values(shape).map(dims => (Array.isArray(dims) ? dims.length : 0)),
            ),
            seconds: dur / 1e6,
          },
        ],
  );
}

export interface Share {
  nodes: number;
  seconds: number;
}

/** Distinct nodes and time per key. */
export function shares(nodes: readonly ExecutedNode[], keyOf: (node: ExecutedNode) => string): Map<string, Share> {
  const groups = new Map<string, { names: Set<string>; seconds: number }>();
  for (const node of nodes) {
    const key = keyOf(node);
    const group = groups.get(key) ?? { names: new Set<string>(), seconds: 0 };
    group.names.add(node.name);
    group.seconds += node.seconds;
    groups.set(key, group);
  }
  return new Map([...groups].map(([key, { names, seconds }]) => [key, { nodes: names.size, seconds }]));
}

/** `CPUExecutionProvider 12 nodes 100.0 %, ...`, the largest share of time first. */
export function shareText(groups: ReadonlyMap<string, Share>): string {
  const total = [...groups.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  return [...groups]
    .toSorted(([, a], [, b]) => b.seconds - a.seconds)
    .map(([key, { nodes, seconds }]) => `${key} ${nodes} nodes ${percent(total === 0 ? 0 : seconds / total)}`)
    .join(', ');
}

export function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

/** Share of the time (0 to 1) that nodes ran on other providers than `provider`. */
export function fallbackShare(nodes: readonly ExecutedNode[], provider: string): Share & { share: number } {
  const elsewhere = nodes.filter(node => node.provider !== provider);
  return {
    nodes: new Set(elsewhere.map(({ name }) => name)).size,
    seconds: elsewhere.reduce((total, { seconds }) => total + seconds, 0),
    share: shareOfTime(nodes, node => node.provider !== provider),
  };
}

/** Operators that multiply by weights, whatever else they take in: a bias, or a sum that is fused in. */
const WITH_WEIGHTS = /^(Gemm|FusedGemm|GemmFastGelu|(Nhwc)?(Fused)?Conv(Transpose)?|MoE|LSTM|GRU|RNN)$/;
/** Operators that multiply by weights or by another activation; the rank of what they multiply by says which. */
const MAYBE_WITH_WEIGHTS = /^((Fused|Transpose)?MatMul|MatMulScale|Attention)$/;
const INTEGER =
  /^(QLinear(Conv|MatMul)|QGemm|QAttention|QOrdered(MatMul|Attention)|DynamicQuantize(MatMul|LSTM)|MatMulInteger|ConvInteger|QMoE)/;

/** The precision in which a node multiplied by weights, or null where it does no such thing. */
export function executedPrecision({
  op,
  inputTypes,
  inputRanks,
}: Pick<ExecutedNode, 'op' | 'inputTypes' | 'inputRanks'>): 'fp32' | 'fp16' | 'bf16' | 'fp8' | 'int8' | 'int4' | null {
  if (op.startsWith('MatMulNBits') || op.startsWith('MatMulBnb4') || op === 'MatMulFpQ4') return 'int4';
  if (op === 'GemmFloat8') return 'fp8';
  if (INTEGER.test(op)) return 'int8';
  if (!WITH_WEIGHTS.test(op) && !(MAYBE_WITH_WEIGHTS.test(op) && byWeights(inputRanks))) return null;
  if (inputTypes[0] === 'float16') return 'fp16';
  return inputTypes[0] === 'bfloat16' ? 'bf16' : 'fp32';
}

/** Weights are packed away or a matrix; what attention multiplies has a dimension for rows of the batch too. */
function byWeights(ranks: readonly number[]): boolean {
  return (ranks[1] ?? 0) <= 2;
}

export interface PrecisionProof {
  /** `int8 98.2 %, fp32 1.8 %` of the time in products with weights; empty where there are none. */
  text: string;
  /** Share of that time in the precision that was asked for, 0 to 1; null without products. */
  share: number | null;
  /** Share of all time in kernels that a device made of whole pieces of the graph: what they multiply in, the profile does not show. */
  opaqueShare: number;
}

/** TRTKernel_graph_main_0_0, CoreML_17_0: a piece of the graph, numbered. ONNX operators have no such names. */
const PIECE_OF_GRAPH = /_\d+$/;

/** Whether products with weights ran in the precision that was asked for. */
export function provePrecision(nodes: readonly ExecutedNode[], asked: Precision): PrecisionProof {
  const products = nodes.filter(node => executedPrecision(node) !== null);
  const groups = shares(products, node => executedPrecision(node) ?? '');
  const total = [...groups.values()].reduce((sum, { seconds }) => sum + seconds, 0);
  const wanted = asked.startsWith('int8') ? 'int8' : asked;
  return {
    text: [...groups]
      .toSorted(([, a], [, b]) => b.seconds - a.seconds)
      .map(([key, { seconds }]) => `${key} ${percent(total === 0 ? 0 : seconds / total)}`)
      .join(', '),
    share: total === 0 ? null : (groups.get(wanted)?.seconds ?? 0) / total,
    opaqueShare: shareOfTime(nodes, ({ op }) => PIECE_OF_GRAPH.test(op)),
  };
}

function shareOfTime(nodes: readonly ExecutedNode[], of: (node: ExecutedNode) => boolean): number {
  const sum = (some: readonly ExecutedNode[]): number => some.reduce((total, { seconds }) => total + seconds, 0);
  const total = sum(nodes);
  return total === 0 ? 0 : sum(nodes.filter(of)) / total;
}
