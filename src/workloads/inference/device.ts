/** Devices that an inference case can ask for, and what onnxruntime-node needs to have for each. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import type { OrtLookup } from '../../runtime/ort.ts';
import type { Support } from '../workload.ts';

export const DEVICES = ['auto', 'cpu', 'cuda', 'tensorrt', 'webgpu', 'coreml'] as const;
export type Device = (typeof DEVICES)[number];

interface DeviceRow {
  device: Device;
  /** Where the released packages of onnxruntime-node have this provider: process.platform/process.arch. */
  platforms: readonly string[] | 'all';
  /** A library beside the binding that the package does not bring along. */
  library: string | null;
  /** As session nodes are labelled with it. */
  provider: string;
}

const ROWS: readonly DeviceRow[] = [
  { device: 'cpu', platforms: 'all', library: null, provider: 'CPUExecutionProvider' },
  {
    device: 'cuda',
    platforms: ['linux/x64'],
    library: 'libonnxruntime_providers_cuda.so',
    provider: 'CUDAExecutionProvider',
  },
  {
    device: 'tensorrt',
    platforms: ['linux/x64'],
    library: 'libonnxruntime_providers_tensorrt.so',
    provider: 'TensorrtExecutionProvider',
  },
  {
    device: 'webgpu',
    platforms: ['linux/x64', 'darwin/arm64', 'win32/x64', 'win32/arm64'],
    library: null,
    provider: 'WebGpuExecutionProvider',
  },
  { device: 'coreml', platforms: ['darwin/arm64'], library: null, provider: 'CoreMLExecutionProvider' },
];

/** What a device needs at the least: `auto` has the CPU where nothing better runs the model (choose-device.ts). */
export function resolveDevice(device: Device): Exclude<Device, 'auto'> {
  return device === 'auto' ? 'cpu' : device;
}

/** The execution provider's name in ONNX Runtime. */
export function providerOf(device: Exclude<Device, 'auto'>): string {
  return ROWS.find(row => row.device === device)?.provider ?? device;
}

/** Whether the installed library has what the device needs. Looks at files only; the session itself is the proof. */
export function deviceSupport(
  device: Device,
  ort: Extract<OrtLookup, { status: 'ok' }>,
  platform = `${process.platform}/${process.arch}`,
): Support {
  const row = ROWS.find(candidate => candidate.device === resolveDevice(device));
  if (row === undefined || (row.platforms !== 'all' && !row.platforms.includes(platform))) {
    return {
      supported: false,
      reason: `onnxruntime-node ${ort.version} has no ${device} provider on ${platform}.`,
      remedy: 'Use device=cpu.',
    };
  }
  if (row.library !== null && !existsSync(path.join(ort.binaryFolder, row.library))) {
    return {
      supported: false,
      reason: `onnxruntime-node ${ort.version} is installed without its ${device} library (${row.library}).`,
      remedy:
        'Run `node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install`, which downloads the CUDA libraries from NuGet.',
    };
  }
  return { supported: true };
}
