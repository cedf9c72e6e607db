/** Which dtypes of products a GPU and its library have, so that a case is skipped with the reason before anything is launched. */
import type { GpuDevice, GpuDtype } from '../../native/types.ts';
import type { Support } from '../workload.ts';

interface Need {
  /** Lowest compute capability, and the lowest version of the library where one is known. */
  capability: number;
  library?: [major: number, minor: number];
  /** What to take instead. */
  instead: string;
}

const FP8: Need = { capability: 8.9, library: [11, 8], instead: 'bf16' };
const BLOCKS: Need = { capability: 10, library: [12, 8], instead: 'f8e4m3' };
/**
 * CUDA C++ Programming Guide, "Arithmetic Instructions" and tensor cores by compute capability; cuBLAS release notes. tf32 on an older GPU
 * would be computed as f32 and be called tf32.
 */
const CUDA: Partial<Record<GpuDtype, Need>> = {
  bf16: { capability: 8, instead: 'f16' },
  tf32: { capability: 8, instead: 'f32' },
  f8e4m3: FP8,
  f8e5m2: FP8,
  mxfp8: BLOCKS,
  mxfp4: BLOCKS,
  nvfp4: BLOCKS,
};
/** gfx90a is 9.0, gfx942 9.4, gfx950 9.5. */
const ROCM: Partial<Record<GpuDtype, Need>> = {
  tf32: { capability: 9.4, instead: 'f32' },
  f8e4m3: { capability: 9.4, instead: 'bf16' },
  f8e5m2: { capability: 9.4, instead: 'bf16' },
};
const BLOCK_SCALED = new Set<GpuDtype>(['mxfp8', 'mxfp4', 'nvfp4']);

/**
 * Pure. What is not known here the library decides when the case is launched; its refusal skips the case too.
 * @param library version of cuBLASLt, `12.8.1`
 */
export function dtypeSupport(
  dtype: GpuDtype,
  backend: string,
  devices: readonly Pick<GpuDevice, 'name' | 'computeCapability'>[],
  library: string,
): Support {
  const no = (reason: string, remedy: string): Support => ({ supported: false, reason, remedy });
  const isCuda = backend === 'cublaslt';
  if (!isCuda && BLOCK_SCALED.has(dtype))
    return no(
      `${dtype} products are there for NVIDIA only: how hipBLASLt lays scales out is not confirmed.`,
      'Choose f8e4m3.',
    );
  const need = (isCuda ? CUDA : ROCM)[dtype];
  if (need === undefined) return { supported: true };
  const old = devices.find(device => Number(device.computeCapability) < need.capability);
  if (old !== undefined)
    return no(
      `${old.name} (compute capability ${old.computeCapability}) has no ${dtype}, which came with ${need.capability.toFixed(1)}.`,
      `Choose ${need.instead}, or run it on a newer GPU.`,
    );
  const [major = 0, minor = 0] = library.split('.').map(Number);
  if (isCuda && need.library !== undefined && 100 * major + minor < 100 * need.library[0] + need.library[1])
    return no(
      `cuBLASLt ${library} has no ${dtype}, which came with ${need.library.join('.')}.`,
      `Install cuBLAS ${need.library.join('.')} or newer, or choose ${need.instead}.`,
    );
  return { supported: true };
}
