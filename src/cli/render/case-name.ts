/** The name that people read of a case; ids are for machines. */
import type { CaseResult } from '../../results/schema.ts';
import { findWorkload } from '../../workloads/registry.ts';

/** As the case's workload writes it; the id where this version does not know the workload or its parameters. */
export function caseName(item: Pick<CaseResult, 'id' | 'workload' | 'params'>): string {
  const workload = findWorkload(item.workload);
  const parsed = workload?.params.safeParse(item.params);
  return workload !== undefined && parsed?.success ? workload.label(parsed.data) : item.id;
}
