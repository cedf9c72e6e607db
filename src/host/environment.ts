/**
 * Environment variables that change what a library does. Recorded as set, since a single one of them (OPENBLAS_CORETYPE)
 * has made a library twice as slow without a trace; never recorded where it could be a secret or name a person or machine.
 */
import type { Environment } from './container.ts';

const PREFIXES = [
  ...['OMP_', 'GOMP_', 'KMP_', 'MKL_', 'OPENBLAS_', 'GOTO_', 'BLIS_', 'VECLIB_', 'DNNL_', 'ONEDNN_', 'TBB_'],
  ...[
    'ORT_',
    'ONNXRUNTIME_',
    'CUDA_',
    'CUBLAS_',
    'CUDNN_',
    'NVIDIA_',
    'NCCL_',
    'RCCL_',
    'HIP_',
    'ROCR_',
    'HSA_',
    'ROCBLAS_',
  ],
  ...[
    'ZE_',
    'SYCL_',
    'UCX_',
    'XLA_',
    'TF_XLA_',
    'TF_ENABLE_',
    'TORCH_',
    'PYTORCH_',
    'MALLOC_',
    'MIMALLOC_',
    'AIBENCH_',
  ],
  // MPI: what chooses algorithms and transports and places ranks; not the names and numbers that a launcher makes up for each job.
  ...['coll', 'btl', 'pml', 'mtl', 'mpi_', 'rmaps_', 'hwloc_base_binding'].map(part => `OMPI_MCA_${part}`),
  ...['ADJUST', 'FABRICS', 'OFI_', 'PIN_DOMAIN', 'SHM_'].map(part => `I_MPI_${part}`),
  ...['MPICH_', 'MPIR_CVAR_', 'MV2_', 'HCOLL_', 'PSM2_', 'FI_'],
];
const NAMES = ['LD_PRELOAD', 'LD_LIBRARY_PATH', 'GLIBC_TUNABLES', 'NODE_OPTIONS', 'UV_THREADPOOL_SIZE', 'NPROC', 'TZ'];

/** A name that announces a secret or an address. */
const PRIVATE_NAME = /KEY|TOKEN|SECRET|PASS|AUTH|CRED|LOGIN|USER|URL|URI|HOST|ADDR|PROXY|SIGN|CERT|QUERY|FILE/i;
/** A value that looks like one: a URL, an address, or a long run of mixed characters without a separator. */
const PRIVATE_VALUE = [
  /:\/\//,
  /\b\d{1,3}(\.\d{1,3}){3}\b/,
  /\b([0-9a-f]{2}:){5}[0-9a-f]{2}\b/i,
  /\b(?:GPU|MIG)-[0-9a-f]{8}/i,
  /(?=[A-Za-z0-9+/_-]*\d)(?=[A-Za-z0-9+/_-]*[A-Za-z])[A-Za-z0-9+_-]{24,}/,
];

export const REDACTED = '(redacted)';

export interface PrivateWords {
  hostname: string;
  home: string;
  user: string;
}

/** Pure: the variables that matter, with what is private taken out. */
export function relevantEnvironment(environment: Environment, words: PrivateWords): Record<string, string> {
  const out: Record<string, string> = {};
  for (const name of Object.keys(environment).sort()) {
    const value = environment[name];
    const matters = NAMES.includes(name) || PREFIXES.some(prefix => name.startsWith(prefix));
    if (value === undefined || !matters) continue;
    out[name] = PRIVATE_NAME.test(name) ? REDACTED : withoutPrivate(value, words);
  }
  return out;
}

function withoutPrivate(value: string, { hostname, home, user }: PrivateWords): string {
  const text = home.length > 1 ? value.replaceAll(home, '~') : value;
  const names = [hostname, user].filter(word => word.length > 2 && word !== 'root');
  if (names.some(word => text.includes(word)) || PRIVATE_VALUE.some(pattern => pattern.test(text))) return REDACTED;
  return text.slice(0, 1024);
}
