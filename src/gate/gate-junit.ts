/** Pure: a gate's items as JUnit tests: FAIL is a failure, what is undecided or unfit an error, a warning is skipped. */
import { type JunitTest, junitXml } from '../report/junit-suites.ts';
import type { GateItem, GateResult } from './evaluate.ts';

export function gateJunit(result: GateResult): string {
  const tests = result.items.map(toTest);
  return junitXml([
    { name: `aibench gate: ${result.policy}`, properties: { verdict: result.verdict, claim: result.claim }, tests },
  ]);
}

function toTest(item: GateItem): JunitTest {
  const outcome = outcomeOf(item);
  return {
    name: item.case,
    className: item.rule,
    seconds: 0,
    outcome,
    ...(outcome !== 'passed' && { message: `${item.verdict}: ${item.reason}` }),
  };
}

function outcomeOf({ verdict, level }: GateItem): JunitTest['outcome'] {
  if (verdict === 'PASS') return 'passed';
  if (level === 'warn') return 'skipped';
  return verdict === 'FAIL' ? 'failure' : 'error';
}
