/**
 * Where node-llama-cpp is, and the only place that loads it. It is no dependency: a user who wants llama.cpp beside ONNX Runtime installs
 * it where the command is run, or beside aibench, or names its folder in AIBENCH_NODE_LLAMA_CPP. Looking for it loads nothing.
 */
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { AibenchError, EXIT, messageOf } from '../errors.ts';

/** Prebuilt binaries come in a package of their own; without scripts nothing is compiled or downloaded. */
const VERSION = '3.22.1';
const BINARIES: Readonly<Record<string, string>> = {
  'linux/x64': 'linux-x64',
  'linux/arm64': 'linux-arm64',
  'darwin/arm64': 'mac-arm64-metal',
  'darwin/x64': 'mac-x64',
};

export type LlamaCppLookup =
  | { status: 'ok'; version: string; folder: string }
  | { status: 'absent'; reason: string; remedy: string };

/** What of node-llama-cpp is used; its own types are not installed with us. */
export interface LlamaCppModule {
  getLlama(options: object): Promise<LlamaBinding>;
  LlamaLogLevel: { error: unknown };
}

export interface LlamaBinding {
  loadModel(options: object): Promise<LlamaModel>;
  /** Of llama.cpp itself, as the binary was built. */
  llamaCppRelease: { repo: string; release: string };
  systemInfo: string;
  dispose(): Promise<void>;
}

export interface LlamaModel {
  createContext(options: object): Promise<LlamaContext>;
  /** Bytes. */
  size: number;
  typeDescription: string;
  fileInfo: { metadata: Record<string, unknown>; fullTensorInfo?: readonly unknown[] };
  dispose(): Promise<void>;
}

export interface LlamaContext {
  getSequence(): LlamaSequence;
  contextSize: number;
  currentThreads: number;
  flashAttention: unknown;
  /** Bytes of the state, the KV cache among it. */
  stateSize: number;
  dispose(): Promise<void>;
}

export interface LlamaSequence {
  nextTokenIndex: number;
  contextTokens: readonly number[];
  clearHistory(): Promise<void>;
  eraseContextTokenRanges(ranges: readonly { start: number; end: number }[]): Promise<void>;
  evaluate(tokens: readonly number[], options: object): AsyncGenerator<number, void, undefined | number>;
  evaluateWithoutGeneratingNewTokens(tokens: readonly number[]): Promise<void>;
  controlledEvaluate(
    input: readonly (number | [number, object])[],
  ): Promise<readonly (undefined | { next: { logits?: Map<number, number> } })[]>;
}

/** @param folders where to look, each with the folders above it */
export function findLlamaCpp(
  folders: readonly string[] = [process.cwd(), path.dirname(fileURLToPath(import.meta.url))],
  environment: NodeJS.ProcessEnv = process.env,
): LlamaCppLookup {
  const named = environment.AIBENCH_NODE_LLAMA_CPP;
  const folder = named === undefined || named === '' ? folders.map(nearest).find(found => found !== null) : named;
  if (folder === undefined || folder === null) {
    return { status: 'absent', reason: 'node-llama-cpp is not installed.', remedy: installRemedy() };
  }
  try {
    const { version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as { version: string };
    return { status: 'ok', version, folder };
  } catch (error) {
    return {
      status: 'absent',
      reason: `node-llama-cpp in ${folder} cannot be read: ${messageOf(error)}.`,
      remedy: installRemedy(),
    };
  }
}

/** The package in the nearest node_modules folder, from `folder` upwards. */
function nearest(folder: string): string | null {
  for (let at = path.resolve(folder); ; at = path.dirname(at)) {
    const found = path.join(at, 'node_modules', 'node-llama-cpp');
    if (existsSync(path.join(found, 'package.json'))) return found;
    if (path.dirname(at) === at) return null;
  }
}

export function installRemedy(platform = `${process.platform}/${process.arch}`): string {
  const binary = BINARIES[platform];
  const packages = [
    `node-llama-cpp@${VERSION}`,
    ...(binary === undefined ? [] : [`@node-llama-cpp/${binary}@${VERSION}`]),
  ];
  return `Install it with \`npm install --no-save --ignore-scripts --omit=optional ${packages.join(' ')}\`.`;
}

/**
 * Loads the module into this thread and its CPU binary with it. Nothing is compiled, downloaded or run on a GPU.
 * @param threads the most that it may use
 * @throws AibenchError LLAMA_CPP_MISSING or LLAMA_CPP_BROKEN
 */
export async function openLlamaCpp(threads: number): Promise<{ llama: LlamaBinding; version: string }> {
  const found = findLlamaCpp();
  if (found.status === 'absent') {
    throw new AibenchError('LLAMA_CPP_MISSING', found.reason, found.remedy, EXIT.unmeasured);
  }
  try {
    const entry = pathToFileURL(path.join(found.folder, 'dist', 'index.js')).href;
    const { getLlama, LlamaLogLevel } = (await import(entry)) as LlamaCppModule;
    const llama = await getLlama({
      gpu: false,
      build: 'never',
      skipDownload: true,
      progressLogs: false,
      logLevel: LlamaLogLevel.error,
      maxThreads: threads,
    });
    return { llama, version: found.version };
  } catch (error) {
    throw new AibenchError(
      'LLAMA_CPP_BROKEN',
      `node-llama-cpp ${found.version} does not load: ${messageOf(error)}.`,
      installRemedy(),
      EXIT.unmeasured,
    );
  }
}
