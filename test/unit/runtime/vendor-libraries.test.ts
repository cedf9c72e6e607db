import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { gpuLibraries } from '../../../src/runtime/gpu-libraries.ts';

const root = mkdtempSync(path.join(tmpdir(), 'aibench-places-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const put = (file: string): string => {
  const full = path.join(root, file);
  mkdirSync(path.dirname(full), { recursive: true });
  writeFileSync(full, '');
  return full;
};
const roots = (environment: NodeJS.ProcessEnv = {}) => ({ environment, root, home: path.join(root, 'home') });

describe('candidate libraries', () => {
  const old = put('usr/local/cuda-11.8/lib64/libcublasLt.so.11');
  const newer = put('usr/local/cuda-12.4/targets/x86_64-linux/lib/libcublasLt.so.12');
  const wheel12 = put('home/.local/lib/python3.11/site-packages/nvidia/cublas/lib/libcublasLt.so.12');
  const wheel13 = put('venv/lib/python3.12/site-packages/nvidia/cu13/lib/libcublasLt.so.13');
  const conda = put('conda/lib/libnccl.so.2');
  const rocm = put('opt/rocm-6.3.0/lib/libhipblaslt.so.0');
  put('usr/local/cudatools/lib64/libcublasLt.so.12');

  it('asks the loader first, then fixed folders, the newest toolkit before the older', () => {
    const { driver, matmul } = gpuLibraries('cuda', roots());
    expect(driver).toEqual(['libcuda.so.1']);
    expect(matmul).toEqual(['libcublasLt.so.13', 'libcublasLt.so.12', 'libcublasLt.so.11', newer, old, wheel12]);
  });

  it('looks into the Python and the conda that are active', () => {
    const found = gpuLibraries(
      'cuda',
      roots({ VIRTUAL_ENV: path.join(root, 'venv'), CONDA_PREFIX: path.join(root, 'conda') }),
    );
    expect(found.matmul).toContain(wheel13);
    expect(found.collective).toEqual(['libnccl.so.2', conda]);
  });

  it('looks into the Python that a shell would start, although nothing is active', () => {
    const python = put('venv/bin/python3');
    const PATH = ['relative', path.join(root, 'empty'), path.dirname(python)].join(path.delimiter);
    expect(gpuLibraries('cuda', roots({ PATH })).matmul).toContain(wheel13);
    expect(gpuLibraries('cuda', roots({ PATH: path.join(root, 'empty') })).matmul).not.toContain(wheel13);
  });

  it('finds a toolkit by its home', () => {
    expect(gpuLibraries('cuda', roots({ CUDA_HOME: path.join(root, 'usr/local/cuda-11.8') })).matmul[3]).toBe(old);
    expect(gpuLibraries('rocm', roots()).matmul).toContain(rocm);
  });

  it('a library that is named is the only one', () => {
    expect(gpuLibraries('cuda', roots({ AIBENCH_CUBLASLT: '/mine/libcublasLt.so' })).matmul).toEqual([
      '/mine/libcublasLt.so',
    ]);
  });
});
