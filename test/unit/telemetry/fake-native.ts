/** The part of the addon that telemetry uses, in JavaScript: no library and no thread. */
import type {
  NativeAddon,
  NvmlProbe,
  SamplerChannel,
  SamplerReadings,
  SamplerStats,
} from '../../../src/native/types.ts';

export const NO_NVML: NvmlProbe = {
  status: 'absent',
  reason: 'libnvidia-ml.so.1: cannot open shared object file',
  remedy: 'install the NVIDIA driver',
};

export interface FakeSampler {
  channels: SamplerChannel[];
  started: boolean;
  stopped: boolean;
  /** Given out, and emptied, by the next drain. */
  pending: Record<string, SamplerReadings>;
  stats: SamplerStats;
}

type TelemetryNative = Pick<
  NativeAddon,
  'probeNvml' | 'probePerfEvent' | 'probeEnergyLibrary' | 'createSampler' | 'now'
>;

export function fakeNative(nvml: NvmlProbe = NO_NVML): {
  native: NativeAddon;
  sampler: FakeSampler;
  clock: { now: number };
} {
  const clock = { now: 100 };
  const sampler: FakeSampler = {
    channels: [],
    started: false,
    stopped: false,
    pending: {},
    stats: { channels: [], overruns: 0, cpuSeconds: 0.25 },
  };
  const native: TelemetryNative = {
    probeNvml: () => nvml,
    probePerfEvent: () => '',
    probeEnergyLibrary: () => ({ status: 'absent', reason: 'no such library', remedy: 'nothing to do' }),
    now: () => clock.now,
    createSampler: channels => {
      sampler.channels = channels;
      return {
        start: () => {
          sampler.started = true;
        },
        drain: () => {
          const readings = sampler.pending;
          sampler.pending = {};
          return readings;
        },
        stats: () => sampler.stats,
        stop: () => {
          sampler.stopped = true;
        },
      };
    },
  };
  return { native: native as NativeAddon, sampler, clock };
}

export function readings(timeSeconds: number[], values: number[]): SamplerReadings {
  return { timeSeconds: Float64Array.from(timeSeconds), values: Float64Array.from(values) };
}
