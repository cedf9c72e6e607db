/** The stand-in for a GPU vendor's libraries (native/test/fake_gpu.cc), compiled once per test file. */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { packageRoot } from '../../src/native/addon.ts';
import type { GpuLibraries, GpuVendor } from '../../src/native/types.ts';

const compiler = process.env.CXX ?? 'c++';
export const noCompiler = spawnSync(compiler, ['--version']).error !== undefined;
export const noCompilerReason = noCompiler ? ` (skipped: ${compiler} is not on PATH)` : '';

export interface FakeGpu {
  /** Path of the library that holds all the functions. */
  library: string;
  /** A copy without the function of that name. */
  without(symbol: string): string;
  libraries(vendor: GpuVendor, paths?: Partial<Record<'driver' | 'matmul' | 'collective', string>>): GpuLibraries;
  remove(): void;
}

export function buildFakeGpu(): FakeGpu {
  const folder = mkdtempSync(path.join(tmpdir(), 'aibench-gpu-'));
  const library = noCompiler ? '' : compiled();
  return {
    library,
    without(symbol) {
      // The name in the string table is changed, so that a look-up by hash finds a row of another name.
      const bytes = readFileSync(library);
      const name = Buffer.from(`\0${symbol}\0`);
      const place = bytes.indexOf(name);
      if (place < 0) throw new Error(`the fake has no ${symbol}`);
      for (let at = place; at >= 0; at = bytes.indexOf(name, at + 1)) bytes[at + 1] = 0x5f;
      const copy = path.join(folder, `without-${symbol}.so`);
      writeFileSync(copy, bytes);
      return copy;
    },
    libraries: (vendor, paths = {}) => ({
      vendor,
      driver: [paths.driver ?? library],
      matmul: [paths.matmul ?? library],
      collective: [paths.collective ?? library],
    }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

const native = path.join(packageRoot, 'native');
const SOURCES = ['fake_gpu.cc', 'fake_gpu_matmul.inc', 'fake_gpu_collectives.inc'].map(name =>
  path.join(native, 'test', name),
);

/** Compiled once for all test files, under a name that holds what it was made of. */
function compiled(): string {
  const hash = createHash('sha256');
  for (const file of [...SOURCES, path.join(native, 'gpu', 'driver_calls.inc')]) hash.update(readFileSync(file));
  const library = path.join(tmpdir(), `aibench-fake-gpu-${hash.digest('hex').slice(0, 16)}.so`);
  if (existsSync(library)) return library;
  const making = `${library}.${process.pid}`;
  execFileSync(compiler, ['-std=c++20', '-O1', '-shared', '-fPIC', '-w', '-I', native, SOURCES[0] ?? '', '-o', making]);
  renameSync(making, library);
  return library;
}

/** Runs `body` with the fake told what to do. */
export async function withFake<T>(orders: string, body: () => T | Promise<T>): Promise<T> {
  const before = process.env.FAKE_GPU;
  process.env.FAKE_GPU = orders;
  try {
    return await body();
  } finally {
    if (before === undefined) delete process.env.FAKE_GPU;
    else process.env.FAKE_GPU = before;
  }
}
