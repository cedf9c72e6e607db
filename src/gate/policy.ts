/** The policy: what must hold for a machine to be accepted, as data. Strict: an unknown key is an error. */
import * as z from 'zod';
import { parsePercent } from './quantity-text.ts';
import { parseSelector, type Selector } from './selector.ts';

export const POLICY_SCHEMA_ID = 'aibench.policy/1';

const sentence = z.string().trim().min(3).max(1000);

const percent = z.string().transform((text, context): number => {
  const share = parsePercent(text);
  if (share !== null && share > 0 && share < 1) return share;
  context.issues.push({
    code: 'custom',
    input: text,
    message: `\`${text}\` is not a percentage between 0 and 100, such as 5%`,
  });
  return z.NEVER;
});

const selector = z
  .string()
  .max(2000)
  .transform((text, context): Selector => {
    const parsed = parseSelector(text);
    if (typeof parsed !== 'string') return parsed;
    context.issues.push({ code: 'custom', input: text, message: parsed });
    return z.NEVER;
  });

/** A number with its unit, as text: read when the quantity, and so the unit, is known. */
const amount = z.string().max(100);

export const RULE_KINDS = [
  'not_worse',
  'better_by',
  'equivalent',
  'at_least',
  'at_most',
  'quantile_at_most',
  'exact',
] as const;
export type RuleKind = (typeof RULE_KINDS)[number];

const ruleSchema = z
  .strictObject({
    id: z.string().regex(/^[a-z0-9][a-z0-9._-]{0,99}$/, 'must be lower-case letters, digits, dots and dashes'),
    /** Why the rule is there. Required: a gate that nobody can explain is switched off at its first alarm. */
    reason: sentence,
    level: z.enum(['error', 'warn', 'off']).default('error'),
    on: selector,
    not_worse: percent.optional(),
    better_by: percent.optional(),
    equivalent: percent.optional(),
    at_least: amount.optional(),
    at_most: amount.optional(),
    quantile_at_most: z.strictObject({ quantile: percent, value: amount }).optional(),
    exact: z.literal(true).optional(),
  })
  .check(context => {
    const given = RULE_KINDS.filter(kind => context.value[kind] !== undefined);
    if (given.length === 1) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      path: ['id'],
      message: `a rule has exactly one of ${RULE_KINDS.join(', ')}; this one has ${given.length === 0 ? 'none' : given.join(' and ')}`,
    });
  });
export type Rule = z.infer<typeof ruleSchema>;

const costsSchema = z.strictObject({
  currency: z.string().regex(/^[A-Z]{3}$/, 'must be three capital letters, such as USD'),
  pricePerUnit: z.number().min(0).max(1e12),
  /** Hours over which the price is written off. */
  lifetimeHours: z.number().positive().max(1e6),
  /** Share of those hours in which the machine works. */
  utilisation: percent.optional(),
  powerPricePerKilowattHour: z.number().min(0).max(1e6),
  /** Facility power over machine power. */
  pue: z.number().min(1).max(10),
});
export type Costs = z.infer<typeof costsSchema>;

export const policySchema = z.strictObject({
  schema: z.literal(POLICY_SCHEMA_ID),
  name: sentence,
  description: z.string().max(10_000).optional(),
  /** One-sided error of each rule: the chance of a PASS at the margin. */
  alpha: z.number().min(0.0001).max(0.25).default(0.05),
  /** Of the bootstrap and the self-test. */
  seed: z
    .number()
    .int()
    .min(0)
    .max(2 ** 32 - 1)
    .default(1),
  evidence: z
    .strictObject({
      seal: z.enum(['required', 'optional']).default('required'),
      /** Public keys, one of which must have signed each document. */
      signedBy: z
        .array(z.string().regex(/^ed25519:[A-Za-z0-9+/]{43}=$/, 'must be ed25519:<base64 of a public key>'))
        .min(1)
        .optional(),
    })
    .default({ seal: 'required' }),
  fitness: z
    .strictObject({
      /** Warning codes that make a case UNFIT, in place of the built-in list. */
      unfitOn: z.array(z.string().regex(/^[A-Z][A-Z0-9_]*$/, 'must be a warning code, such as THROTTLED')).optional(),
      /** How far the machine's own ceilings may move between two runs of one machine. */
      ceilingShift: z.union([percent, z.literal('off')]).optional(),
    })
    .default({}),
  costs: costsSchema.optional(),
  rules: z.array(ruleSchema).min(1).max(1000),
});
export type Policy = z.infer<typeof policySchema>;

/** The kind of a rule; the schema makes sure that there is exactly one. */
export function kindOf(rule: Rule): RuleKind {
  const kind = RULE_KINDS.find(candidate => rule[candidate] !== undefined);
  if (kind === undefined) throw new Error(`rule ${rule.id} has no kind`);
  return kind;
}

const AGAINST_BASELINE: ReadonlySet<RuleKind> = new Set(['not_worse', 'better_by', 'equivalent', 'exact']);

export function needsBaseline(rule: Rule): boolean {
  return AGAINST_BASELINE.has(kindOf(rule));
}
