import { describe, expect, it } from 'vitest';
import { blasEnvironment, blasWarnings, genericKernelWarnings } from '../../../src/workloads/blas-environment.ts';

describe('the environment of BLAS libraries', () => {
  it('keeps what changes a library, by name, and nothing else', () => {
    const environment = {
      PATH: '/bin',
      OPENBLAS_CORETYPE: 'Haswell',
      OMP_NUM_THREADS: '',
      BLIS_ARCH_TYPE: '0',
      MKLX: '1',
    };
    expect(blasEnvironment(environment)).toEqual({ BLIS_ARCH_TYPE: '0', OPENBLAS_CORETYPE: 'Haswell' });
  });

  it('warns once, with the command that undoes it, and not for our own kernels', () => {
    const environment = { OPENBLAS_CORETYPE: 'Haswell', OPENBLAS_L2_SIZE: '512' };
    const [warning, ...more] = blasWarnings('openblas', environment);
    expect(more).toEqual([]);
    expect(warning?.message).toContain('OPENBLAS_CORETYPE, OPENBLAS_L2_SIZE');
    expect(warning?.remedy).toContain('env -u OPENBLAS_CORETYPE -u OPENBLAS_L2_SIZE');
    expect(blasWarnings('native', environment)).toEqual([]);
    expect(blasWarnings('openblas', {})).toEqual([]);
  });

  it('names generic kernels of BLIS', () => {
    expect(genericKernelWarnings('blis', 'generic')).toHaveLength(1);
    expect(genericKernelWarnings('blis', 'zen3')).toEqual([]);
    expect(genericKernelWarnings('openblas', 'generic')).toEqual([]);
  });
});
