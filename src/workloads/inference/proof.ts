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
  /** Types of the inputs that are no constants: a prepacked weight is not among them. */
  inputTypes: string[];
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
  const sum = (of: readonly ExecutedNode[]): number => of.reduce((total, { seconds }) => total + seconds, 0);
  const total = sum(nodes);
  const seconds = sum(elsewhere);
  const names = new Set(elsewhere.map(({ name }) => name));
  return { nodes: names.size, seconds, share: total === 0 ? 0 : seconds / total };
}

/** Operators that multiply by weights, and how many inputs they have when the weights are not among them. */
const PRODUCTS = new Map([
  ['MatMul', 1],
  ['FusedMatMul', 1],
  ['Gemm', 2],
  ['FusedGemm', 2],
  ['Conv', 2],
  ['FusedConv', 3],
  ['NhwcConv', 2],
  ['ConvTranspose', 2],
  ['MoE', Number.POSITIVE_INFINITY],
]);
const INTEGER =
  /^(QLinear(Conv|MatMul)|QGemm|DynamicQuantizeMatMul|MatMulInteger|MatMulIntegerToFloat|ConvInteger|QMoE)/;

/** The precision in which a node multiplied by weights, or null where it does no such thing. */
export function executedPrecision({ op, inputTypes }: ExecutedNode): 'fp32' | 'fp16' | 'bf16' | 'int8' | 'int4' | null {
  if (op.startsWith('MatMulNBits') || op.startsWith('MatMulBnb4')) return 'int4';
  if (INTEGER.test(op)) return 'int8';
  const most = PRODUCTS.get(op);
  // Products of two activations (attention) show both: they are no weights.
  if (most === undefined || inputTypes.length > most) return null;
  if (inputTypes[0] === 'float16') return 'fp16';
  return inputTypes[0] === 'bfloat16' ? 'bf16' : 'fp32';
}

export interface PrecisionProof {
  /** `int8 98.2 %, fp32 1.8 %` of the time in products with weights; empty where there are none. */
  text: string;
  /** Share of that time in the precision that was asked for, 0 to 1; null without products. */
  share: number | null;
}

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
  };
}
