/** The libraries of the GPU vendors and where each may be. */
import { candidateLibraries, defaultRoots, type LibraryPlaces, type SearchRoots } from './vendor-libraries.ts';

const CUDA = { homes: ['CUDA_HOME', 'CUDA_PATH'], prefixes: ['/usr/local/cuda', '/opt/cuda'] } as const;
const ROCM = { homes: ['ROCM_PATH', 'HIP_PATH'], prefixes: ['/opt/rocm'] } as const;
const ROCM_WHEELS = ['_rocm_sdk_core/lib', '_rocm_sdk_libraries/lib', 'torch/lib'];

type Role = 'driver' | 'matmul' | 'collective' | 'compiler';

/** Nothing is looked for. */
const NONE: LibraryPlaces = { variable: '', sonames: [], homes: [], prefixes: [], packages: [] };

const PLACES: Record<'cuda' | 'rocm', Record<Role, LibraryPlaces>> = {
  cuda: {
    // Containers mount the driver where NVIDIA's runtime puts it; WSL has it in a folder of its own.
    driver: {
      variable: 'AIBENCH_CUDA',
      sonames: ['libcuda.so.1'],
      homes: [],
      prefixes: [],
      packages: [],
      folders: ['/usr/local/nvidia/lib64', '/usr/lib/wsl/lib'],
    },
    // CUDA 12's wheels have a folder per library, those of 13 one for all.
    matmul: {
      variable: 'AIBENCH_CUBLASLT',
      sonames: ['libcublasLt.so.13', 'libcublasLt.so.12', 'libcublasLt.so.11'],
      ...CUDA,
      packages: ['nvidia/cu13/lib', 'nvidia/cublas/lib', 'torch/lib'],
    },
    collective: {
      variable: 'AIBENCH_NCCL',
      sonames: ['libnccl.so.2'],
      ...CUDA,
      packages: ['nvidia/nccl/lib', 'torch/lib'],
    },
    compiler: NONE,
  },
  rocm: {
    driver: {
      variable: 'AIBENCH_HIP',
      sonames: ['libamdhip64.so.7', 'libamdhip64.so.6'],
      ...ROCM,
      packages: ROCM_WHEELS,
    },
    matmul: {
      variable: 'AIBENCH_HIPBLASLT',
      sonames: ['libhipblaslt.so.1', 'libhipblaslt.so.0'],
      ...ROCM,
      packages: ROCM_WHEELS,
    },
    collective: { variable: 'AIBENCH_RCCL', sonames: ['librccl.so.1'], ...ROCM, packages: ROCM_WHEELS },
    compiler: {
      variable: 'AIBENCH_HIPRTC',
      sonames: ['libhiprtc.so.7', 'libhiprtc.so.6'],
      ...ROCM,
      packages: ROCM_WHEELS,
    },
  },
};

/** Names to try for each library of a vendor. */
export function gpuLibraries<V extends 'cuda' | 'rocm'>(
  vendor: V,
  roots: SearchRoots = defaultRoots(process.env),
): { vendor: V } & Record<Role, string[]> {
  const { driver, matmul, collective, compiler } = PLACES[vendor];
  return {
    vendor,
    driver: candidateLibraries(driver, roots),
    matmul: candidateLibraries(matmul, roots),
    collective: candidateLibraries(collective, roots),
    compiler: candidateLibraries(compiler, roots),
  };
}
