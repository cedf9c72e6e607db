/** Charts as inline SVG: launches of a case around its interval, and a telemetry series over the run. */
import type { Series } from '../results/schema.ts';
import { formatDuration, formatQuantity } from '../units.ts';
import { type Html, html } from './html-parts.ts';

const STRIP = { width: 220, height: 22, margin: 6 };

/** One dot per launch, the interval as a bar, the value as a line. The scale is the case's own. */
export function launchStrip(
  values: readonly number[],
  value: number,
  interval: readonly [number, number] | null,
  unit: string,
): Html {
  const all = [...values, value, ...(interval ?? [])].filter(Number.isFinite);
  const [low, high] = [Math.min(...all), Math.max(...all)];
  const span = high > low ? high - low : 1;
  const x = (at: number): string => (STRIP.margin + ((at - low) / span) * (STRIP.width - 2 * STRIP.margin)).toFixed(1);
  const middle = STRIP.height / 2;
  const label = `${values.length} launches from ${formatQuantity(Math.min(...values), unit)} to ${formatQuantity(Math.max(...values), unit)}`;
  const bar =
    interval === null
      ? null
      : html`<line class="interval" x1="${x(interval[0])}" x2="${x(interval[1])}" y1="${middle}" y2="${middle}"/>`;
  return html`<svg class="strip" viewBox="0 0 ${STRIP.width} ${STRIP.height}" role="img" aria-label="${label}"><title>${label}</title>${bar}${values.map(
    one => html`<circle cx="${x(one)}" cy="${middle}" r="3"/>`,
  )}<line class="value" x1="${x(value)}" x2="${x(value)}" y1="2" y2="${STRIP.height - 2}"/></svg>`;
}

const PLOT = { width: 720, height: 160, left: 80, right: 10, top: 10, bottom: 24 };
/** Points drawn of a series: more than one per pixel shows nothing more. */
const MOST_POINTS = 720;

/** Counters are drawn as their rate; a failed read is a gap. */
export function seriesPlot(series: Series, kind: 'counter' | 'gauge' | undefined): Html {
  const points =
    kind === 'counter'
      ? rates(series)
      : series.timeSeconds.map((time, index) => ({ time, value: series.values[index] ?? null }));
  const unit = kind === 'counter' ? (series.unit === 'J' ? 'W' : `${series.unit}/s`) : series.unit;
  const thinned = thin(points);
  const known = thinned.flatMap(({ value }) => (value === null ? [] : [value]));
  if (known.length < 2) return html`<p>${series.source}: too few readings to draw.</p>`;
  const [start, end] = [thinned[0]?.time ?? 0, thinned.at(-1)?.time ?? 1];
  const [low, high] = [Math.min(0, ...known), Math.max(...known)];
  const x = (time: number): number =>
    PLOT.left + ((time - start) / (end - start || 1)) * (PLOT.width - PLOT.left - PLOT.right);
  const y = (value: number): number =>
    PLOT.top + (1 - (value - low) / (high - low || 1)) * (PLOT.height - PLOT.top - PLOT.bottom);
  let path = '';
  let drawing = false;
  for (const { time, value } of thinned) {
    if (value !== null) path += `${drawing ? 'L' : 'M'}${x(time).toFixed(1)} ${y(value).toFixed(1)}`;
    drawing = value !== null;
  }
  const label = `${series.source}, ${series.quantity}: from ${formatQuantity(Math.min(...known), unit)} to ${formatQuantity(high, unit)}`;
  return html`<figure><figcaption>${series.source}: ${kind === 'counter' ? 'rate of ' : ''}${series.quantity}</figcaption>
<svg class="plot" viewBox="0 0 ${PLOT.width} ${PLOT.height}" role="img" aria-label="${label}"><title>${label}</title>
<line class="axis" x1="${PLOT.left}" x2="${PLOT.width - PLOT.right}" y1="${y(low)}" y2="${y(low)}"/>
<text x="${PLOT.left - 6}" y="${y(high) + 4}" text-anchor="end">${formatQuantity(high, unit)}</text>
<text x="${PLOT.left - 6}" y="${y(low) + 4}" text-anchor="end">${formatQuantity(low, unit)}</text>
<text x="${PLOT.width - PLOT.right}" y="${PLOT.height - 6}" text-anchor="end">${formatDuration(end - start)}</text>
<path d="${path}"/></svg></figure>`;
}

interface Point {
  time: number;
  value: number | null;
}

/** A step backwards is a wrap or a reset: no rate is drawn over it. */
function rates({ timeSeconds, values }: Series): Point[] {
  const points: Point[] = [];
  for (let i = 1; i < timeSeconds.length; i++) {
    const [t0 = 0, t1 = 0, v0 = null, v1 = null] = [timeSeconds[i - 1], timeSeconds[i], values[i - 1], values[i]];
    if (t1 <= t0) continue;
    points.push({ time: t1, value: v0 === null || v1 === null || v1 < v0 ? null : (v1 - v0) / (t1 - t0) });
  }
  return points;
}

/** Means over equal shares of the points; a share without a reading is a gap. */
function thin(points: readonly Point[]): Point[] {
  if (points.length <= MOST_POINTS) return [...points];
  const out: Point[] = [];
  for (let i = 0; i < MOST_POINTS; i++) {
    const share = points.slice(
      Math.floor((i * points.length) / MOST_POINTS),
      Math.floor(((i + 1) * points.length) / MOST_POINTS),
    );
    const known = share.flatMap(({ value }) => (value === null ? [] : [value]));
    const value = known.length === 0 ? null : known.reduce((total, one) => total + one, 0) / known.length;
    out.push({ time: share[0]?.time ?? 0, value });
  }
  return out;
}
