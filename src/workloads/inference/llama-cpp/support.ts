/** Which cases llama.cpp takes, by what they ask for and what is installed; loads nothing. */
import { GGUF_PRECISIONS } from '../../../models/llama-gguf.ts';
import { findModel } from '../../../models/registry.ts';
import { findLlamaCpp } from '../../../runtime/llama-cpp.ts';
import { findOrt } from '../../../runtime/ort.ts';
import type { Support } from '../../workload.ts';
import { type InferenceParams, isGguf, modelLabel } from '../params.ts';

export const LLAMA_CPP = 'node-llama-cpp';

export function llamaCppSupport(params: InferenceParams): Support {
  const { model: name, batch, device, precision } = params;
  const model = findModel(name);
  const no = (reason: string, remedy: string): Support => ({ supported: false, reason, remedy });
  if (model?.kind !== 'decoder' && !isGguf(name)) {
    return no(
      `llama.cpp runs language models alone, and ${modelLabel(params)} is none that it takes.`,
      'Use backend ort-node, or name a language model or a .gguf file.',
    );
  }
  if (device !== 'auto' && device !== 'cpu') {
    return no(`llama.cpp runs on the CPU here; ${device} is not driven through it.`, 'Use device=cpu.');
  }
  if (batch > 1) return no('llama.cpp is measured one text at a time here.', 'Set batch: 1.');
  if (!GGUF_PRECISIONS.includes(precision)) {
    return no(
      `llama.cpp has no ${precision}: its 8-bit blocks are another form.`,
      `Use one of ${GGUF_PRECISIONS.join(', ')}.`,
    );
  }
  const found = findLlamaCpp();
  if (found.status === 'absent') return no(found.reason, found.remedy);
  if (model === undefined) return { supported: true };
  const ort = findOrt();
  return ort.status === 'ok'
    ? { supported: true }
    : no(`${ort.reason} It is what llama.cpp’s output is compared with.`, ort.remedy);
}
