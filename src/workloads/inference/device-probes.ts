/** What this machine says of a device: by what is installed, by its adapter, and by running the model there. */
import { messageOf } from '../../errors.ts';
import { findOrt } from '../../runtime/ort.ts';
import { findAdapter, mayHaveGpu } from './adapter.ts';
import type { DeviceProbes } from './choose-device.ts';
import { deviceSupport } from './device.ts';
import type { Engine, SessionOptions } from './engine.ts';
import { type EngineName, engineSupport } from './engines.ts';
import type { ResolvedModel } from './model-source.ts';
import { ortError } from './ort-errors.ts';
import type { InferenceParams } from './params.ts';
import { proveSession } from './prove-session.ts';
import { planScenario } from './scenario.ts';

export function installedDevices(engine: EngineName, mode: InferenceParams['mode']): Omit<DeviceProbes, 'attempt'> {
  return {
    support: device => {
      const ort = findOrt();
      if (ort.status === 'absent') return { supported: false, reason: ort.reason, remedy: ort.remedy };
      const support = deviceSupport(device, ort);
      return support.supported ? engineSupport(engine, device, ort, mode) : support;
    },
    mayHaveGpu,
    adapter: findAdapter,
  };
}

/** Runs the model on the device, profiled, and gives what speaks against taking it: an error, or nodes that ran elsewhere. */
export async function attempt(
  engine: Engine,
  model: ResolvedModel,
  options: SessionOptions,
  params: InferenceParams,
  seed: number,
): Promise<string | null> {
  try {
    const session = await engine.open(model.path, options);
    try {
      const scenario = planScenario(params, seed, model.macs, session);
      const inputs = await scenario.timedInputs(session);
      const { invalid } = await proveSession(engine, model.path, options, inputs, scenario.bind, params);
      return invalid?.reason ?? null;
    } finally {
      await session.release();
    }
  } catch (error) {
    return messageOf(ortError(error, params.model));
  }
}
