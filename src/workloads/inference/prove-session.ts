/** The proof of device and precision: a session of its own that is profiled, since profiling would slow the timed one. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { findModel } from '../../models/registry.ts';
import type { NamedTensors } from '../../models/tensor.ts';
import type { Warning } from '../../results/schema.ts';
import { providerOf } from './device.ts';
import type { Engine, SessionOptions } from './engine.ts';
import type { InferenceParams } from './params.ts';
import {
  type ExecutedNode,
  executedPrecision,
  fallbackShare,
  percent,
  provePrecision,
  readProfile,
  shares,
  shareText,
} from './proof.ts';
import { type Bind, runAll } from './scenario.ts';

export interface Proof {
  facts: Record<string, string | number | boolean | null>;
  warnings: Warning[];
  invalid?: { reason: string; remedy: string };
  /** What the profiled session gave for each set of inputs, where it ran. */
  outputs?: NamedTensors[];
}

/** Less of the time in the asked precision than this, and the number is of another precision. */
const PRECISION_SHARE = 0.5;
/** Less than this, and a warning says what the rest ran in. */
const WHOLE_SHARE = 0.95;
/** More of the time in kernels that do not show what they multiply in, and the precision is not proved. */
const OPAQUE_SHARE = 0.5;

/** Runs every input set once and again on a profiled session of the same options, and says what ran where. */
export async function proveSession(
  engine: Engine,
  file: string,
  options: SessionOptions,
  inputSets: readonly NamedTensors[],
  bind: Bind,
  params: InferenceParams,
): Promise<Proof> {
  const folder = mkdtempSync(path.join(os.tmpdir(), 'aibench-profile-'));
  try {
    let outputs: NamedTensors[];
    const session = await engine.open(file, { ...options, profilePrefix: path.join(folder, 'profile') });
    try {
      await runAll(session, inputSets, bind);
      outputs = await runAll(session, inputSets, bind);
      session.endProfiling();
    } finally {
      await session.release();
    }
    const [profile] = readdirSync(folder);
    if (profile === undefined) throw new Error('the engine wrote no profile');
    return { ...judge(readProfile(readFileSync(path.join(folder, profile), 'utf8')), options, params), outputs };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Pure: what the executed nodes say of what was asked for. */
export function judge(
  nodes: readonly ExecutedNode[],
  { device }: Pick<SessionOptions, 'device'>,
  { precision, cpuFallback, model }: Pick<InferenceParams, 'precision' | 'cpuFallback' | 'model'>,
): Proof {
  const provider = providerOf(device);
  const elsewhere = fallbackShare(nodes, provider);
  const ran = provePrecision(nodes, precision);
  // A file of the user's runs as it is: fp32 was not asked of it.
  const asked = precision !== 'fp32' || findModel(model) !== undefined;
  const facts = {
    provedBy: 'profiled session',
    executedNodes: new Set(nodes.map(({ name }) => name)).size,
    providers: shareText(shares(nodes, node => node.provider)),
    cpuFallbackNodes: elsewhere.nodes,
    cpuFallbackShare: elsewhere.share,
    executedPrecision: ran.text,
    timeByOperator: topOperators(nodes),
  };
  if (elsewhere.nodes > 0 && cpuFallback !== 'allow') {
    return {
      facts,
      warnings: [],
      invalid: {
        reason: `${elsewhere.nodes} nodes, ${percent(elsewhere.share)} of the time, ran on the CPU and not on ${device}.`,
        remedy:
          'Set cpuFallback=allow to have the number with that share, or export the model so that the device can run it.',
      },
    };
  }
  if (asked && ran.share !== null && ran.share < PRECISION_SHARE) {
    const casts = new Set(nodes.filter(({ op }) => op === 'Cast').map(({ name }) => name)).size;
    const inserted = casts > 0 ? `, beside ${casts} Cast nodes` : '';
    return {
      facts,
      warnings: [],
      invalid: {
        reason: `${model} was asked for in ${precision} and ran in another precision: ${ran.text} of the time in products with weights${inserted}.`,
        remedy: `This device has no ${precision} kernels for it: the number is of the precision that ran, and no gain of ${precision}.`,
      },
    };
  }
  if (ran.opaqueShare > OPAQUE_SHARE || (ran.share === null && (asked || device !== 'cpu'))) {
    return { facts, warnings: [unproved(model, precision, device)] };
  }
  return { facts, warnings: asked && (ran.share ?? 1) < WHOLE_SHARE ? [mixed(model, precision, ran.text)] : [] };
}

function unproved(model: string, precision: string, device: string): Warning {
  return {
    code: 'PRECISION_UNPROVED',
    message: `In which precision ${model} multiplied is not proved: ${device} ran it in kernels that do not show it.`,
    remedy: `Hold rate and verification error against another precision on ${device} before this is called a number of ${precision}.`,
  };
}

function mixed(model: string, precision: string, text: string): Warning {
  return {
    code: 'PRECISION_MIXED',
    message: `${model} was asked for in ${precision} and ran in it in part: ${text} of the time in products with weights.`,
    remedy: 'Read the gain as that of the mixture; timeByOperator shows which operators took the time.',
  };
}

function topOperators(nodes: readonly ExecutedNode[]): string {
  const total = nodes.reduce((sum, { seconds }) => sum + seconds, 0);
  return [...shares(nodes, node => `${node.op}${executedPrecision(node) === null ? '' : '*'}`)]
    .toSorted(([, a], [, b]) => b.seconds - a.seconds)
    .slice(0, 6)
    .map(([op, { seconds }]) => `${op} ${percent(total === 0 ? 0 : seconds / total)}`)
    .join(', ');
}
