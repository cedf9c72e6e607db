/** What an inference case can run on: the engines for ONNX files, and llama.cpp. session-worker.ts opens them. */
import { ENGINE_NAMES } from './engines.ts';
import { LLAMA_CPP } from './llama-cpp/support.ts';

export const BACKEND_NAMES = [...ENGINE_NAMES, LLAMA_CPP] as const;
export type BackendName = (typeof BACKEND_NAMES)[number];
