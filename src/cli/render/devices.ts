/** GPUs as `list devices` and `doctor` show them. Pure. */
import type { GpuDevice, GpuLibraryState, GpuProbe, OpenclDevice, OpenclProbe } from '../../native/types.ts';
import { sentences } from './sentence.ts';

const LIBRARIES: Record<GpuProbe['vendor'], { matmul: string; collective: string }> = {
  cuda: { matmul: 'cuBLASLt', collective: 'NCCL' },
  rocm: { matmul: 'hipBLASLt', collective: 'RCCL' },
};

/** What is known of a device beside its name and its memory. */
export function deviceDetail(probe: GpuProbe, device: GpuDevice): string {
  return [
    `${device.multiprocessors} ${probe.vendor === 'cuda' ? 'SMs' : 'CUs'}`,
    `compute capability ${device.computeCapability}`,
    device.pciBusId === '' ? '' : `PCI ${device.pciBusId}`,
    device.numaNode === null ? '' : `NUMA node ${device.numaNode}`,
    device.instanceUuid === '' ? '' : 'a MIG instance',
    `driver for ${probe.vendor === 'cuda' ? 'CUDA' : 'ROCm'} ${probe.driverVersion}`,
    libraryText(LIBRARIES[probe.vendor].matmul, probe.matmul),
    libraryText(LIBRARIES[probe.vendor].collective, probe.collective),
  ]
    .filter(part => part !== '')
    .join(', ');
}

function libraryText(name: string, state: GpuLibraryState): string {
  return state.status === 'ok'
    ? `${name}${state.version === '' ? '' : ` ${state.version}`}`
    : `no ${name} (${state.reason})`;
}

/** As deviceDetail, of a device that OpenCL lists. */
export function openclDetail({ clblast }: OpenclProbe, device: OpenclDevice): string {
  return [
    device.software ? 'software: computes on the CPU' : device.type,
    device.platform,
    `driver ${device.driverVersion}`,
    `${device.computeUnits} compute units`,
    ...(device.compiler ? [] : ['no compiler for OpenCL C']),
    libraryText('CLBlast', clblast),
    ...(clblast.status === 'ok' ? [`multiplies in ${device.dtypes.join(', ')}`] : []),
  ].join(', ');
}

/** For output that is passed on: what identifies a board, or where it sits, is left out. */
export function withoutIds(probe: GpuProbe): object {
  return {
    ...probe,
    devices: probe.devices.map(({ uuid: _uuid, instanceUuid, pciBusId: _place, ...device }) => ({
      ...device,
      mig: instanceUuid !== '',
    })),
  };
}

/** Lines of `doctor`: each GPU, what is there and cannot be used, or that there is none. */
export function gpuLines(probes: readonly GpuProbe[]): string[] {
  const lines = probes.flatMap(probe =>
    probe.status === 'ok'
      ? probe.devices.map(device => `${probe.vendor}:${device.index}`.padEnd(13) + deviceDetail(probe, device))
      : probe.status === 'absent'
        ? []
        : [`${probe.vendor.padEnd(12)} ${probe.status}: ${sentences(probe.reason, probe.remedy)}`],
  );
  const libraries = probes
    .filter(probe => probe.status === 'ok')
    .flatMap(probe => [probe.matmul, probe.collective])
    .filter(state => state.status !== 'ok')
    .map(state => `             ${sentences(state.reason, state.remedy)}`);
  if (lines.length > 0) return [...lines, ...libraries];
  return [`GPUs         ${probes.map(probe => sentences(probe.reason)).join(' ')}`];
}
