/**
 * Names of cases for a table: what all of them have in common is left out, so that what tells them apart fits in a column.
 * `gemm/dtype=f32,m=256,n=256/backend=native` beside others of that kind becomes `gemm m=256,n=256`.
 */
export function caseNames(ids: readonly string[]): Map<string, string> {
  const unique = [...new Set(ids)];
  const split = unique.map(id => ({ id, parts: id.split(/[/,]/) }));
  const common = new Set(split[0]?.parts.slice(1) ?? []);
  for (const { parts } of split) for (const part of common) if (!parts.includes(part)) common.delete(part);
  const names = new Map<string, string>();
  for (const { id, parts } of split) {
    const [workload = id, ...rest] = parts;
    const telling = unique.length === 1 ? rest : rest.filter(part => !common.has(part));
    names.set(id, telling.length === 0 ? workload : `${workload} ${telling.join(',')}`);
  }
  // Ids that are not made as ours are could come out alike: then they are shown whole.
  return new Set(names.values()).size === unique.length ? names : new Map(unique.map(id => [id, id]));
}
