/** Reads a policy and finds, before any document is opened, whatever in it can never work. */
import { LIMIT_FRACTION } from '../analysis/observations.ts';
import { nearest } from '../config/nearest.ts';
import { parseStrictYaml, type StrictYaml } from '../config/strict-yaml.ts';
import { AibenchError } from '../errors.ts';
import { kindOf, type Policy, policySchema, type Rule } from './policy.ts';
import { findQuantity, QUANTITY_NAMES, type Quantity } from './quantities.ts';
import { parseQuantity } from './quantity-text.ts';
import { tagOf } from './selector.ts';

export type LoadedPolicy = StrictYaml<Policy>;

/**
 * @throws AibenchError POLICY_INVALID, exit 2, with file and line.
 */
export function parsePolicy(text: string, file: string): LoadedPolicy {
  const loaded = parseStrictYaml(text, file, policySchema as never, 'POLICY_INVALID') as LoadedPolicy;
  const ids = new Set<string>();
  loaded.value.rules.forEach((rule, index) => {
    if (ids.has(rule.id))
      throw ruleError(loaded, index, 'id', `the rule ${rule.id} stands twice`, 'Give it another id.');
    ids.add(rule.id);
    checkQuantity(loaded, rule, index);
  });
  if (loaded.value.rules.every(rule => rule.level !== 'error')) {
    throw new AibenchError(
      'POLICY_INVALID',
      `${loaded.locate(['rules'])}: no rule has level error: this policy could never fail.`,
      'Give at least one rule the level error.',
    );
  }
  return loaded;
}

function checkQuantity(loaded: LoadedPolicy, rule: Rule, index: number): void {
  const { costs } = loaded.value;
  const name = rule.on.quantity;
  const quantity = findQuantity(name, costs);
  if (quantity === null) {
    const guess = nearest(name, QUANTITY_NAMES);
    const hint = guess === null ? '' : `; did you mean \`${guess}\`?`;
    throw ruleError(loaded, index, 'on', `unknown metric \`${name}\`${hint}`, `Known: ${QUANTITY_NAMES.join(', ')}.`);
  }
  if (quantity.family === 'cost' && costs === undefined) {
    throw ruleError(
      loaded,
      index,
      'on',
      `${name} needs the policy's \`costs\``,
      'State price, lifetime, power price and PUE.',
    );
  }
  if (quantity.family === 'launch') {
    const tag = ['scope', 'source'].find(candidate => tagOf(rule.on, candidate) !== undefined);
    if (tag !== undefined) throw ruleError(loaded, index, 'on', `${name} has no ${tag}`, 'Remove the tag.');
  } else if (tagOf(rule.on, 'scope')?.length !== 1) {
    throw ruleError(
      loaded,
      index,
      'on',
      `${name} needs exactly one scope: what the power covers is part of the number`,
      `Write ${name}{scope:package}, or chip, board, module, node, wall.`,
    );
  }
  checkAmount(loaded, rule, index, quantity);
}

function checkAmount(loaded: LoadedPolicy, rule: Rule, index: number, quantity: Quantity): void {
  const kind = kindOf(rule);
  if (quantity.family === 'energy' && (kind === 'exact' || kind === 'quantile_at_most')) {
    throw ruleError(
      loaded,
      index,
      kind,
      `${kind} does not apply to ${quantity.name}`,
      'Use at_most, at_least or not_worse.',
    );
  }
  if (kind === 'quantile_at_most' && !quantity.name.startsWith('latency_seconds')) {
    throw ruleError(
      loaded,
      index,
      kind,
      'quantile_at_most applies to latencies',
      'Write on: latency_seconds_p50{...}.',
    );
  }
  const text = amountOf(rule);
  if (text === null || quantity.unit === null) return;
  const value = parseQuantity(text, quantity.unit);
  if (quantity.name === LIMIT_FRACTION && value !== null && value >= 1) {
    const never = kind === 'at_least' ? 'pass' : 'fail';
    throw ruleError(
      loaded,
      index,
      kind,
      `it can never ${never}: a case that reaches ${text} of its limit is invalid`,
      'Write a share below 100%.',
    );
  }
  if (value === null) {
    const example = quantity.unit === '1' ? '80%' : `100 ${quantity.unit}`;
    throw ruleError(
      loaded,
      index,
      kind,
      `\`${text}\` is not a value of ${quantity.name}`,
      `Write a number above 0 with its unit, such as ${example}.`,
    );
  }
}

/** The text of a rule's fixed value, where it has one. */
export function amountOf(rule: Rule): string | null {
  return rule.at_least ?? rule.at_most ?? rule.quantile_at_most?.value ?? null;
}

/** An error that names file and line of a rule's key. */
export function ruleError(
  loaded: LoadedPolicy,
  index: number,
  key: string,
  fact: string,
  remedy: string,
): AibenchError {
  const rule = loaded.value.rules[index];
  const where = loaded.locate(['rules', index, key]);
  return new AibenchError('POLICY_INVALID', `${where}: rule ${rule?.id ?? index}: ${fact}.`, remedy);
}
