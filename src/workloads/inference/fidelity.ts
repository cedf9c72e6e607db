/** What a compression costs in the output: the compressed model against the fp32 one, on the same inputs. */

import { llamaTokens, prefillInputs } from '../../models/llama.ts';
import { ensureModel } from '../../models/model-cache.ts';
import { mixSeeds } from '../../models/random.ts';
import type { ModelDefinition } from '../../models/registry.ts';
import type { NamedTensors, TensorValue } from '../../models/tensor.ts';
import type { Precision } from '../../models/variant.ts';
import type { Verification } from '../../results/schema.ts';
import { withCacheType } from './cache-type.ts';
import { rmsError, toNumbers } from './compare.ts';
import type { Engine, EngineSession } from './engine.ts';
import type { InferenceParams } from './params.ts';

/** Rows that are compared. Top-1 agreement of so few is coarse: 6 % steps. */
const ROWS = 16;
const BATCH = 4;
/** Tokens of a row; the error does not need long texts. */
const LONGEST = 32;

export interface Fidelity {
  fp32Rows: number;
  /** The lowest of all rows. */
  fp32Cosine: number;
  /** Largest |y - r| over the root mean square of r. */
  fp32MaxError: number;
  /** rms(y - r) / rms(r) of all rows of a batch; the largest of four. */
  fp32RmsError: number;
  /** Share of rows whose largest element is the same one. */
  fp32Top1Agreement: number;
}

/**
 * What fp32RmsError may be: 1.5 times the largest that was measured, since the models are random and amplify what rounding does, more so the deeper they are
 * (docs/inference.md). A net for what two sessions on one file have in common, such as a scale that the file or an operator has wrong; finer faults show against
 * the unoptimised graph. Pruning takes weights away: no bound.
 */
const FP32_RMS_LIMIT: Record<Precision, number> = {
  fp32: 1e-3,
  fp16: 5e-3,
  'int8-dynamic': 0.13,
  'int8-qdq': 0.13,
  int4: 0.7,
};

/** The verification, or that the compressed model is not the fp32 one any more. */
export function withinFidelity(
  { fp32RmsError }: Pick<Fidelity, 'fp32RmsError'>,
  { precision, sparsity }: Pick<InferenceParams, 'precision' | 'sparsity'>,
  verification: Verification,
): Verification {
  const limit = FP32_RMS_LIMIT[precision];
  if (sparsity !== undefined || fp32RmsError <= limit) return verification;
  return {
    method: `output against the fp32 model: rms(y-r) / rms(r), ${ROWS} rows`,
    passed: false,
    error: Number.isFinite(fp32RmsError) ? fp32RmsError : null,
    tolerance: limit,
  };
}

/** Runs both on seeded inputs of their own and compares the output that a benchmark fetches, row by row. */
export async function measureFidelity(
  model: ModelDefinition,
  session: EngineSession,
  engine: Engine,
  options: { threads: number; seed: number; cacheDir: string },
): Promise<Fidelity> {
  const base = ensureModel(model, model.build(), options.cacheDir);
  const reference = await engine.open(base.path, {
    device: 'cpu',
    threads: options.threads,
    spinning: false,
    optimise: true,
  });
  const result = { fp32Rows: 0, fp32Cosine: 1, fp32MaxError: 0, fp32RmsError: 0, fp32Top1Agreement: 0 };
  try {
    let agreeing = 0;
    for (let set = 0; set < ROWS / BATCH; set++) {
      const inputs = fidelityInputs(model, mixSeeds(options.seed, 1000 + set));
      const expected = await outputOf(reference, inputs, model.output);
      const actual = await outputOf(session, inputs, model.output);
      const numbers = { type: 'float32', dims: actual.dims, data: Float32Array.from(toNumbers(actual)) };
      result.fp32RmsError = Math.max(result.fp32RmsError, rmsError(numbers, expected));
      for (const row of compareRows(actual, expected)) {
        result.fp32Rows += 1;
        result.fp32Cosine = Math.min(result.fp32Cosine, row.cosine);
        result.fp32MaxError = Math.max(result.fp32MaxError, row.maxError);
        agreeing += row.sameTop ? 1 : 0;
      }
    }
    result.fp32Top1Agreement = agreeing / result.fp32Rows;
    return result;
  } finally {
    await reference.release();
  }
}

/** Inputs for a calibration or a comparison: batch rows of no more than 32 tokens. */
export function fidelityInputs(model: ModelDefinition, seed: number, batch = BATCH): NamedTensors {
  const sequence = Math.min(LONGEST, model.sequence?.default ?? 1);
  return model.kind === 'decoder'
    ? prefillInputs(model.config, llamaTokens(model.config, batch, sequence, seed))
    : model.inputs({ batch, sequence }, seed);
}

async function outputOf(session: EngineSession, inputs: NamedTensors, output: string): Promise<TensorValue> {
  const value = (await session.bind(withCacheType(inputs, session), [output])())[output];
  if (value === undefined) throw new Error(`the session returned no ${output}`);
  return value;
}

/** Pure. A row is all of one element of the first dimension. */
export function compareRows(
  actual: TensorValue,
  expected: TensorValue,
): { cosine: number; maxError: number; sameTop: boolean }[] {
  const y = toNumbers(actual);
  const r = toNumbers(expected);
  const rows = expected.dims[0] ?? 1;
  const length = r.length / rows;
  return Array.from({ length: rows }, (_, row) => {
    const sums = { yy: 0, rr: 0, yr: 0, worst: 0 };
    let topY = row * length;
    let topR = topY;
    for (let i = row * length; i < (row + 1) * length; i++) {
      const a = y[i] ?? Number.NaN;
      const b = r[i] ?? Number.NaN;
      sums.yy += a * a;
      sums.rr += b * b;
      sums.yr += a * b;
      sums.worst = Math.max(sums.worst, Math.abs(a - b));
      if (a > (y[topY] ?? Number.NaN)) topY = i;
      if (b > (r[topR] ?? Number.NaN)) topR = i;
    }
    const scale = Math.sqrt(sums.rr / length);
    return {
      cosine: sums.yr / Math.sqrt(sums.yy * sums.rr),
      maxError: sums.worst / scale,
      sameTop: topY === topR,
    };
  });
}
