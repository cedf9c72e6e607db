import { describe, expect, it } from 'vitest';
import { compareRows } from '../../../../src/workloads/inference/fidelity.ts';
import {
  type ExecutedNode,
  executedPrecision,
  fallbackShare,
  provePrecision,
  readProfile,
  shares,
  shareText,
} from '../../../../src/workloads/inference/proof.ts';
import { judge } from '../../../../src/workloads/inference/prove-session.ts';

const CPU = 'CPUExecutionProvider';
const node = (given: Partial<ExecutedNode>): ExecutedNode => ({
  name: given.op ?? 'n',
  provider: CPU,
  op: 'MatMul',
  inputTypes: ['float'],
  // As in attention: a product of two such is one of activations.
  inputRanks: (given.inputTypes ?? ['float']).map(() => 3),
  seconds: 1,
  ...given,
});
const asked = { precision: 'fp32', model: 'm' } as const;

// Events as ONNX Runtime 1.30.0 writes them.
const PROFILE = JSON.stringify([
  { cat: 'Session', pid: 1, tid: 1, dur: 100, ts: 1, ph: 'X', name: 'model_loading_uri', args: {} },
  {
    cat: 'Node',
    pid: 1,
    tid: 1,
    dur: 50,
    ts: 11077,
    ph: 'X',
    name: 'fused Gemm.0_kernel_time',
    args: {
      op_name: 'FusedGemm',
      parameter_size: '128',
      output_type_shape: [{ float: [1, 32] }],
      input_type_shape: [{ float: [1, 16] }, { float: [32] }],
      provider: CPU,
      node_index: '3',
    },
  },
  { cat: 'Node', dur: 3, ts: 1, ph: 'X', name: 'fence', args: { op_name: 'FusedGemm' } },
]);

describe('readProfile', () => {
  it('takes the executed nodes and nothing else', () => {
    expect(readProfile(PROFILE)).toEqual([
      {
        name: 'fused Gemm.0_kernel_time',
        provider: CPU,
        op: 'FusedGemm',
        inputTypes: ['float', 'float'],
        inputRanks: [2, 1],
        seconds: 50e-6,
      },
    ]);
  });

  it('refuses what is no profile', () => {
    expect(() => readProfile('{"a": 1}')).toThrow();
  });
});

describe('executedPrecision', () => {
  it.each<[string, string[], string | null]>([
    ['MatMul', ['float'], 'fp32'],
    ['MatMul', ['float', 'float'], null],
    ['FusedGemm', ['float', 'float'], 'fp32'],
    ['Conv', ['float16', 'float16'], 'fp16'],
    // In NCHWc, which is how most convolutions run on a CPU: input, reordered weights, bias, and a sum that is fused in.
    ['Conv', ['float', 'float', 'float', 'float'], 'fp32'],
    ['NhwcFusedConv', ['float16', 'float16', 'float16', 'float16'], 'fp16'],
    ['Gemm', ['float16', 'float16', 'float16'], 'fp16'],
    ['LSTM', ['float', 'float'], 'fp32'],
    ['QLinearConv', ['uint8'], 'int8'],
    ['DynamicQuantizeMatMul', ['float', 'float', 'float'], 'int8'],
    ['MatMulIntegerToFloat', ['uint8', 'float'], 'int8'],
    ['QGemm', ['uint8'], 'int8'],
    ['MatMulNBits', ['float', 'float'], 'int4'],
    ['Softmax', ['float'], null],
    ['Cast', ['float16'], null],
  ])('%s on %j: %s', (op, inputTypes, expected) => {
    expect(executedPrecision(node({ op, inputTypes }))).toBe(expected);
  });

  it.each<[string, number[], string | null]>([
    ['MatMul', [3, 2], 'fp16'],
    ['FusedMatMul', [4, 4], null],
    ['Attention', [3, 2, 1], 'fp16'],
    ['Attention', [4, 4, 4], null],
  ])('%s on ranks %j, as a device shows them that packs no weights away: %s', (op, inputRanks, expected) => {
    const inputTypes = inputRanks.map(() => 'float16');
    expect(executedPrecision(node({ op, inputTypes, inputRanks }))).toBe(expected);
  });
});

describe('judge', () => {
  const mixed = [
    node({ name: 'a', provider: 'CUDAExecutionProvider', seconds: 3 }),
    node({ name: 'a', provider: 'CUDAExecutionProvider', seconds: 3 }),
    node({ name: 'b', op: 'Hardmax', seconds: 2 }),
  ];

  it('is invalid where nodes ran on the CPU, unless the suite allows it; the share is there in both cases', () => {
    const { facts, invalid } = judge(mixed, { device: 'cuda' }, asked);
    expect(facts).toMatchObject({
      executedNodes: 2,
      providers: 'CUDAExecutionProvider 1 nodes 75.0 %, CPUExecutionProvider 1 nodes 25.0 %',
      cpuFallbackNodes: 1,
      cpuFallbackShare: 0.25,
    });
    expect(invalid).toMatchObject({ reason: '1 nodes, 25.0 % of the time, ran on the CPU and not on cuda.' });
    const allowed = judge(mixed, { device: 'cuda' }, { ...asked, cpuFallback: 'allow' });
    expect(allowed.invalid).toBeUndefined();
    expect(allowed.facts).toEqual(facts);
  });

  it('is valid where all ran where it should', () => {
    expect(judge(mixed.slice(0, 2), { device: 'cuda' }, asked).invalid).toBeUndefined();
    expect(judge([node({})], { device: 'cpu' }, asked).invalid).toBeUndefined();
  });

  it('names a precision that silently ran as another: casts inserted, QDQ left in float', () => {
    const half = [node({ name: 'c', op: 'Cast', inputTypes: ['float16'] }), node({ name: 'c', op: 'Cast' }), node({})];
    expect(judge(half, { device: 'cpu' }, { ...asked, precision: 'fp16' }).invalid?.reason).toBe(
      'm was asked for in fp16 and ran in another precision: fp32 100.0 % of the time in products with weights, beside 1 Cast nodes.',
    );
    const qdq = [node({ op: 'Conv', seconds: 9 }), node({ op: 'QLinearConv', seconds: 1 })];
    const left = judge(qdq, { device: 'cpu' }, { ...asked, precision: 'int8-qdq' });
    expect(left.facts.executedPrecision).toBe('fp32 90.0 %, int8 10.0 %');
    expect(left.invalid?.reason).toContain('fp32 90.0 %, int8 10.0 %');
    const whole = judge([node({ op: 'QLinearConv' })], { device: 'cpu' }, { ...asked, precision: 'int8-qdq' });
    expect(whole.invalid).toBeUndefined();
    expect(whole.warnings).toEqual([]);
    // fp32 is asked of our own models; a file of the user's runs as it is.
    const bf16 = [node({ inputTypes: ['bfloat16'] })];
    expect(judge(bf16, { device: 'cpu' }, { ...asked, model: 'mlp-tiny' }).invalid?.reason).toContain('bf16 100.0 %');
    expect(judge(bf16, { device: 'cpu' }, asked).invalid).toBeUndefined();
  });

  it('is not taken in by a small product in the right precision beside convolutions in another', () => {
    const convolution = node({ op: 'Conv', inputTypes: ['float', 'float', 'float'], seconds: 99 });
    const { invalid } = judge(
      [convolution, node({ op: 'QGemm', seconds: 1 })],
      { device: 'cpu' },
      { ...asked, precision: 'int8-qdq' },
    );
    expect(invalid?.reason).toContain('fp32 99.0 %, int8 1.0 %');
  });

  it('warns of a mixture, and where kernels do not show what they multiply in', () => {
    const codes = (nodes: ExecutedNode[], precision: 'fp16' | 'fp32', device: 'cpu' | 'tensorrt', model = 'm') => {
      const { warnings, invalid } = judge(nodes, { device }, { precision, model });
      expect(invalid).toBeUndefined();
      return warnings.map(({ code }) => code);
    };
    const half = node({ inputTypes: ['float16'], seconds: 6 });
    expect(codes([half, node({ seconds: 4 })], 'fp16', 'cpu')).toEqual(['PRECISION_MIXED']);
    expect(codes([half], 'fp16', 'cpu')).toEqual([]);
    const provider = 'TensorrtExecutionProvider';
    const kernel = node({ op: 'TRTKernel_graph_main_17_0', provider, seconds: 9 });
    expect(codes([kernel], 'fp16', 'tensorrt')).toEqual(['PRECISION_UNPROVED']);
    // A product beside it proves nothing of it.
    expect(codes([kernel, node({ provider })], 'fp32', 'tensorrt')).toEqual(['PRECISION_UNPROVED']);
    // A file of the user's that multiplies by nothing.
    expect(codes([node({ op: 'Relu' })], 'fp32', 'cpu')).toEqual([]);
    expect(codes([node({ op: 'Relu' })], 'fp32', 'cpu', 'mlp-tiny')).toEqual(['PRECISION_UNPROVED']);
  });
});

describe('shares', () => {
  it('counts a node once however often it ran, and all of its time', () => {
    const groups = shares([node({ name: 'a' }), node({ name: 'a' }), node({ name: 'b', op: 'Relu' })], one => one.op);
    expect(shareText(groups)).toBe('MatMul 1 nodes 66.7 %, Relu 1 nodes 33.3 %');
    expect(fallbackShare([], CPU)).toEqual({ nodes: 0, seconds: 0, share: 0 });
    expect(provePrecision([], 'int4')).toEqual({ text: '', share: null, opaqueShare: 0 });
  });
});

describe('compareRows', () => {
  const tensor = (...data: number[]) => ({ type: 'float32', dims: [2, 2], data: Float32Array.from(data) });

  it('gives cosine, largest error over the scale, and whether the top is the same, row by row', () => {
    expect(compareRows(tensor(3, 4, 1, 0), tensor(3, 4, 0, 1))).toEqual([
      { cosine: 1, maxError: 0, sameTop: true },
      { cosine: 0, maxError: expect.closeTo(Math.SQRT2, 12), sameTop: false },
    ]);
  });
});
