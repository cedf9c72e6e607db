/** The terminal view of `aibench monitor`: power per scope, temperature, clocks, utilisation, throttling. Pure. */
import type { MonitorFrame, MonitorReading } from '../../telemetry/monitor.ts';
import { sparkline } from './sparkline.ts';

const SPARK_WIDTH = 24;
/** Minutes of the machine on one screen; the rest is in --json. */
const SECTIONS: readonly [title: string, quantities: readonly string[]][] = [
  ['power', ['power']],
  ['temperature', ['temperature', 'memoryTemperature']],
  ['clock', ['clock', 'memoryClock']],
  ['utilisation', ['utilization', 'userTime', 'systemTime', 'stealTime', 'load']],
  [
    'throttling',
    [
      ...['throttleReasons', 'throttledTime', 'throttledPeriods', 'throttleTime'],
      ...['powerCapTime', 'thermalTime', 'hardwareThermalTime', 'powerBrakeTime', 'syncBoostTime'],
    ],
  ],
  ['links', ['nvlinkTx', 'nvlinkRx', 'pcieTx', 'pcieRx']],
];

/** `history` oldest first; the last frame is now. Lines of at most `width` characters. */
export function monitorView(history: readonly MonitorFrame[], width: number): string {
  const now = history[history.length - 1];
  if (!now) return '';
  const clock = new Date(now.unixSeconds * 1e3).toISOString().slice(11, 19);
  const head = now.watts
    ? `${clock} UTC  ${formatReading(now.watts.value, 'W')} ${now.watts.scope} (${now.watts.source})`
    : `${clock} UTC  no power sensor gives a reading; aibench list sources says why`;
  const lines = [head];
  const past = histories(history);
  for (const [title, quantities] of SECTIONS) {
    const rows = now.readings.filter(reading => quantities.includes(reading.quantity));
    if (rows.length === 0) continue;
    lines.push('', title);
    for (const reading of rows) lines.push(rowOf(reading, past.get(reading.source) ?? []));
  }
  return lines.map(line => [...line].slice(0, width).join('')).join('\n');
}

function rowOf(reading: MonitorReading, past: readonly (number | null)[]): string {
  const value = reading.value === null ? '–' : formatReading(reading.value, shownUnit(reading));
  return `  ${value.padStart(12)} ${sparkline(past, SPARK_WIDTH)}  ${reading.scope.padEnd(7)} ${reading.source}`;
}

function histories(frames: readonly MonitorFrame[]): Map<string, (number | null)[]> {
  const out = new Map<string, (number | null)[]>();
  for (const frame of frames.slice(-SPARK_WIDTH)) {
    for (const { source, value } of frame.readings) out.set(source, [...(out.get(source) ?? []), value]);
  }
  return out;
}

function shownUnit({ quantity, unit }: MonitorReading): string {
  if (quantity === 'throttleReasons') return 'bitmask';
  return unit;
}

/** `212.4 W`, `3.40 GHz`, `61.0 °C`, `0x8`. */
export function formatReading(value: number, unit: string): string {
  if (unit === 'bitmask') return `0x${value.toString(16)}`;
  if (unit === 'degC') return `${value.toFixed(1)} °C`;
  if (unit === 'Hz') return value >= 1e9 ? `${(value / 1e9).toFixed(2)} GHz` : `${(value / 1e6).toFixed(0)} MHz`;
  if (unit === 'B/s') return value >= 1e9 ? `${(value / 1e9).toFixed(2)} GB/s` : `${(value / 1e6).toFixed(1)} MB/s`;
  if (unit === '1') return value.toFixed(2);
  return `${value.toFixed(value >= 100 ? 0 : 1)} ${unit}`;
}
