/**
 * Environment variables that change what a BLAS library does. A comparison made under one of them is of a library that was
 * held back or pushed: some images export OPENBLAS_CORETYPE=Haswell, which halves OpenBLAS on a CPU with AVX-512.
 */
import type { Warning } from '../results/schema.ts';

const PREFIXES = /^(OPENBLAS|GOTO|BLIS|MKL|OMP|GOMP|KMP|DNNL|ONEDNN|LIBXSMM|ARMPL|VECLIB)_/;

/** Those of `environment` that are set, by name. */
export function blasEnvironment(environment: NodeJS.ProcessEnv): Record<string, string> {
  const entries = Object.entries(environment).filter(
    (entry): entry is [string, string] => PREFIXES.test(entry[0]) && entry[1] !== undefined && entry[1] !== '',
  );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One warning for all that are set; none for our own kernels, which read none of them. */
export function blasWarnings(backend: string, environment: NodeJS.ProcessEnv): Warning[] {
  const names = Object.keys(blasEnvironment(environment));
  if (backend === 'native' || names.length === 0) return [];
  return [
    {
      code: 'LIBRARY_ENVIRONMENT',
      message: `${backend} ran with ${names.join(', ')} set, which can change the kernels or threads that it uses.`,
      remedy: `Unset ${names.length === 1 ? 'it' : 'them'} for a fair comparison: env -u ${names.join(' -u ')} aibench run ….`,
    },
  ];
}

/** BLIS falls back to plain C on CPUs that are younger than it; a rate of that is no peer. */
export function genericKernelWarnings(backend: string, kernel: unknown): Warning[] {
  if (backend !== 'blis' || kernel !== 'generic') return [];
  return [
    {
      code: 'LIBRARY_GENERIC_KERNELS',
      message: 'BLIS does not know this CPU and chose its generic kernels, a fraction of what the machine can do.',
      remedy: 'Set BLIS_ARCH_TYPE to the nearest architecture that it knows (skx, zen3, ...), or install a newer BLIS.',
    },
  ];
}
