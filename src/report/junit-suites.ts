/** Pure: JUnit XML as Jenkins' schema has it (junit-10.xsd of the xUnit plugin). Shared by documents and gates. */
import { element, escapeXml } from './xml.ts';

export interface JunitTest {
  name: string;
  className: string;
  seconds: number;
  outcome: 'passed' | 'failure' | 'error' | 'skipped';
  message?: string;
  output?: string;
}

export interface JunitSuite {
  name: string;
  /** RFC 3339; the schema takes it without fraction and zone. */
  timestamp?: string;
  properties: Record<string, string>;
  tests: readonly JunitTest[];
}

export function junitXml(suites: readonly JunitSuite[]): string {
  const body = suites.map(suiteElement);
  const totals = totalsOf(suites.flatMap(suite => suite.tests));
  return `<?xml version="1.0" encoding="UTF-8"?>\n${element('testsuites', totals, body.length === 0 ? [] : ['\n', ...body])}\n`;
}

function suiteElement({ name, timestamp, properties, tests }: JunitSuite): string {
  const entries = Object.entries(properties).map(([key, value]) => element('property', { name: key, value }));
  const children = tests.map(test => `  ${testElement(test)}\n`);
  return `${element(
    'testsuite',
    { name, ...totalsOf(tests), ...(timestamp !== undefined && { timestamp: timestamp.slice(0, 19) }) },
    ['\n', ...(entries.length === 0 ? [] : [`  ${element('properties', {}, entries)}\n`]), ...children],
  )}\n`;
}

function testElement({ name, className, seconds, outcome, message = '', output }: JunitTest): string {
  const children: string[] = [];
  if (outcome === 'skipped') children.push(element('skipped', { message }));
  if (outcome === 'failure' || outcome === 'error')
    children.push(element(outcome, { message, type: outcome }, [escapeXml(message)]));
  if (output !== undefined) children.push(`<system-out>${escapeXml(output)}</system-out>`);
  return element('testcase', { name, classname: className, time: time(seconds) }, children);
}

function totalsOf(tests: readonly JunitTest[]): Record<string, string | number> {
  const count = (outcome: JunitTest['outcome']): number => tests.filter(test => test.outcome === outcome).length;
  const seconds = tests.reduce((total, test) => total + test.seconds, 0);
  return { tests: tests.length, failures: count('failure'), errors: count('error'), time: time(seconds) };
}

/** The schema takes milliseconds at most. */
function time(seconds: number): string {
  return seconds.toFixed(3);
}
