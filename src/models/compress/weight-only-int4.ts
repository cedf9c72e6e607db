/**
 * Weight-only int4: blocks of 32 weights along the inner dimension share an fp32 scale (com.microsoft.MatMulNBits). Symmetric,
 * zero at 8. Activations are fp32, and may be int8 inside the kernel (accuracy_level 4, which ONNX Runtime's own tool sets).
 */
import type { GraphBuilder } from '../graph-builder.ts';
import { asLinear, lazily, outputRows, rewrite, shared } from './rewrite.ts';

const BLOCK = 32;

export function toWeightOnlyInt4(source: GraphBuilder): GraphBuilder {
  return rewrite(source, (node, target, initializers) => {
    const linear = asLinear(node, initializers);
    if (linear === null || linear.k % BLOCK !== 0) return false;
    const { n, k, bias, output, weight } = linear;
    const blocks = k / BLOCK;
    const packed = shared(() => packBlocks(outputRows(linear)));
    const inputs = [
      linear.input,
      target.tensor(
        `${weight.name}.int4`,
        'uint8',
        [n, blocks, BLOCK / 2],
        lazily(() => packed().nibbles),
      ),
      target.tensor(
        `${weight.name}.scale`,
        'float32',
        [n * blocks],
        lazily(() => packed().scales),
      ),
    ];
    const product = target.node(
      'MatMulNBits',
      inputs,
      { K: k, N: n, bits: 4, block_size: BLOCK, accuracy_level: 4 },
      { domain: 'com.microsoft', outputs: [bias === null ? output : `${output}.product`] },
    );
    if (bias !== null) target.node('Add', [product, bias], {}, { outputs: [output] });
    return true;
  }).withContribOps();
}

/** Rows of weights to nibbles, the lower one first, and a scale per block. */
export function packBlocks(values: Float32Array): { nibbles: Uint8Array; scales: Float32Array } {
  const scales = new Float32Array(values.length / BLOCK);
  const nibbles = new Uint8Array(values.length / 2);
  for (let block = 0; block < scales.length; block++) {
    const start = block * BLOCK;
    let extreme = 0;
    for (let i = start; i < start + BLOCK; i++) {
      if (Math.abs(values[i] ?? 0) > Math.abs(extreme)) extreme = values[i] ?? 0;
    }
    // The largest weight becomes -8: the one code that has no opposite is used.
    const scale = Math.fround(extreme / -8);
    scales[block] = scale;
    const code = (i: number): number =>
      scale === 0 ? 8 : Math.min(15, Math.max(0, Math.round((values[i] ?? 0) / scale) + 8));
    for (let i = start; i < start + BLOCK; i += 2) nibbles[i / 2] = code(i) | (code(i + 1) << 4);
  }
  return { nibbles, scales };
}
