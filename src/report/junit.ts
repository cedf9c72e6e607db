/** Cases as JUnit tests: failed and invalid cases are failures, skipped ones are skipped. */
import type { CaseResult } from '../results/schema.ts';
import type { ReportFormat } from './format.ts';
import { type JunitTest, junitXml } from './junit-suites.ts';
import { hostName } from './measurements.ts';

const OUTCOME: Record<CaseResult['status'], JunitTest['outcome']> = {
  measured: 'passed',
  skipped: 'skipped',
  invalid: 'failure',
  failed: 'failure',
};

export const junit: ReportFormat = {
  name: 'junit',
  summary: "JUnit XML that Jenkins, GitLab and most CI systems read (Jenkins' schema)",
  render: documents =>
    junitXml(
      documents.map(document => ({
        name: `${document.suite.name} on ${hostName(document)}`,
        timestamp: document.createdAt,
        properties: { id: document.id, cpu: document.host.cpu.brand, version: document.tool.version },
        tests: document.cases.map(toTest),
      })),
    ),
};

function toTest(result: CaseResult): JunitTest {
  const seconds = result.launches.reduce(
    (total, { windowSeconds }) =>
      total + (windowSeconds === undefined ? 0 : Math.max(0, windowSeconds[1] - windowSeconds[0])),
    0,
  );
  const metrics = Object.entries(result.metrics).map(([name, { value, unit }]) => `${name} ${value} ${unit}`);
  return {
    name: result.id,
    className: result.workload,
    seconds,
    outcome: OUTCOME[result.status],
    ...(result.status !== 'measured' && { message: result.reason ?? result.status }),
    ...(metrics.length > 0 && { output: metrics.join('\n') }),
  };
}
