/** What `aibench gate` and `aibench gate explain` do: read, check, evaluate, print, and turn the verdict into an exit code. */
import { appendFileSync } from 'node:fs';
import { machineOf } from '../../analysis/observations.ts';
import { AibenchError, allOrErrors, EXIT, type ExitCode, messageOf } from '../../errors.ts';
import { checkAgainstDocuments } from '../../gate/check.ts';
import { evaluate, type GateResult } from '../../gate/evaluate.ts';
import { gateAnnotations } from '../../gate/gate-github.ts';
import { gateJunit } from '../../gate/gate-junit.ts';
import { gateMarkdown, SUMMARY_LIMIT_BYTES } from '../../gate/gate-markdown.ts';
import type { Verdict } from '../../gate/judgement.ts';
import { type LoadedPolicy, parsePolicy } from '../../gate/load.ts';
import { selfTest } from '../../gate/self-test.ts';
import { readText } from '../../results/read.ts';
import type { ResultDocument } from '../../results/schema.ts';
import { wholeNumber } from '../choices.ts';
import { readEvidence } from '../evidence.ts';
import { explainText, gateText, selfTestText } from '../render/gate-text.ts';
import { writeOutput } from '../write-output.ts';
import type { ExplainFlags, GateFlags } from './gate.ts';

const EXIT_OF: Record<Verdict, ExitCode> = {
  PASS: EXIT.ok,
  FAIL: EXIT.failed,
  INCONCLUSIVE: EXIT.unmeasured,
  UNFIT: EXIT.unmeasured,
};

const MAX_POLICY_BYTES = 1 << 20;

export function gateAction(candidates: readonly string[], flags: GateFlags): void {
  if (flags.selfTest === true) {
    runSelfTest(candidates, flags);
    return;
  }
  const { result } = judgeFiles(candidates, flags);
  if (flags.markdown !== undefined) writeOutput(flags.markdown, gateMarkdown(result));
  if (flags.junit !== undefined) writeOutput(flags.junit, gateJunit(result));
  if (flags.json === true) process.stdout.write(`${JSON.stringify(result, null, 2)}\n`);
  else process.stdout.write(gateText(result));
  if (flags.github === true) reportToGithub(result, flags.json === true);
  process.exitCode = EXIT_OF[result.verdict];
}

export function explainAction(candidates: readonly string[], flags: ExplainFlags): void {
  const { policy, result } = judgeFiles(candidates, flags);
  const items = result.items.filter(
    item => (flags.rule === undefined || item.rule === flags.rule) && item.case.includes(flags.case ?? ''),
  );
  if (items.length === 0)
    throw new AibenchError(
      'USAGE',
      'No check has that rule and case.',
      `Rules: ${policy.value.rules.map(({ id }) => id).join(', ')}.`,
    );
  const reasons = new Map(policy.value.rules.map(rule => [rule.id, rule.reason]));
  process.stdout.write(explainText({ ...result, items }, reasons));
  process.exitCode = EXIT_OF[result.verdict];
}

export interface Judged {
  policy: LoadedPolicy;
  result: GateResult;
}

/** From files to a verdict: the whole path of the gate but for printing. */
export function judgeFiles(candidates: readonly string[], flags: { policy?: string; baseline?: string[] }): Judged {
  const policy = readPolicy(flags.policy);
  if (candidates.length === 0)
    throw new AibenchError(
      'USAGE',
      'There is no document to judge.',
      'Name one: aibench gate --policy p.yaml candidate.json.',
    );
  const [baseline = [], candidate = []] = allOrErrors([flags.baseline ?? [], candidates], files =>
    readEvidence(files, policy.value.evidence),
  );
  const documents = { baseline, candidate };
  checkAgainstDocuments(policy, documents);
  return { policy, result: evaluate(policy.value, documents) };
}

function readPolicy(file: string | undefined): LoadedPolicy {
  if (file === undefined)
    throw new AibenchError('USAGE', 'There is no policy.', 'Give one with --policy; `aibench gate init` writes one.');
  return parsePolicy(readText(file, MAX_POLICY_BYTES), file);
}

function runSelfTest(candidates: readonly string[], flags: GateFlags): void {
  const policy = readPolicy(flags.policy);
  const repeats = wholeNumber('--repeats', flags.repeats, 10, 100_000);
  const files = [...(flags.baseline ?? []), ...candidates];
  const documents: ResultDocument[] = readEvidence(files, policy.value.evidence);
  if (documents.length === 0)
    throw new AibenchError('USAGE', 'There is no document to split.', 'Name documents of one machine.');
  if (new Set(documents.map(machineOf)).size > 1)
    throw new AibenchError(
      'USAGE',
      'The documents are of several machines, which are not alike by nature.',
      'Name documents of one machine.',
    );
  checkAgainstDocuments(policy, { baseline: documents, candidate: documents });
  const test = selfTest(policy.value, documents, repeats);
  if (test === null) {
    throw new AibenchError(
      'SELF_TEST_IMPOSSIBLE',
      'There is nothing to split: a self-test needs a rule against a baseline, and four launches of every measured case.',
      'Run with --launches 10 or more, or give several documents of the machine.',
    );
  }
  process.stdout.write(flags.json === true ? `${JSON.stringify(test, null, 2)}\n` : selfTestText(test));
}

/** With --json standard output belongs to the JSON: then the annotations go to standard error, where GitHub reads them too. */
function reportToGithub(result: GateResult, json: boolean): void {
  (json ? process.stderr : process.stdout).write(gateAnnotations(result));
  const summary = process.env.GITHUB_STEP_SUMMARY;
  if (summary === undefined || summary === '') return;
  try {
    appendFileSync(summary, gateMarkdown(result, SUMMARY_LIMIT_BYTES));
  } catch (error) {
    throw new AibenchError(
      'OUTPUT_UNWRITABLE',
      `The job summary cannot be written: ${messageOf(error)}.`,
      'Check $GITHUB_STEP_SUMMARY.',
    );
  }
}
