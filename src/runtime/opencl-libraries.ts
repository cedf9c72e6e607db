/** Where OpenCL's loader and CLBlast may be. */
import { candidateLibraries, defaultRoots, type LibraryPlaces, type SearchRoots } from './vendor-libraries.ts';

const PLACES: Record<'opencl' | 'clblast', LibraryPlaces> = {
  // Toolkits bring a loader of their own; the drivers are found by it, through /etc/OpenCL/vendors.
  opencl: {
    variable: 'AIBENCH_OPENCL',
    sonames: ['libOpenCL.so.1', '/System/Library/Frameworks/OpenCL.framework/OpenCL'],
    homes: ['CUDA_HOME', 'CUDA_PATH', 'ROCM_PATH'],
    prefixes: ['/usr/local/cuda', '/opt/rocm'],
    packages: [],
    folders: ['/usr/lib/wsl/lib'],
  },
  clblast: {
    variable: 'AIBENCH_CLBLAST',
    sonames: ['libclblast.so.1', 'libclblast.so'],
    homes: [],
    prefixes: [],
    packages: [],
  },
};

/** Names to try for each, preferred first. AIBENCH_OPENCL and AIBENCH_CLBLAST name one file instead. */
export function openclLibraries(roots: SearchRoots = defaultRoots(process.env)): Record<keyof typeof PLACES, string[]> {
  return { opencl: candidateLibraries(PLACES.opencl, roots), clblast: candidateLibraries(PLACES.clblast, roots) };
}
