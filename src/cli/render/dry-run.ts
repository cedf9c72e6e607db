/** Pure: what would run, and for how long. */
import { launchSeconds, runSeconds } from '../../runner/expected-time.ts';
import type { Case } from '../../suite/expand.ts';
import type { Suite } from '../../suite/schema.ts';
import { formatDuration } from '../../units.ts';
import type { Machine } from '../../workloads/workload.ts';

export function dryRunTable(
  suite: Suite,
  cases: readonly Case[],
  machine: Machine,
  { json }: { json: boolean },
): string {
  const total = runSeconds(cases, machine, suite.idleSeconds);
  if (json) {
    const rows = cases.map(({ id, launches, ...item }) => ({
      id,
      launches,
      expectedSeconds: launches * launchSeconds({ id, launches, ...item }, machine),
    }));
    return `${JSON.stringify({ suite: suite.name, expectedSeconds: total, cases: rows })}\n`;
  }
  const lines = cases.map(
    item =>
      `${formatDuration(item.launches * launchSeconds(item, machine)).padStart(8)}  ${item.launches} x  ${item.id}`,
  );
  return `${lines.join('\n')}\n\n${cases.length} cases, ${cases.reduce((sum, item) => sum + item.launches, 0)} launches, about ${formatDuration(total)}\n`;
}
