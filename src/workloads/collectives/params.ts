/** Parameters of collectives, after nccl-tests. */
import * as z from 'zod';
import { COLLECTIVE_DTYPES } from '../../native/types.ts';
import { bytesParam, threadsParam } from '../parameters.ts';

const common = {
  dtype: z.enum(COLLECTIVE_DTYPES).default('f32'),
};
const rest = {
  /** Message size: bytes of the larger of a rank's two vectors. */
  bytes: bytesParam,
  /** Under MPI the first so many ranks of the job; the others wait. */
  ranks: threadsParam.default('all'),
  /** One row of the native table (`aibench list kernels`), or `auto`: by size and rank count. */
  algorithm: z.string().default('auto'),
  /** `private`: ranks do not see each other's vectors, as under MPI, which knows nothing else. */
  buffers: z.enum(['shared', 'private']).default('shared'),
  inPlace: z.boolean().default(false),
  /** `osu`: a barrier before each call, which alone is timed. `batch`: calls back to back. */
  method: z.enum(['batch', 'osu']).default('batch'),
};

export const movingParams = z.strictObject({ ...common, ...rest });
export const reducingParams = z.strictObject({ ...common, op: z.enum(['sum', 'min', 'max']).default('sum'), ...rest });

export type CollectiveParams = z.infer<typeof movingParams> & { op?: 'sum' | 'min' | 'max' };
