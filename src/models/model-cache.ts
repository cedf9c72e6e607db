/**
 * Keeps generated models on disk. A file is complete or absent (written beside its place, then renamed), its name says what
 * made it, and a record beside it holds size and digest, which are checked before each use.
 */
import { createHash, randomBytes } from 'node:crypto';
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import * as z from 'zod';
import { AibenchError, EXIT, messageOf } from '../errors.ts';
import { formatBytes } from '../units.ts';
import type { WrittenFile } from './file-sink.ts';
import type { GraphBuilder } from './graph-builder.ts';
import { structureDigest, writeModel, writeModelWithExternalData } from './onnx-writer.ts';

/**
 * From here on the weights go to a second file, which ONNX Runtime maps instead of parsing: BERT-base loads with half the CPU
 * time. Beyond 2 GiB there is no choice, since a protobuf message ends there.
 */
const EXTERNAL_DATA_BYTES = 2 ** 27;
const ABANDONED_SECONDS = 3600;
/** Beside the weights: the graph, the record, and a little for others. */
const SPARE_BYTES = 2 ** 24;

const recordSchema = z.strictObject({
  files: z.array(z.strictObject({ name: z.string(), bytes: z.int().min(1), sha256: z.string().length(64) })).min(1),
});
type CacheRecord = z.infer<typeof recordSchema>;

export interface CachedModel {
  path: string;
  /** Of the .onnx file. */
  sha256: string;
  /** Of the file that holds the weights, or null where they are in the .onnx file. */
  weightsSha256: string | null;
  /** All files together. */
  bytes: number;
}

export interface ModelSource {
  name: string;
  version: number;
  /** Another form than ONNX: one file, made from the graph's weights. */
  form?: {
    extension: string;
    /** Of the file, for the room that it takes. */
    bytes: number;
    /** Writes to `path`, which does not exist. */
    write(path: string): WrittenFile;
  };
}

export interface EnsureOptions {
  /** For tests: when to put weights into a second file. */
  externalDataBytes?: number;
  /** Called when the model has to be made, with its size in bytes. */
  onGenerate?: (bytes: number) => void;
  /** For tests: what the disk of a folder has room for. Bytes. */
  freeBytes?: (folder: string) => number;
}

/**
 * The model's file, made if it is absent or damaged. Two processes may do this at once: both write the same bytes, and the
 * later rename replaces a file by its equal.
 * @throws AibenchError MODEL_CACHE when the folder cannot be used.
 */
export function ensureModel(
  source: ModelSource,
  graph: GraphBuilder,
  cacheDir: string,
  options: EnsureOptions = {},
): CachedModel {
  const cached = cachedModel(source, graph, cacheDir);
  if (cached !== null && isIntact(cacheDir, cached.record)) return cached.model;
  const bytes = source.form?.bytes ?? graph.initializers.reduce((sum, initializer) => sum + initializer.byteLength, 0);
  options.onGenerate?.(bytes);
  try {
    mkdirSync(cacheDir, { recursive: true });
    removeAbandoned(cacheDir);
    const free = (options.freeBytes ?? freeBytes)(cacheDir);
    // Gigabytes that end in a full disk would take minutes and others' room.
    if (free < bytes + SPARE_BYTES) throw Object.assign(new Error('no room'), { code: 'ENOSPC' });
    const external = bytes >= (options.externalDataBytes ?? EXTERNAL_DATA_BYTES);
    return toModel(cacheDir, generate(source, graph, cacheDir, external));
  } catch (error) {
    throw cacheProblem(error, cacheDir, bytes);
  }
}

/** The model if its files are there in the right size; their digests are not looked at. */
export function cachedModel(
  source: ModelSource,
  graph: GraphBuilder,
  cacheDir: string,
): { model: CachedModel; record: CacheRecord } | null {
  const record = readRecord(path.join(cacheDir, recordName(fileName(source, graph))));
  if (record === null) return null;
  const sized = record.files.every(
    ({ name, bytes }) => statSync(path.join(cacheDir, name), { throwIfNoEntry: false })?.size === bytes,
  );
  return sized ? { model: toModel(cacheDir, record), record } : null;
}

/** Whether the model is there and its digests are right. */
export function isIntactModel(source: ModelSource, graph: GraphBuilder, cacheDir: string): boolean {
  const cached = cachedModel(source, graph, cacheDir);
  return cached !== null && isIntact(cacheDir, cached.record);
}

/** SHA-256 of the contents of files, one after the other, in pieces of 1 MiB. */
export function contentSha256(...files: readonly string[]): string {
  const hash = createHash('sha256');
  const buffer = Buffer.alloc(1 << 20);
  for (const file of files) {
    const fd = openSync(file, 'r');
    try {
      for (let got = readSync(fd, buffer); got > 0; got = readSync(fd, buffer)) hash.update(buffer.subarray(0, got));
    } finally {
      closeSync(fd);
    }
  }
  return hash.digest('hex');
}

/** Name, generator version, and a digest of the graph and the shapes of its weights. */
function fileName({ name, version, form }: ModelSource, graph: GraphBuilder): string {
  return `${name}-v${version}-${structureDigest(graph).slice(0, 12)}.${form?.extension ?? 'onnx'}`;
}

function recordName(modelName: string): string {
  return `${modelName}.json`;
}

function toModel(cacheDir: string, { files }: CacheRecord): CachedModel {
  const model = files[0];
  if (model === undefined) throw new Error('a cache record names no file');
  return {
    path: path.join(cacheDir, model.name),
    sha256: model.sha256,
    weightsSha256: files[1]?.sha256 ?? null,
    bytes: files.reduce((sum, file) => sum + file.bytes, 0),
  };
}

function isIntact(cacheDir: string, { files }: CacheRecord): boolean {
  return files.every(({ name, sha256 }) => {
    try {
      return contentSha256(path.join(cacheDir, name)) === sha256;
    } catch {
      return false;
    }
  });
}

function readRecord(file: string): CacheRecord | null {
  try {
    const parsed = recordSchema.safeParse(JSON.parse(readFileSync(file, 'utf8')));
    return parsed.success && parsed.data.files.every(({ name }) => name === path.basename(name)) ? parsed.data : null;
  } catch {
    return null;
  }
}

function generate(source: ModelSource, graph: GraphBuilder, cacheDir: string, external: boolean): CacheRecord {
  const name = fileName(source, graph);
  const unique = `${process.pid}-${randomBytes(4).toString('hex')}.tmp`;
  const finished: { name: string; temporary: string; written: WrittenFile }[] = [];
  const dataName = `${name}.data`;
  const at = (file: string): string => path.join(cacheDir, `${file}.${unique}`);
  try {
    if (source.form !== undefined) {
      finished.push({ name, temporary: at(name), written: source.form.write(at(name)) });
    } else if (external) {
      const target = { path: at(dataName), location: dataName };
      const { model, data } = writeModelWithExternalData(graph, at(name), target);
      finished.push(
        { name, temporary: at(name), written: model },
        { name: dataName, temporary: at(dataName), written: data },
      );
    } else {
      finished.push({ name, temporary: at(name), written: writeModel(graph, at(name)) });
    }
    const record: CacheRecord = { files: finished.map(file => ({ name: file.name, ...file.written })) };
    const recordFile = recordName(name);
    writeFileSync(at(recordFile), `${JSON.stringify(record, null, 2)}\n`, { flag: 'wx' });
    for (const { name: target, temporary } of finished.toReversed()) renameSync(temporary, path.join(cacheDir, target));
    renameSync(at(recordFile), path.join(cacheDir, recordFile));
    return record;
  } finally {
    for (const file of [name, dataName, recordName(name)]) rmSync(at(file), { force: true });
  }
}

/** Infinite where the file system does not tell. */
function freeBytes(folder: string): number {
  try {
    const { bavail, bsize } = statfsSync(folder);
    return bavail * bsize;
  } catch {
    return Number.POSITIVE_INFINITY;
  }
}

/** Removes what a killed process left half written. */
function removeAbandoned(cacheDir: string): void {
  for (const entry of readdirSync(cacheDir).filter(name => /\.(onnx|gguf)\b.*\.tmp$/.test(name))) {
    const file = path.join(cacheDir, entry);
    const written = statSync(file, { throwIfNoEntry: false })?.mtimeMs;
    if (written !== undefined && Date.now() - written > ABANDONED_SECONDS * 1000) rmSync(file, { force: true });
  }
}

function cacheProblem(error: unknown, cacheDir: string, bytes: number): AibenchError {
  const full = ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
  return new AibenchError(
    'MODEL_CACHE',
    full
      ? `The model cache ${cacheDir} has no room for ${formatBytes(bytes)}.`
      : `The model cache ${cacheDir} cannot be written: ${messageOf(error)}.`,
    full
      ? 'Free some space, or point the cache to another disk.'
      : 'Make the folder writable for this user, or point the cache to another one.',
    EXIT.failed,
  );
}
