/** Live values of all sources, for a view or an exporter: the recorder's plan without a run around it. */
import type { SourceDescription } from '../results/schema.ts';
import type { LiveReadings, Recorder } from './recorder.ts';

export interface MonitorReading {
  source: string;
  quantity: string;
  /** SI; for a counter that of its rate: J becomes W, s becomes 1 (seconds per second). */
  unit: string;
  kind: SourceDescription['kind'];
  scope: SourceDescription['scope'];
  /** Null: no valid reading in the last three seconds. */
  value: number | null;
}

export interface MonitorFrame {
  /** Since 1970, seconds. */
  unixSeconds: number;
  /** The widest scope that can be read. */
  watts: LiveReadings['watts'];
  readings: MonitorReading[];
}

/** Pure: the unit of a counter's rate. */
export function rateUnit(unit: string): string {
  if (unit === 'J') return 'W';
  if (unit === 's') return '1';
  return unit === '1' ? '1/s' : `${unit}/s`;
}

/** What is known now of every source that can be read. */
export function frameOf(
  recorder: Pick<Recorder, 'live'>,
  sources: readonly SourceDescription[],
  unixSeconds: number,
): MonitorFrame {
  const { watts, latest } = recorder.live();
  const readings = sources
    .filter(source => source.status === 'ok')
    .map(({ id, quantity, unit, kind, scope }) => ({
      source: id,
      quantity: kind === 'counter' && unit === 'J' ? 'power' : quantity,
      unit: kind === 'counter' ? rateUnit(unit) : unit,
      kind,
      scope,
      value: latest[id] ?? null,
    }));
  return { unixSeconds, watts, readings };
}
