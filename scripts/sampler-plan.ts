/** For bench-sampler.mjs: the recorder's own plan on this machine, and its rates for what this machine lacks. */
import type { NativeAddon, SamplerChannel } from '../src/native/types.ts';
import { type RateClass, readable } from '../src/telemetry/channel.ts';
import { planChannels } from '../src/telemetry/plan.ts';
import { DEFAULT_ROOTS, probeAll } from '../src/telemetry/registry.ts';

export async function ownPlan(native: NativeAddon): Promise<SamplerChannel[]> {
  return planChannels(await probeAll(DEFAULT_ROOTS, native));
}

/** A file in the place of a sensor, at the pace that the plan gives to such a sensor. */
export function standIn(
  id: string,
  read: SamplerChannel['read'],
  rate: RateClass,
  updatePeriodSeconds?: number,
): SamplerChannel[] {
  const power = { quantity: 'power', unit: 'W' };
  const what = {
    id,
    kind: rate === 'counter' ? ('counter' as const) : ('gauge' as const),
    scope: 'board' as const,
    covers: [],
    ...(rate === 'counter'
      ? { quantity: 'energy', unit: 'J' }
      : rate === 'gauge'
        ? power
        : { quantity: rate, unit: '1' }),
    ...(updatePeriodSeconds === undefined ? {} : { updatePeriodSeconds }),
  };
  return planChannels([readable(what, read, 1, rate)]);
}
