/** From ONNX Runtime's messages, which name source files and C++ signatures, to one sentence with a remedy. */
import { AibenchError, EXIT, type ExitCode, messageOf } from '../../errors.ts';

interface Rule {
  pattern: RegExp;
  code: string;
  /** 1 unless the machine and not the model is at fault. */
  exitCode?: ExitCode;
  message: (essence: string, what: string) => string;
  remedy: string;
}

const RULES: readonly Rule[] = [
  {
    pattern: /is not a registered|No opset import for domain|No Op registered for/i,
    code: 'MODEL_UNSUPPORTED',
    message: (essence, what) => `${what} uses an operator that this ONNX Runtime does not know: ${essence}`,
    remedy: 'Export the model with standard operators only, or of a newer opset.',
  },
  {
    pattern: /could not find an implementation|NOT_IMPLEMENTED/i,
    code: 'MODEL_UNSUPPORTED',
    message: (essence, what) => `${what} uses an operator that this device cannot run: ${essence}`,
    remedy: 'Use device=cpu, or export the model in fp32.',
  },
  {
    pattern: /opset \d+ is under development/i,
    code: 'MODEL_UNSUPPORTED',
    message: (essence, what) =>
      `${what} is of opset ${/opset (\d+)/i.exec(essence)?.[1]}, which this ONNX Runtime does not take.`,
    remedy: 'Export the model with an older opset (17 to 23 are safe).',
  },
  {
    pattern: /unsupported model IR version|Unknown model file format version/i,
    code: 'MODEL_UNSUPPORTED',
    message: (essence, what) => `${what} is of a version that this ONNX Runtime does not take: ${essence}`,
    remedy: 'Export the model with an older version of the onnx package.',
  },
  {
    pattern: /protobuf parsing failed|INVALID_PROTOBUF/i,
    code: 'MODEL_NOT_ONNX',
    message: (_essence, what) => `${what} is damaged: ONNX Runtime cannot parse it.`,
    remedy: 'Copy or export the model again.',
  },
  {
    pattern: /This is an invalid model/i,
    code: 'MODEL_INVALID',
    message: (essence, what) => `${what} is not a valid model: ${essence}`,
    remedy: 'Check the model with `python -m onnx.checker` and export it again.',
  },
  {
    pattern: /bad_alloc|failed to allocate|out of memory|array buffer allocation|invalid typed array length/i,
    code: 'MODEL_TOO_LARGE',
    message: (_essence, what) => `${what} does not fit in memory.`,
    remedy: 'Lower the batch or the sequence length, or choose a smaller model.',
  },
  {
    pattern: /disable_cpu_ep_fallback|assigned to the default CPU EP/i,
    code: 'DEVICE_FALLBACK',
    message: (_essence, what) => `${what} has operators that the device cannot run and would have run on the CPU.`,
    remedy: 'Use device=cpu: a number with a part on the CPU would be no number of the device.',
  },
  {
    pattern: /failed to load shared library|Failed to get a WebGPU adapter|no supported adapters|cannot open shared/i,
    code: 'DEVICE_UNAVAILABLE',
    exitCode: EXIT.unmeasured,
    message: (essence, what) => `The device for ${what} cannot be used: ${essence}`,
    remedy: 'Install the device’s driver and libraries, or use device=cpu.',
  },
  {
    pattern: /indices element out of data bounds/i,
    code: 'MODEL_INPUT',
    message: (essence, what) => `${what} does not take the generated ids: ${essence}`,
    remedy: 'Generated ids are below 100: export the model with a table of at least that size.',
  },
  {
    pattern: /Got invalid dimensions|Invalid rank for input|Unexpected input data type/i,
    code: 'MODEL_INPUT',
    message: (essence, what) => `${what} does not take the generated inputs: ${essence}`,
    remedy: 'Set its dynamic dimensions with dims (name=size), batch and sequence.',
  },
];

/** @param what the model as the user named it */
export function ortError(error: unknown, what: string): AibenchError {
  if (error instanceof AibenchError) return error;
  const raw = messageOf(error);
  const essence = essentialSentence(raw);
  const rule = RULES.find(({ pattern }) => pattern.test(raw));
  if (rule !== undefined) {
    return new AibenchError(rule.code, rule.message(essence, what), rule.remedy, rule.exitCode ?? EXIT.failed);
  }
  return new AibenchError(
    'ENGINE_FAILURE',
    `ONNX Runtime cannot run ${what}: ${essence}`,
    'Check the model with `python -m onnx.checker`, or try another opset.',
    EXIT.failed,
  );
}

/** `/onnxruntime_src/onnxruntime/core/x.cc:46 ` or the same with a drive letter. */
const SOURCE_POSITION = String.raw`(?:/|[A-Za-z]:\\)\S+\.(?:cc|cpp|cxx|h):\d+ `;

/** Takes source positions, signatures, status names and file paths off a message and keeps its first 300 characters. */
export function essentialSentence(raw: string): string {
  const text = raw
    .replace(/\s+/g, ' ')
    .replace(/\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : /g, '')
    .replace(/Load model from \S+ failed:\s*/g, '')
    // ORT_ENFORCE: position, signature, condition "was false.", message.
    .replace(new RegExp(`${SOURCE_POSITION}.* was false\\. `, 'g'), '')
    // ORT_THROW: position, signature, message.
    .replace(new RegExp(`${SOURCE_POSITION}.*?\\) (?:const )?`, 'g'), '')
    .replace(/^(?:Fatal error|Error): /, '')
    .replace(/This is an invalid model\. (?:Error: )?/, '')
    .replace(/Non-zero status code returned while running /, '')
    .replace(/ , Error (?=No )/, ': ')
    .replace(/\(op_type:/, '(')
    .trim();
  const short = text.length > 300 ? `${text.slice(0, 299)}…` : text;
  return /[.!?…]$/.test(short) ? short : `${short}.`;
}
