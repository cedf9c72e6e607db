/** Every workload, one row each. */
import { collectives } from './collectives/workload.ts';
import { coreLatency } from './core-latency.ts';
import { deviceAllReduce } from './device/all-reduce.ts';
import { deviceGemm } from './device/gemm.ts';
import { deviceMemory } from './device/memory.ts';
import { distributedGemm } from './distributed-gemm.ts';
import { gemm } from './gemm.ts';
import { gemmCompressed } from './gemm-compressed.ts';
import { gpuGemm } from './gpu/gemm.ts';
import { gpuMemory } from './gpu/memory.ts';
import { inference } from './inference/workload.ts';
import { memory } from './memory.ts';
import { peak } from './peak.ts';
import type { Params, Workload } from './workload.ts';

// A workload takes its own parameter type; the loader has parsed them with that workload's schema before it is called.
export const WORKLOADS = [
  peak,
  gemm,
  gemmCompressed,
  distributedGemm,
  memory,
  ...collectives,
  coreLatency,
  deviceGemm,
  deviceMemory,
  deviceAllReduce,
  inference,
  gpuGemm,
  gpuMemory,
] as unknown as readonly Workload<Params>[];

/** The workload of that name, or undefined. */
export function findWorkload(name: string): Workload<Params> | undefined {
  return WORKLOADS.find(workload => workload.name === name);
}
