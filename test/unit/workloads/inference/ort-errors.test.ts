import { describe, expect, it } from 'vitest';
import { AibenchError } from '../../../../src/errors.ts';
import { essentialSentence, ortError } from '../../../../src/workloads/inference/ort-errors.ts';

// Messages as ONNX Runtime 1.30.0 gives them.
describe('ortError', () => {
  it.each<[string, string, string]>([
    [
      'Load model from ./m.onnx failed:This is an invalid model. In Node, ("NotAnOp.0", NotAnOp, "", -1) : ("x": tensor(float),) -> ("y": tensor(float),) , Error No Op registered for NotAnOp with domain_version of 21',
      'MODEL_UNSUPPORTED',
      'm uses an operator that this ONNX Runtime does not know: In Node, ("NotAnOp.0", NotAnOp, "", -1) : ("x": tensor(float),) -> ("y": tensor(float),): No Op registered for NotAnOp with domain_version of 21.',
    ],
    [
      'Load model from ./m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model_load_utils.h:46 void onnxruntime::model_load_utils::ValidateOpsetForDomain(const std::unordered_map<std::__cxx11::basic_string<char>, int>&, const onnxruntime::logging::Logger&, bool, const std::string&, int) ONNX Runtime only *guarantees* support for models stamped with official released onnx opset versions. Opset 99 is under development and support for this is limited. The operator schemas and or other functionality may change before next ONNX release and in this case ONNX Runtime will not guarantee backward compatibility. Current official support for domain ai.onnx is till opset 26.\n',
      'MODEL_UNSUPPORTED',
      'm is of opset 99, which this ONNX Runtime does not take.',
    ],
    [
      'Load model from ./m.onnx failed:/onnxruntime_src/onnxruntime/core/graph/model.cc:202 onnxruntime::Model::Model(onnx::ModelProto&&, const onnxruntime::PathString&, const onnxruntime::IOnnxRuntimeOpSchemaRegistryList*, const onnxruntime::logging::Logger&, const onnxruntime::ModelOptions&) Unsupported model IR version: 99, max supported IR version: 13\n',
      'MODEL_UNSUPPORTED',
      'm is of a version that this ONNX Runtime does not take: Unsupported model IR version: 99, max supported IR version: 13.',
    ],
    [
      "Load model from ./m.onnx failed:This is an invalid model. Type Error: Type 'tensor(int32)' of input parameter (x) of operator (Erf) in node (Erf.0) is invalid.",
      'MODEL_INVALID',
      "m is not a valid model: Type Error: Type 'tensor(int32)' of input parameter (x) of operator (Erf) in node (Erf.0) is invalid.",
    ],
    [
      'Load model from ./m.onnx failed:Protobuf parsing failed.',
      'MODEL_NOT_ONNX',
      'm is damaged: ONNX Runtime cannot parse it.',
    ],
    [
      '/onnxruntime_src/onnxruntime/core/providers/webgpu/webgpu_context.cc:136 onnxruntime::webgpu::WebGpuContext::Initialize(const onnxruntime::webgpu::WebGpuContextConfig&)::<lambda()> adapter_result.status == wgpu::RequestAdapterStatus::Success was false. Failed to get a WebGPU adapter: No supported adapters.\n',
      'DEVICE_UNAVAILABLE',
      'The device for m cannot be used: Failed to get a WebGPU adapter: No supported adapters.',
    ],
    ['std::bad_alloc', 'MODEL_TOO_LARGE', 'm does not fit in memory.'],
    ['something\n  new', 'ENGINE_FAILURE', 'ONNX Runtime cannot run m: something new.'],
  ])('%.60s…', (raw, code, message) => {
    const error = ortError(new Error(raw), 'm');
    expect(error).toMatchObject({ code, message });
    expect(error.remedy).toMatch(/\w/);
    expect(error.message).not.toContain('\n');
  });

  it('leaves errors alone that are sentences already', () => {
    const error = new AibenchError('X', 'y.', 'z.');
    expect(ortError(error, 'm')).toBe(error);
  });
});

describe('essentialSentence', () => {
  it('cuts what is long and ends in a full stop', () => {
    expect(essentialSentence('a '.repeat(400))).toHaveLength(300);
    expect(essentialSentence('[ONNXRuntimeError] : 1 : FAIL : short')).toBe('short.');
  });
});
