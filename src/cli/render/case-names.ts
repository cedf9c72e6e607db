import { printable } from './printable.ts';

/**
 * Names of cases for a table: what all cases of a workload have in common is left out, so that what tells them apart fits
 * in a column. `gemm/dtype=f32,m=256,n=256/backend=native` beside others of that kind becomes `gemm m=256,n=256`; the only
 * case of its workload becomes `gemm`.
 */
export function caseNames(ids: readonly string[]): Map<string, string> {
  const unique = [...new Set(ids)];
  const groups = new Map<string, { id: string; parts: string[] }[]>();
  for (const id of unique) {
    const [workload = id, ...parts] = id.split(/[/,]/);
    const group = groups.get(workload);
    if (group === undefined) groups.set(workload, [{ id, parts }]);
    else group.push({ id, parts });
  }
  const names = new Map<string, string>();
  for (const [workload, members] of groups) {
    const common = new Set(unique.length === 1 ? [] : members[0]?.parts);
    for (const { parts } of members) for (const part of common) if (!parts.includes(part)) common.delete(part);
    for (const { id, parts } of members) {
      const telling = parts.filter(part => !common.has(part));
      names.set(id, printable(telling.length === 0 ? workload : `${workload} ${telling.join(',')}`));
    }
  }
  // Ids that are not made as ours are could come out alike: then they are shown whole.
  return new Set(names.values()).size === unique.length ? names : new Map(unique.map(id => [id, printable(id)]));
}
