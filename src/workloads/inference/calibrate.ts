/** Ranges of a model's tensors over a few seeded inputs, for static int8. */
import { ensureModel } from '../../models/model-cache.ts';
import type { ModelDefinition } from '../../models/registry.ts';
import type { Variant } from '../../models/variant.ts';
import type { Engine } from './engine.ts';
import { fidelityInputs } from './fidelity.ts';

/** Seeds of the calibration: fixed, so that every machine makes the same file, and none that a case is measured with. */
const SEEDS = [7001, 7002, 7003, 7004];

/** Fills `ranges` with the smallest and largest value of each tensor of the calibration. */
export async function calibrate(
  model: ModelDefinition,
  { name, version, calibration }: Variant,
  ranges: Map<string, [number, number]>,
  engine: Engine,
  cacheDir: string,
): Promise<void> {
  if (calibration === null) return;
  const file = ensureModel({ name: `${name}-calibration`, version }, calibration.graph, cacheDir);
  const session = await engine.open(file.path, { device: 'cpu', threads: 1, spinning: false, optimise: true });
  const outputs = calibration.tensors.flatMap(tensor => [`${tensor}.min`, `${tensor}.max`]);
  try {
    for (const seed of SEEDS) {
      const values = await session.bind(fidelityInputs(model, seed, 2), outputs)();
      const scalar = (output: string): number => Number(values[output]?.data[0] ?? Number.NaN);
      for (const tensor of calibration.tensors) {
        const [low, high] = ranges.get(tensor) ?? [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
        ranges.set(tensor, [Math.min(low, scalar(`${tensor}.min`)), Math.max(high, scalar(`${tensor}.max`))]);
      }
    }
  } finally {
    await session.release();
  }
}
