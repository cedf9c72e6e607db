/** The devices of a PJRT plugin, looked for in a process of its own with a time limit, once per process. */
import { callIsolated } from '../../native/isolated-call.ts';
import type { PjrtDevice, PjrtProbe } from '../../native/types.ts';
import { pjrtPlugins } from '../../runtime/pjrt-plugins.ts';
import { gpuPatienceSeconds, refusal } from '../gpu/devices.ts';
import type { Support } from '../workload.ts';

let probe: Promise<PjrtProbe> | undefined;

/** Path of the plugin that is used: the first that is there. */
export function pjrtPlugin(): string | undefined {
  return pjrtPlugins()[0];
}

/** Never rejects; a plugin that hangs or crashes is status `broken`. */
export function probePjrt(): Promise<PjrtProbe> {
  probe ??= ask(pjrtPlugin());
  return probe;
}

async function ask(plugin: string | undefined): Promise<PjrtProbe> {
  const nothing = { library: '', version: '', platform: '', platformVersion: '', devices: [] };
  if (plugin === undefined)
    return {
      ...nothing,
      status: 'absent',
      reason: 'no PJRT plugin was found (libtpu, Neuron, Tenstorrent, XLA for CUDA and ROCm)',
      remedy: 'Name the plugin of the device with AIBENCH_PJRT_PLUGIN=/path/to/plugin.so.',
    };
  const answer = await callIsolated('probePjrt', [plugin], 'the PJRT plugin', gpuPatienceSeconds());
  if (answer.status === 'ok') return answer.value;
  return { ...nothing, library: plugin, status: 'broken', reason: answer.reason, remedy: answer.remedy };
}

type Refusal = Extract<Support, { supported: false }>;

/** The device of that index; `auto` is the first. */
export function pjrtDevice(found: PjrtProbe, device: number | 'auto'): { device: PjrtDevice } | Refusal {
  if (found.status !== 'ok') return refusal(found);
  const chosen = found.devices[device === 'auto' ? 0 : device];
  if (chosen !== undefined) return { device: chosen };
  return {
    supported: false,
    reason: `there is no pjrt:${device}: the plugin lists ${found.devices.length}, from 0`,
    remedy: 'See `aibench list devices`.',
  };
}
