/** The live view and its exporter, from recorded values. */
import { describe, expect, it } from 'vitest';
import { METRICS_TYPE, monitorMetrics } from '../../../src/cli/render/monitor-metrics.ts';
import { formatReading, monitorView } from '../../../src/cli/render/monitor-view.ts';
import { sparkline } from '../../../src/cli/render/sparkline.ts';
import type { SourceDescription } from '../../../src/results/schema.ts';
import { frameOf, type MonitorFrame, rateUnit } from '../../../src/telemetry/monitor.ts';

const SOURCES: SourceDescription[] = [
  {
    id: 'powercap/package-0',
    kind: 'counter',
    scope: 'package',
    covers: [],
    quantity: 'energy',
    unit: 'J',
    status: 'ok',
  },
  {
    id: 'hwmon/k10temp/tctl',
    kind: 'gauge',
    scope: 'chip',
    covers: [],
    quantity: 'temperature',
    unit: 'degC',
    status: 'ok',
  },
  { id: 'proc/steal', kind: 'counter', scope: 'node', covers: [], quantity: 'stealTime', unit: 's', status: 'ok' },
  {
    id: 'redfish',
    kind: 'gauge',
    scope: 'node',
    covers: [],
    quantity: 'power',
    unit: 'W',
    status: 'denied',
    reason: 'x',
  },
];

function frame(watts: number | null, second: number): MonitorFrame {
  const latest = {
    'hwmon/k10temp/tctl': 61,
    'proc/steal': 0.02,
    ...(watts === null ? {} : { 'powercap/package-0': watts }),
  };
  const widest = watts === null ? null : { value: watts, scope: 'package' as const, source: 'powercap/package-0' };
  const live = () => ({ watts: widest, temperatureCelsius: 61, latest });
  return frameOf({ live }, SOURCES, 1_700_000_000 + second);
}

describe('frames', () => {
  it('turn counters into rates and keep what has no value as null', () => {
    expect(frame(null, 0).readings).toEqual([
      { source: 'powercap/package-0', quantity: 'power', unit: 'W', kind: 'counter', scope: 'package', value: null },
      { source: 'hwmon/k10temp/tctl', quantity: 'temperature', unit: 'degC', kind: 'gauge', scope: 'chip', value: 61 },
      { source: 'proc/steal', quantity: 'stealTime', unit: '1', kind: 'counter', scope: 'node', value: 0.02 },
    ]);
    expect(['J', 's', '1', 'B'].map(rateUnit)).toEqual(['W', '1', '1/s', 'B/s']);
  });
});

describe('view', () => {
  it('shows power with its scope, and a sparkline of the last minute', () => {
    const text = monitorView([frame(100, 0), frame(150, 1), frame(200, 2)], 80);
    expect(text.split('\n')[0]).toBe('22:13:22 UTC  200 W package (powercap/package-0)');
    expect(text).toMatch(/200 W +▁▅█ {2}package powercap\/package-0/);
    for (const line of text.split('\n')) expect([...line].length).toBeLessThanOrEqual(80);
  });

  it('says that there is no power reading instead of showing 0 W', () => {
    const text = monitorView([frame(null, 0)], 80);
    expect(text).toContain('no power sensor gives a reading');
    expect(text).not.toMatch(/\b0(\.0)? W/);
    expect(text).toMatch(/–.*powercap\/package-0/);
  });

  it('draws gaps for missing values and the middle for a constant', () => {
    expect(sparkline([1, null, 3], 5)).toBe('  ▁ █');
    expect(sparkline([4, 4], 2)).toBe('▅▅');
    expect(sparkline([], 3)).toBe('   ');
    expect([formatReading(8, 'bitmask'), formatReading(3.4e9, 'Hz'), formatReading(0.5, '1')]).toEqual([
      '0x8',
      '3.40 GHz',
      '0.50',
    ]);
  });
});

describe('OpenMetrics', () => {
  it('has a family per quantity, no sample for what has no value, and a status for every source', () => {
    expect(METRICS_TYPE).toMatch(/^application\/openmetrics-text/);
    const text = monitorMetrics(frame(212.5, 0), SOURCES);
    expect(text).toContain('aibench_power_watts{source="powercap/package-0",scope="package",sensor="counter"} 212.5\n');
    expect(text).toContain('aibench_source_ok{source="redfish",scope="node",status="denied"} 0\n');
    expect(text.endsWith('# EOF\n')).toBe(true);
    const none = monitorMetrics(frame(null, 0), SOURCES);
    expect(none).not.toContain('aibench_power_watts{');
    expect(text.match(/^# TYPE /gm)?.length).toBe(new Set(text.match(/^# TYPE \S+/gm)).size);
  });

  it('escapes labels', () => {
    const odd = { ...(SOURCES[3] as SourceDescription), id: 'a"b\\c\nd' };
    expect(monitorMetrics(frame(1, 0), [odd])).toContain('source="a\\"b\\\\c\\nd"');
  });
});
