/** Parameters that all work on devices shares. */
import { z } from 'zod';

/** Number of the device as `aibench list devices` shows it, or `auto`: the first that is no software. */
export const deviceParam = z.union([z.int().min(0).max(4095), z.literal('auto')]).default('auto');
export type DeviceParam = z.infer<typeof deviceParam>;

/** `opencl:1`; `opencl` for auto. */
export function deviceName(kind: string, device: DeviceParam): string {
  return device === 'auto' ? kind : `${kind}:${device}`;
}

/** What the addon takes: left out for auto. */
export function deviceOption(device: DeviceParam): { device?: number } {
  return device === 'auto' ? {} : { device };
}

/** For a case's short name: ` d=1`, or nothing for auto. */
export function deviceLabel(device: DeviceParam): string {
  return device === 'auto' ? '' : ` d=${device}`;
}
