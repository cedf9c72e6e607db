/** What a workload may know of the machine before it runs; src/host finds it out. */
import type { CpuCache } from './native/types.ts';

export interface Machine {
  usableCores: number;
  /** Memory that this process may take: free memory, or less where a cgroup says so. Bytes. */
  memoryBytes: number;
  caches: CpuCache[];
}
