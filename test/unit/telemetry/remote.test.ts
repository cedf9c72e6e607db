/** Remote sources against local servers that behave as management controllers do, well and badly. */
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sourceSchema } from '../../../src/results/schema.ts';
import { endpointFrom } from '../../../src/telemetry/http-json.ts';
import { startRecorder } from '../../../src/telemetry/recorder.ts';
import {
  type PolledReading,
  probeRemote,
  type RemoteRow,
  type RemoteSource,
  startPoller,
} from '../../../src/telemetry/remote.ts';
import { remoteSources } from '../../../src/telemetry/remote-registry.ts';
import { dcmi, parseDcmiBytes, parseDcmiText } from '../../../src/telemetry/sources/dcmi.ts';
import { parseQuery, prometheus } from '../../../src/telemetry/sources/prometheus.ts';
import { linkOf, redfish } from '../../../src/telemetry/sources/redfish.ts';
import { smartPlug, wattsAt } from '../../../src/telemetry/sources/smart-plug.ts';
import { fakeNative } from './fake-native.ts';

const PASSWORD = 'correct-horse-4711';
const LOGIN = `Basic ${Buffer.from(`reader:${PASSWORD}`).toString('base64')}`;
const scratch = mkdtempSync(path.join(os.tmpdir(), 'aibench-remote-'));
const key = path.join(scratch, 'key.pem');
const certificate = path.join(scratch, 'certificate.pem');
const passwordFile = path.join(scratch, 'password');

beforeAll(() => {
  const made = spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', certificate],
    ...['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1'],
  ]);
  expect(made.status, 'openssl makes the test certificate').toBe(0);
  writeFileSync(passwordFile, `${PASSWORD}\n`, { mode: 0o600 });
});
afterAll(() => rmSync(scratch, { recursive: true, force: true }));

type Handler = (request: http.IncomingMessage, response: http.ServerResponse) => void;
const servers: http.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

async function serve(handler: Handler, tls: boolean): Promise<string> {
  const server = tls
    ? https.createServer({ key: readFileSync(key), cert: readFileSync(certificate) }, handler)
    : http.createServer(handler);
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  return `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function json(response: http.ServerResponse, body: unknown): void {
  response.setHeader('content-type', 'application/json');
  response.end(JSON.stringify(body));
}

function controller(name: string, seen: string[] = []): Handler {
  const file = fileURLToPath(new URL(`../../fixtures/telemetry/redfish/${name}.json`, import.meta.url));
  const pages: Record<string, unknown> = JSON.parse(readFileSync(file, 'utf8'));
  return (request, response) => {
    seen.push(request.url ?? '');
    if (request.headers.authorization !== LOGIN) {
      response.writeHead(401).end(`no such user reader / ${PASSWORD}`);
      return;
    }
    const page = pages[request.url ?? ''];
    if (page === undefined) response.writeHead(404).end();
    else json(response, page);
  };
}

function environmentFor(url: string): Record<string, string> {
  return {
    AIBENCH_REDFISH_URL: url,
    AIBENCH_REDFISH_USER: 'reader',
    AIBENCH_REDFISH_PASSWORD_FILE: passwordFile,
    AIBENCH_REDFISH_CA_FILE: certificate,
  };
}

async function readAll(rows: RemoteRow[]): Promise<Record<string, number | null>> {
  const out: Record<string, number | null> = {};
  for (const row of rows) Object.assign(out, await row.reader?.read(AbortSignal.timeout(5000)));
  return out;
}

function statuses(rows: RemoteRow[]): string[] {
  for (const row of rows) {
    for (const description of row.descriptions) expect(sourceSchema.safeParse(description).error).toBeUndefined();
  }
  return rows.flatMap(row => row.descriptions.map(({ id, status, scope }) => `${id} ${status} ${scope}`));
}

describe('redfish', () => {
  it.each<[string, Record<string, number>]>([
    ['dell', { 'redfish/0/power-control': 3184, 'redfish/0/supplies': 3296, 'redfish/0/environment': 3184 }],
    ['hpe', { 'redfish/0/power-control': 642 }],
    ['lenovo', { 'redfish/0/power-control': 511, 'redfish/0/supplies': 525, 'redfish/0/environment': 509 }],
    ['supermicro', { 'redfish/0/power-control': 1377 }],
    ['dgx', { 'redfish/0/supplies': 5430, 'redfish/0/environment': 5320 }],
    // The newer resources, and metrics without power: the sensor that is the total, the supplies each by itself.
    ['openbmc', { 'redfish/0/supplies': 3000.5, 'redfish/0/sensor': 2884 }],
  ])('reads the shapes of %s, each resource by itself', async (name, expected) => {
    const rows = await probeRemote([redfish], environmentFor(await serve(controller(name), true)));
    const readings = await readAll(rows);
    expect(Object.keys(readings).sort()).toEqual(Object.keys(expected).sort());
    for (const [id, watts] of Object.entries(expected)) expect(readings[id]).toBeCloseTo(watts, 6);
    for (const line of statuses(rows)) expect(line).toMatch(/ ok (node|wall)$/);
  });

  it('waits for a controller that is slow, and states what its answer took as uncertainty of the time', async () => {
    const whole = controller('hpe');
    const slow: Handler = (request, response) => void setTimeout(() => whole(request, response), 120);
    const rows = await probeRemote([redfish], environmentFor(await serve(slow, true)));
    const reading = await new Promise<PolledReading>(resolve => {
      const now = (): number => performance.now() * 1e-3;
      const poller = startPoller({
        ...{ rows, now },
        onReading: first => {
          poller.stop();
          resolve(first);
        },
      });
    });
    expect(reading.values).toEqual({ 'redfish/0/power-control': 642 });
    expect(reading.uncertaintySeconds).toBeGreaterThan(0.055);
  });

  it('gives no reading where the controller says null or 0, and follows no link to another server', async () => {
    const rows = await probeRemote([redfish], environmentFor(await serve(controller('powered-off'), true)));
    expect(statuses(rows)).toEqual(['redfish unsupported node']);
    expect(rows[0]?.descriptions[0]?.reason).toContain('null or 0 W');
    for (const target of [
      'http://elsewhere.example/x',
      '//elsewhere.example/',
      '/redfish/../../etc',
      'redfish/v1',
      42,
    ]) {
      const found = linkOf({ Power: { '@odata.id': target } }, 'Power');
      if (found !== null) expect(new URL(found, 'https://bmc.example').host).toBe('bmc.example');
    }
  });

  it('verifies the certificate, and says how to give the authority', async () => {
    const { AIBENCH_REDFISH_CA_FILE: _, ...without } = environmentFor(await serve(controller('hpe'), true));
    const seen: string[] = [];
    const [row] = await probeRemote([redfish], without);
    expect(row?.descriptions[0]?.reason).toMatch(/SELF_SIGNED/);
    expect(row?.descriptions[0]?.remedy).toContain('AIBENCH_REDFISH_CA_FILE');
    expect(seen).toEqual([]);
  });

  it('tells a refused login from a dead controller', async () => {
    const wrong = { ...environmentFor(await serve(controller('hpe'), true)), AIBENCH_REDFISH_USER: 'nobody' };
    expect(statuses(await probeRemote([redfish], wrong))).toEqual(['redfish denied node']);
    const [dead] = await probeRemote([redfish], environmentFor('https://127.0.0.1:1'));
    expect(dead?.descriptions[0]).toMatchObject({
      status: 'unsupported',
      reason: expect.stringContaining('ECONNREFUSED'),
    });
  });

  it.each<[string, Handler]>([
    ['garbage', (_, response) => response.end('<html>login</html>')],
    ['null', (_, response) => json(response, null)],
    ['a list', (_, response) => json(response, [1, 2, 3])],
    ['members that are numbers', (_, response) => json(response, { Members: [1, null, 'x', { '@odata.id': 7 }] })],
    ['a connection that breaks', request => request.socket.destroy()],
    [
      'a page without end',
      (_, response) => {
        const timer = setInterval(() => response.write('['.repeat(65_536)), 1);
        response.on('error', () => {}).on('close', () => clearInterval(timer));
      },
    ],
    ['an error without end', (_, response) => void response.writeHead(500).write('no')],
    ['a redirect', (_, response) => response.writeHead(302, { location: 'https://elsewhere.example/' }).end()],
  ])('survives %s', async (_, handler) => {
    const rows = await probeRemote([redfish], environmentFor(await serve(handler, true)));
    expect(rows.every(row => row.reader === null)).toBe(true);
    expect(statuses(rows)[0]).toMatch(/^redfish unsupported/);
  });

  it('gives up on a controller that hangs, in the time that it was given', async () => {
    const started = performance.now();
    const rows = await probeRemote([redfish], environmentFor(await serve(() => {}, true)), 0.3);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(rows[0]?.descriptions[0]?.reason).toMatch(/0\.3 s|no answer in time/);
  });
});

describe('logins', () => {
  it('are taken from the environment or a file, not from a URL, and never sent unencrypted to another machine', () => {
    const of = (environment: Record<string, string>) => endpointFrom('X', environment);
    expect(of({})).toBeNull();
    expect(of({ X_URL: 'https://bmc', X_USER: 'u', X_PASSWORD: 'p' })).toMatchObject({
      ok: true,
      endpoint: { login: 'u:p' },
    });
    expect(of({ X_URL: 'https://bmc', X_USER: 'u', X_PASSWORD_FILE: passwordFile })).toMatchObject({
      endpoint: { login: `u:${PASSWORD}` },
    });
    expect(of({ X_URL: 'https://u:p@bmc' })).toMatchObject({ ok: false });
    expect(of({ X_URL: 'http://bmc', X_USER: 'u', X_PASSWORD: 'p' })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('unencrypted'),
    });
    expect(of({ X_URL: 'http://127.0.0.1:9', X_USER: 'u', X_PASSWORD: 'p' })).toMatchObject({ ok: true });
    expect(of({ X_URL: 'file:///etc/passwd' })).toMatchObject({ ok: false });
    expect(of({ X_URL: 'https://bmc', X_USER: 'u', X_PASSWORD_FILE: path.join(scratch, 'missing') })).toMatchObject({
      ok: false,
      reason: expect.stringContaining('ENOENT'),
    });
  });

  it('and serial numbers stay out of descriptions, readings and reasons, whatever goes wrong', async () => {
    const urls = [
      await serve(controller('dell'), true),
      await serve((_, response) => response.writeHead(500).end(`boom ${PASSWORD}`), true),
      'https://127.0.0.1:1',
    ];
    for (const url of urls) {
      for (const user of ['reader', 'nobody']) {
        const rows = await probeRemote(remoteSources, {
          ...environmentFor(url),
          AIBENCH_REDFISH_USER: user,
          AIBENCH_PROMETHEUS_URL: url,
          AIBENCH_PROMETHEUS_QUERY: 'up{instance="gpu-node-17"}',
          AIBENCH_PROMETHEUS_SCOPE: 'node',
          AIBENCH_PROMETHEUS_TOKEN_FILE: passwordFile,
          AIBENCH_PLUG_URL: url,
          AIBENCH_IPMITOOL: path.join(scratch, 'no-such-program'),
        });
        const text = JSON.stringify([rows, await readAll(rows).catch(String)]);
        for (const secret of [
          PASSWORD,
          LOGIN.slice(6),
          '127.0.0.1',
          'CNFCP0042',
          'CNLOD',
          '7QX4711',
          'gpu-node-17',
          scratch,
        ]) {
          expect(text).not.toContain(secret);
        }
      }
    }
  });
});

describe('dcmi', () => {
  const TEXT = [
    '',
    '    Instantaneous power reading:                   318 Watts',
    '    Minimum during sampling period:                120 Watts',
    '    Maximum during sampling period:                402 Watts',
    '    Average power reading over sample period:      300 Watts',
    '    IPMI timestamp:                           Mon Nov 23 08:33:38 2026',
    '    Sampling period:                          00000001 Seconds.',
    '    Power reading state is:                   activated',
    '',
  ].join('\n');

  it('reads the text, and refuses what is deactivated, 0 or something else', () => {
    expect(parseDcmiText(TEXT)).toEqual({ ok: true, watts: 318 });
    expect(parseDcmiText(TEXT.replace('activated', 'deactivated'))).toMatchObject({
      ok: false,
      reason: expect.stringContaining('deactivated'),
    });
    expect(parseDcmiText(TEXT.replace('318', '0'))).toMatchObject({ ok: false });
    expect(parseDcmiText('DCMI request failed')).toMatchObject({ ok: false });
  });

  it('reads the bytes, low byte first', () => {
    const bytes = ' dc 3e 01 78 00 92 01 2c 01 00 00 00 00 e8 03 00 00 40\n';
    expect(parseDcmiBytes(bytes)).toEqual({ ok: true, watts: 318 });
    expect(parseDcmiBytes(bytes.replace(' 40\n', ' 00\n'))).toMatchObject({ ok: false });
    expect(parseDcmiBytes(bytes.replace('3e 01', '00 00'))).toMatchObject({ ok: false });
    expect(parseDcmiBytes(' 3e 01')).toMatchObject({ ok: false });
    expect(parseDcmiBytes('Unable to send RAW command')).toMatchObject({ ok: false });
    // What OpenBMC's tests expect of a machine at 213 W: the state says that measuring is not active.
    expect(parseDcmiBytes(' dc d5 00 d5 00 d5 00 d5 00 00 00 00 00 00 00 00\n 00 00\n')).toMatchObject({
      ok: false,
      reason: expect.stringContaining('not active'),
    });
  });

  function program(name: string, body: string): Record<string, string> {
    const file = path.join(scratch, name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return { AIBENCH_IPMITOOL: file };
  }

  it('takes the text or, from old versions, the bytes', async () => {
    const text = await probeRemote([dcmi], program('new', `cat <<'END'\n${TEXT}\nEND`));
    expect(await readAll(text)).toEqual({ 'dcmi/system': 318 });
    const raw = await probeRemote(
      [dcmi],
      // As ipmitool prints them, 16 to a line; any other request is none of DCMI's.
      program(
        'old',
        `[ "$*" = "raw 0x2c 0x02 0xdc 0x01 0x00 0x00" ] && echo " dc 3f 01 78 00 92 01 2c 01 00 00 00 00 e8 03 00" && echo " 00 40"`,
      ),
    );
    expect(await readAll(raw)).toEqual({ 'dcmi/system': 319 });
  });

  it.each([
    ['missing', {}, 'absent', 'not installed'],
    [
      'no device',
      { body: 'echo "Could not open device at /dev/ipmi0: No such file or directory" >&2; exit 1' },
      'absent',
      'no IPMI device',
    ],
    [
      'forbidden',
      { body: 'echo "Could not open device at /dev/ipmi0: Permission denied" >&2; exit 1' },
      'denied',
      '/dev/ipmi0',
    ],
    [
      'no DCMI',
      { body: 'echo "DCMI request failed because: Invalid command" >&2; exit 1' },
      'unsupported',
      'does not answer',
    ],
  ])('says why not: %s', async (name, { body }: { body?: string }, status, reason) => {
    const environment = body
      ? program(name.replace(' ', '-'), body)
      : { AIBENCH_IPMITOOL: path.join(scratch, 'nothing-here') };
    const [row] = await probeRemote([dcmi], environment);
    expect(row?.descriptions[0]).toMatchObject({ status, reason: expect.stringContaining(reason) });
  });

  it('ends a program that hangs', async () => {
    const started = performance.now();
    const [row] = await probeRemote([dcmi], program('hangs', 'exec sleep 30'), 0.3);
    expect(performance.now() - started).toBeLessThan(3000);
    expect(row?.reader).toBeNull();
  });
});

describe('smart plugs', () => {
  it.each<[string, string, unknown]>([
    [
      'shelly2',
      '/rpc/Switch.GetStatus?id=0',
      { id: 0, output: true, apower: 412.3, voltage: 231, aenergy: { total: 1234.5 } },
    ],
    ['shelly1', '/meter/0', { power: 412.3, is_valid: true, total: 98765 }],
    [
      'tasmota',
      '/cm?cmnd=Status%208',
      { StatusSNS: { Time: '2026-11-23T08:00:00', ENERGY: { Total: 3.1, Power: 412.3, Voltage: 231 } } },
    ],
  ])('reads %s', async (name, place, body) => {
    const url = await serve(
      (request, response) => (request.url === place ? json(response, body) : response.writeHead(404).end()),
      false,
    );
    const rows = await probeRemote([smartPlug], { AIBENCH_PLUG_URL: url });
    expect(statuses(rows)).toEqual([`plug/${name} ok wall`]);
    expect(await readAll(rows)).toEqual({ [`plug/${name}`]: 412.3 });
  });

  it('takes no 0 W, no text and no prototype for a reading', () => {
    expect(wattsAt({ apower: 0 }, ['apower'])).toBeNull();
    expect(wattsAt({ apower: '12' }, ['apower'])).toBeNull();
    expect(wattsAt({}, ['constructor', 'length'])).toBeNull();
    expect(wattsAt({ StatusSNS: { ENERGY: { Power: [55, 0] } } }, ['StatusSNS', 'ENERGY', 'Power'])).toBe(55);
  });
});

describe('prometheus', () => {
  const vector = (...values: string[]) => ({
    status: 'success',
    data: { resultType: 'vector', result: values.map(value => ({ metric: {}, value: [1, value] })) },
  });

  it('wants exactly one number above 0', () => {
    expect(parseQuery(vector('318.5'))).toEqual({ ok: true, watts: 318.5 });
    expect(parseQuery({ status: 'success', data: { resultType: 'scalar', result: [1, '7'] } })).toEqual({
      ok: true,
      watts: 7,
    });
    for (const bad of [
      vector(),
      vector('1', '2'),
      vector('NaN'),
      vector('0'),
      { status: 'error' },
      null,
      {},
      { status: 'success', data: { resultType: 'matrix', result: [] } },
    ]) {
      expect(parseQuery(bad)).toMatchObject({ ok: false });
    }
  });

  it('asks for the query as it stands', async () => {
    const query = 'sum(DCGM_FI_DEV_POWER_USAGE{Hostname=~"a|b"})';
    let asked: string | null = null;
    const url = await serve((request, response) => {
      asked = new URL(request.url ?? '', 'http://x').searchParams.get('query');
      json(response, vector('1400'));
    }, false);
    const rows = await probeRemote([prometheus], {
      AIBENCH_PROMETHEUS_URL: url,
      AIBENCH_PROMETHEUS_QUERY: query,
      AIBENCH_PROMETHEUS_SCOPE: 'board',
    });
    expect(asked).toBe(query);
    expect(statuses(rows)).toEqual(['prometheus/query ok board']);
    expect(await readAll(rows)).toEqual({ 'prometheus/query': 1400 });
    expect(rows[0]?.descriptions[0]?.covers).toEqual(['gpu-sum']);
    expect(
      statuses(await probeRemote([prometheus], { AIBENCH_PROMETHEUS_URL: url, AIBENCH_PROMETHEUS_QUERY: query })),
    ).toEqual(['prometheus unsupported node']);
  });
});

describe('polling', () => {
  const row = (id: string, read: (signal: AbortSignal) => Promise<Record<string, number | null>>): RemoteRow => ({
    descriptions: [{ id, kind: 'gauge', scope: 'node', covers: ['node'], quantity: 'power', unit: 'W', status: 'ok' }],
    reader: { read },
  });
  const now = (): number => performance.now() * 1e-3;

  it('a source that hangs, throws or lies costs its own readings, not those of others', async () => {
    const readings: PolledReading[] = [];
    const poller = startPoller({
      rows: [
        row('good', async () => ({ good: 300 })),
        // Deaf to its signal, too.
        row('hangs', () => new Promise(() => {})),
        row('throws', () => {
          throw new Error('at once');
        }),
        row('lies', async () => ({ lies: Number.NaN, other: 5 })),
      ],
      now,
      onReading: reading => readings.push(reading),
      periodSeconds: 0.05,
      timeoutSeconds: 0.2,
    });
    await new Promise(resolve => setTimeout(resolve, 1000));
    poller.stop();
    const after = readings.length;
    const of = (id: string): (number | null | undefined)[] =>
      readings.filter(reading => id in reading.values).map(reading => reading.values[id]);
    expect(of('good').length).toBeGreaterThan(10);
    expect(new Set(of('good'))).toEqual(new Set([300]));
    for (const id of ['hangs', 'throws', 'lies']) expect(new Set(of(id)), id).toEqual(new Set([null]));
    expect(of('hangs').length).toBeLessThanOrEqual(5);
    expect(of('other')).toEqual([]);
    expect(poller.stats().failures).toBeGreaterThan(0);
    await new Promise(resolve => setTimeout(resolve, 150));
    expect(readings.length).toBe(after);
  });

  it('goes through the recorder into the document, with what failed as null', async () => {
    const { native } = fakeNative();
    let count = 0;
    const recorder = startRecorder({
      native: { ...native, now },
      channels: [],
      nvmlLibraries: [],
      remote: [
        row('plug/x', async () => {
          count += 1;
          if (count === 2) throw new Error('once');
          return { 'plug/x': 410 };
        }),
      ],
    });
    await new Promise(resolve => setTimeout(resolve, 2500));
    expect(recorder.live().watts).toMatchObject({ value: 410, scope: 'node', source: 'plug/x' });
    const telemetry = recorder.stop();
    const values = telemetry.series[0]?.values ?? [];
    expect(values.length).toBe(count);
    expect(values.length).toBeLessThanOrEqual(3);
    expect(values).toEqual([410, null, 410].slice(0, count));
    expect(telemetry.sources[0]).toMatchObject({ id: 'plug/x', status: 'ok', reason: `1 of ${count} reads failed` });
  });

  it('a probe that throws or hangs is one row that says so', async () => {
    const broken: RemoteSource[] = [
      {
        id: 'throws',
        summary: '',
        probe: () => {
          throw new Error(PASSWORD);
        },
      },
      { id: 'hangs', summary: '', probe: () => new Promise(() => {}) },
    ];
    const rows = await probeRemote(broken, {}, 0.05);
    expect(statuses(rows)).toEqual(['throws unsupported node', 'hangs unsupported node']);
    expect(JSON.stringify(rows)).not.toContain(PASSWORD);
  });

  it('without any variable every source says what to set', async () => {
    const nothing = path.join(scratch, 'nothing-here');
    const programs = { AIBENCH_IPMITOOL: nothing, AIBENCH_HL_SMI: nothing, AIBENCH_POWERMETRICS: nothing };
    const rows = await probeRemote(remoteSources, programs);
    expect(statuses(rows)).toEqual(remoteSources.map(source => `${source.id} absent node`));
  });
});
