/** What people call a case of one document; case-names.ts names the rows of several, from their ids alone. */
import type { CaseResult } from '../../results/schema.ts';
import { findWorkload } from '../../workloads/registry.ts';

/** As the case's workload writes it; the id where this version does not know the workload or its parameters. */
export function caseLabel(item: Pick<CaseResult, 'id' | 'workload' | 'params'>): string {
  const workload = findWorkload(item.workload);
  const parsed = workload?.params.safeParse(item.params);
  if (workload === undefined || !parsed?.success) return item.id;
  return workload.label(parsed.data) + (item.id.endsWith('/regime=sustained') ? ' sustained' : '');
}

/** The labels of a document's cases, in their order; two that differ in the backend alone say it. */
export function caseLabels(items: readonly Pick<CaseResult, 'id' | 'workload' | 'params' | 'backend'>[]): string[] {
  const labels = items.map(caseLabel);
  return items.map((item, index) => {
    const label = labels[index] ?? item.id;
    const isShared = items.some((other, at) => labels[at] === label && other.backend !== item.backend);
    return isShared ? `${label} ${item.backend}` : label;
  });
}
