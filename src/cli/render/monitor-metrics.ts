/** OpenMetrics text of a frame (specification 1.0). Pure. Families and labels are listed in docs/monitor.md. */
import type { SourceDescription } from '../../results/schema.ts';
import type { MonitorFrame, MonitorReading } from '../../telemetry/monitor.ts';

export const METRICS_TYPE = 'application/openmetrics-text; version=1.0.0; charset=utf-8';

interface Family {
  name: string;
  unit: string;
  help: string;
}

const FAMILIES: Readonly<Record<string, Family>> = {
  power: {
    name: 'power',
    unit: 'watts',
    help: 'Power by source. Sources overlap: never add without looking at scope.',
  },
  temperature: { name: 'temperature', unit: 'celsius', help: 'Temperature by sensor.' },
  memoryTemperature: { name: 'memory_temperature', unit: 'celsius', help: 'Temperature of device memory.' },
  clock: { name: 'clock', unit: 'hertz', help: 'Clock of a CPU or GPU.' },
  memoryClock: { name: 'memory_clock', unit: 'hertz', help: 'Clock of device memory.' },
  utilization: { name: 'utilization', unit: 'ratio', help: 'Share of time with a kernel running.' },
  throttleReasons: { name: 'throttle_reasons', unit: '', help: 'Bit mask of NVML clocks event reasons.' },
  throttledTime: { name: 'throttled', unit: 'ratio', help: 'Seconds held back by the CPU quota per second.' },
  throttleTime: {
    name: 'heat_throttled',
    unit: 'ratio',
    help: 'Seconds that heat held a CPU package back, per second.',
  },
  powerCapTime: { name: 'power_capped', unit: 'ratio', help: 'Seconds at the power limit of a GPU per second.' },
  thermalTime: { name: 'thermal_slowdown', unit: 'ratio', help: 'Seconds of a GPU slowed down for heat, per second.' },
  hardwareThermalTime: {
    name: 'hardware_thermal_slowdown',
    unit: 'ratio',
    help: 'Seconds of a GPU slowed down by its hardware for heat, per second.',
  },
  powerBrakeTime: { name: 'power_brake', unit: 'ratio', help: 'Seconds of a GPU under a power brake, per second.' },
  syncBoostTime: { name: 'sync_boost', unit: 'ratio', help: 'Seconds of a GPU as slow as the slowest of its group.' },
  nvlinkTx: { name: 'nvlink_sent', unit: 'bytes_per_second', help: 'Data sent over all NVLinks of a GPU.' },
  nvlinkRx: { name: 'nvlink_received', unit: 'bytes_per_second', help: 'Data received over all NVLinks of a GPU.' },
  pcieTx: { name: 'pcie_sent', unit: 'bytes_per_second', help: 'Sent over PCIe during 20 ms of each second.' },
  pcieRx: { name: 'pcie_received', unit: 'bytes_per_second', help: 'Received over PCIe during 20 ms of each second.' },
  userTime: { name: 'cpu_user', unit: 'ratio', help: 'CPU seconds per second in user mode.' },
  systemTime: { name: 'cpu_system', unit: 'ratio', help: 'CPU seconds per second in the kernel.' },
  iowaitTime: { name: 'cpu_iowait', unit: 'ratio', help: 'CPU seconds per second waiting for devices.' },
  stealTime: { name: 'cpu_steal', unit: 'ratio', help: 'CPU seconds per second taken by the hypervisor.' },
  load: { name: 'load', unit: '', help: 'Load average of one minute.' },
  memory: { name: 'memory', unit: 'bytes', help: 'Memory held by the own control group.' },
};

/** Everything that has a value now, and one line per source that says whether it is read: found at the start, and answering now. */
export function monitorMetrics(frame: MonitorFrame, sources: readonly SourceDescription[]): string {
  const out: string[] = [];
  for (const [quantity, family] of Object.entries(FAMILIES)) {
    const members = frame.readings.filter(reading => reading.quantity === quantity && reading.value !== null);
    if (members.length > 0) out.push(...familyLines(family, members));
  }
  const answering = new Set(frame.readings.flatMap(({ source, value }) => (value === null ? [] : [source])));
  out.push('# TYPE aibench_source_ok gauge', '# HELP aibench_source_ok Whether a source gives readings now.');
  for (const { id, scope, status } of sources) {
    out.push(`aibench_source_ok${labels({ source: id, scope, status })} ${answering.has(id) ? 1 : 0}`);
  }
  return `${out.join('\n')}\n# EOF\n`;
}

function familyLines({ name, unit, help }: Family, members: readonly MonitorReading[]): string[] {
  const full = `aibench_${name}${unit === '' ? '' : `_${unit}`}`;
  const lines = [`# TYPE ${full} gauge`, ...(unit === '' ? [] : [`# UNIT ${full} ${unit}`]), `# HELP ${full} ${help}`];
  for (const { source, scope, kind, value } of members) {
    lines.push(`${full}${labels({ source, scope, sensor: kind })} ${value}`);
  }
  return lines;
}

function labels(pairs: Record<string, string>): string {
  const escaped = (text: string): string => text.replace(/\\/g, '\\\\').replace(/"/g, '\\"').replace(/\n/g, '\\n');
  return `{${Object.entries(pairs)
    .map(([key, value]) => `${key}="${escaped(value)}"`)
    .join(',')}}`;
}
