/**
 * What a rule is about, in the form that k6 made common: `flops_per_second{workload:gemm,dtype:bf16|f16}`. A tag is
 * `workload`, `backend`, `device`, `id`, for energy `scope` and `source`, or a parameter of the workload; alternatives
 * stand between bars. Nothing is evaluated.
 */
import type { CaseResult } from '../results/schema.ts';

export interface Selector {
  quantity: string;
  tags: Tag[];
}

export interface Tag {
  name: string;
  values: string[];
}

/** Tags that every case has. */
export const CASE_TAGS: readonly string[] = ['workload', 'backend', 'device', 'id'];
/** Tags that choose among a case's energy readings, not among cases. */
export const ENERGY_TAGS: readonly string[] = ['scope', 'source'];

/** @returns the selector, or a sentence that says what is wrong with the text. */
export function parseSelector(text: string): Selector | string {
  const match = /^([a-z][a-z0-9_.]*)(?:\{(.*)\})?$/s.exec(text.trim());
  if (match?.[1] === undefined) return `\`${text}\` is not of the form metric{tag:value,...}`;
  const tags: Tag[] = [];
  for (const part of splitOutside(match[2] ?? '')) {
    const colon = part.indexOf(':');
    const name = part.slice(0, colon).trim();
    const values = part
      .slice(colon + 1)
      .split('|')
      .map(value => value.trim());
    if (colon < 1 || values.some(value => value === '')) return `\`${part.trim()}\` is not of the form tag:value`;
    if (tags.some(tag => tag.name === name)) return `the tag ${name} stands twice`;
    tags.push({ name, values });
  }
  return { quantity: match[1], tags };
}

/** Case ids hold commas, so a comma only separates tags where `name:` follows it. */
function splitOutside(text: string): string[] {
  return text.trim() === '' ? [] : text.split(/,(?=\s*[A-Za-z_][\w.]*\s*:)/);
}

/** Whether every tag that chooses cases holds. */
export function selects(selector: Selector, result: CaseResult): boolean {
  return selector.tags.every(({ name, values }) => {
    if (ENERGY_TAGS.includes(name)) return true;
    const actual = tagValue(result, name);
    return actual !== undefined && values.includes(actual);
  });
}

export function tagOf(selector: Selector, name: string): string[] | undefined {
  return selector.tags.find(tag => tag.name === name)?.values;
}

function tagValue(result: CaseResult, name: string): string | undefined {
  if (CASE_TAGS.includes(name)) return String(result[name as 'workload' | 'backend' | 'device' | 'id']);
  if (!Object.hasOwn(result.params, name)) return undefined;
  return paramText(result.params[name]);
}

/** The value of a parameter as selectors name it: lists with `x` between. */
export function paramText(value: CaseResult['params'][string] | undefined): string {
  return Array.isArray(value) ? value.join('x') : String(value);
}
