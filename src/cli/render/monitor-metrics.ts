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
  throttledTime: { name: 'throttled', unit: 'ratio', help: 'Seconds held back per second.' },
  userTime: { name: 'cpu_user', unit: 'ratio', help: 'CPU seconds per second in user mode.' },
  systemTime: { name: 'cpu_system', unit: 'ratio', help: 'CPU seconds per second in the kernel.' },
  iowaitTime: { name: 'cpu_iowait', unit: 'ratio', help: 'CPU seconds per second waiting for devices.' },
  stealTime: { name: 'cpu_steal', unit: 'ratio', help: 'CPU seconds per second taken by the hypervisor.' },
  load: { name: 'load', unit: '', help: 'Load average of one minute.' },
  memory: { name: 'memory', unit: 'bytes', help: 'Memory held by the own control group.' },
};

/** Everything that has a value now, and one line per source that says whether it can be read. */
export function monitorMetrics(frame: MonitorFrame, sources: readonly SourceDescription[]): string {
  const out: string[] = [];
  for (const [quantity, family] of Object.entries(FAMILIES)) {
    const members = frame.readings.filter(reading => reading.quantity === quantity && reading.value !== null);
    if (members.length > 0) out.push(...familyLines(family, members));
  }
  out.push('# TYPE aibench_source_ok gauge', '# HELP aibench_source_ok Whether a source can be read.');
  for (const { id, scope, status } of sources) {
    out.push(`aibench_source_ok${labels({ source: id, scope, status })} ${status === 'ok' ? 1 : 0}`);
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
