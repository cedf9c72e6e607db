/** What `aibench monitor` does: the recorder without a run, and one of three ways to show it. */
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { AibenchError, messageOf } from '../../errors.ts';
import { loadAddon } from '../../native/addon.ts';
import { frameOf, type MonitorFrame } from '../../telemetry/monitor.ts';
import { startRecorder } from '../../telemetry/recorder.ts';
import { DEFAULT_ROOTS, probeAll } from '../../telemetry/registry.ts';
import { probeRemote } from '../../telemetry/remote.ts';
import { remoteSources } from '../../telemetry/remote-registry.ts';
import { METRICS_TYPE, monitorMetrics } from '../render/monitor-metrics.ts';
import { monitorView } from '../render/monitor-view.ts';
import type { MonitorFlags } from './monitor.ts';

/** A view needs the last readings only; the series must not grow with the days. */
const MAX_READINGS = 2000;
const HISTORY = 60;

export async function monitor(flags: MonitorFlags): Promise<void> {
  const interval = intervalSeconds(flags.interval);
  const count = flags.count === undefined ? Number.POSITIVE_INFINITY : countOf(flags.count);
  if (flags.json === true && flags.listen !== undefined)
    throw new AibenchError('USAGE', '--json and --listen do not go together.', 'Start two monitors, or leave one out.');
  const address = flags.listen === undefined ? null : parseAddress(flags.listen);
  const native = loadAddon();
  const [channels, remote] = await Promise.all([
    probeAll(DEFAULT_ROOTS, native),
    probeRemote(remoteSources, process.env),
  ]);
  const sources = [...channels.map(row => row.description), ...remote.flatMap(row => row.descriptions)];
  const { nvmlLibraries } = DEFAULT_ROOTS;
  const recorder = startRecorder({ native, channels, remote, nvmlLibraries, maxReadings: MAX_READINGS, forgets: true });
  const stop = new AbortController();
  const end = (): void => stop.abort();
  process.once('SIGINT', end);
  process.once('SIGTERM', end);
  // A reader that has seen enough (head) is no error.
  process.stdout.on('error', end);
  try {
    const frame = (): MonitorFrame => frameOf(recorder, sources, Date.now() / 1e3);
    if (address) await serve(address, () => monitorMetrics(frame(), sources), stop.signal);
    else await show({ frame, interval, count, json: flags.json === true, signal: stop.signal });
  } finally {
    recorder.stop();
    process.off('SIGINT', end);
    process.off('SIGTERM', end);
    process.stdout.off('error', end);
  }
}

interface ShowOptions {
  frame: () => MonitorFrame;
  interval: number;
  count: number;
  json: boolean;
  signal: AbortSignal;
}

async function show({ frame, interval, count, json, signal }: ShowOptions): Promise<void> {
  const history: MonitorFrame[] = [];
  for (let shown = 0; shown < count && !signal.aborted; shown++) {
    await sleep(interval * 1e3, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    history.push(frame());
    if (history.length > HISTORY) history.shift();
    if (json) {
      process.stdout.write(`${JSON.stringify(history[history.length - 1])}\n`);
      continue;
    }
    const text = monitorView(history, process.stdout.columns ?? 100);
    process.stdout.write(process.stdout.isTTY ? `\u001b[H\u001b[2J${text}\n` : `${text}\n\n`);
  }
}

/** Serves until the signal aborts. */
async function serve(address: Address, metrics: () => string, signal: AbortSignal): Promise<void> {
  const server = http.createServer((request, response) => {
    const isMetrics = request.url?.split('?')[0] === '/metrics';
    if (!isMetrics || request.method !== 'GET') {
      response.writeHead(isMetrics ? 405 : 404, { 'content-type': 'text/plain' }).end('see /metrics\n');
      return;
    }
    response.writeHead(200, { 'content-type': METRICS_TYPE }).end(metrics());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', error => {
      const what = `${address.host} port ${address.port} cannot be listened on: ${messageOf(error)}.`;
      reject(new AibenchError('CANNOT_LISTEN', what, 'Choose another port with --listen.'));
    });
    server.listen(address.port, address.host, resolve);
  });
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : address.port;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  console.error(`OpenMetrics at http://${host}:${port}/metrics`);
  await new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }));
  server.closeAllConnections();
  server.close();
}

interface Address {
  host: string;
  port: number;
}

/** `9464`, `0.0.0.0:9464`, `[::1]:9464`. */
function parseAddress(text: string): Address {
  const match = /^(?:(\[[0-9a-f:]+\]|[\w.-]+):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (!match || port > 65535) {
    throw new AibenchError('BAD_LISTEN', `--listen ${text} is no port and no host:port.`, 'For example --listen 9464.');
  }
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[|\]$/g, ''), port };
}

/** Timers hold 24 days, and more than ten views a second show nothing new. */
const INTERVAL = { least: 0.1, most: 86_400 };

function countOf(text: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : 0;
  if (value < 1)
    throw new AibenchError('BAD_NUMBER', `--count ${text} is no whole number above 0.`, 'For example --count 10.');
  return value;
}

function intervalSeconds(text: string): number {
  const value = Number(text);
  if (!(value >= INTERVAL.least && value <= INTERVAL.most)) {
    throw new AibenchError(
      'BAD_NUMBER',
      `--interval ${text} is no number of seconds from ${INTERVAL.least} to ${INTERVAL.most}.`,
      'For example --interval 2.',
    );
  }
  return value;
}
