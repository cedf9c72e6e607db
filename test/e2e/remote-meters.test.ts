/** A machine whose power only its management controller tells: through run, list and doctor, without a secret anywhere. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { resultSchema } from '../../src/results/schema.ts';
import { root, startAibench, temporaryFolder } from '../support/cli.ts';

const USER = 'meter-reader-0815';
const PASSWORD = 'correct-horse-4711';
const SERIAL = 'SN-CZJ12345XY';
const BASIC = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
const shapes: Record<string, unknown> = JSON.parse(
  readFileSync(path.join(root, 'test/fixtures/telemetry/redfish/dell.json'), 'utf8'),
);

let server: http.Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Answers as the Dell controller does, `delaySeconds` late, and echoes the login in what it refuses. */
async function controller(answer: 'well' | 'refuses' | 'hangs'): Promise<string> {
  server = http.createServer((request, response) => {
    if (answer === 'hangs') return;
    if (answer === 'refuses' || request.headers.authorization !== `Basic ${BASIC}`) {
      response.writeHead(401, { 'x-login': String(request.headers.authorization) });
      response.end(`${USER} ${PASSWORD} is not welcome at ${SERIAL}`);
      return;
    }
    const found = shapes[request.url ?? ''];
    response.writeHead(found === undefined ? 404 : 200);
    response.end(JSON.stringify(found === undefined ? {} : { SerialNumber: SERIAL, ...(found as object) }));
  });
  await new Promise<void>(resolve => server?.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function environment(url: string, folder: string): Record<string, string> {
  mkdirSync(folder, { recursive: true });
  const file = path.join(folder, 'password');
  writeFileSync(file, `${PASSWORD}\n`, { mode: 0o600 });
  return {
    AIBENCH_REDFISH_URL: url,
    AIBENCH_REDFISH_USER: USER,
    AIBENCH_REDFISH_PASSWORD_FILE: file,
    AIBENCH_IPMITOOL: path.join(folder, 'no-ipmitool'),
  };
}

function expectNoSecret(text: string, url: string): void {
  for (const secret of [PASSWORD, USER, BASIC, SERIAL, new URL(url).port]) {
    expect(text.includes(secret), secret === new URL(url).port ? 'the address' : secret).toBe(false);
  }
}

it('is in the document, and no login, address or serial number is', { timeout: 90_000 }, async () => {
  const url = await controller('well');
  const folder = temporaryFolder();
  const env = environment(url, path.join(folder, 'etc'));
  const args = [
    'run',
    'smoke',
    '--filter',
    'gemm',
    '--launches',
    '1',
    '-o',
    'r.json',
    '--seed',
    '1',
    '--rated-watts',
    '200',
    '--set',
    'timing.targetSeconds=1.2',
  ];
  const ran = await startAibench(args, { cwd: folder, env }).ended;
  expect(ran.status, ran.stderr).toBe(0);
  const text = readFileSync(path.join(folder, 'r.json'), 'utf8');
  const { telemetry, estimates, cases } = resultSchema.parse(JSON.parse(text));
  expect(telemetry.observer?.effect?.pairs).toBeGreaterThan(0);
  // Only when asked for, in a block of their own, as what they are.
  expect(estimates?.length).toBeGreaterThan(0);
  for (const one of estimates ?? []) expect(one.note).toMatch(/not a measurement/);
  expect(JSON.stringify(cases)).not.toContain('ratedWatts');
  const power = telemetry.sources.filter(source => source.id.startsWith('redfish/') && source.status === 'ok');
  expect(power.map(source => source.scope)).toContain('node');
  const series = telemetry.series.find(one => one.source === power[0]?.id);
  expect(series?.values.length).toBeGreaterThan(0);
  expect(series?.values.every(value => value !== null && value > 0)).toBe(true);
  for (const part of [text.replaceAll(/"timeSeconds":\[[^\]]*\]/g, ''), ran.stdout, ran.stderr]) {
    for (const secret of [PASSWORD, USER, BASIC, SERIAL, url]) expect(part.includes(secret), secret).toBe(false);
  }
});

it('is listed by list and doctor, also when the controller refuses', { timeout: 60_000 }, async () => {
  const url = await controller('refuses');
  const env = environment(url, temporaryFolder());
  const [list, doctor] = await Promise.all([
    startAibench(['list', 'sources', '--json'], { env }).ended,
    startAibench(['doctor'], { env }).ended,
  ]);
  expectNoSecret(list.stdout + list.stderr, url);
  for (const text of [doctor.stdout, doctor.stderr]) {
    for (const secret of [PASSWORD, USER, BASIC, SERIAL, url]) expect(text.includes(secret), secret).toBe(false);
  }
  const rows: { id: string; status: string; detail: string }[] = JSON.parse(list.stdout);
  expect(rows.find(row => row.id === 'redfish')).toMatchObject({ status: 'denied' });
  expect(rows.find(row => row.id === 'dcmi')).toMatchObject({ status: 'absent' });
  expect(doctor.stdout).toMatch(/denied\s+redfish: /);
});

it('a controller that hangs is one row, and the run goes on', { timeout: 60_000 }, async () => {
  const url = await controller('hangs');
  const env = environment(url, temporaryFolder());
  const list = await startAibench(['list', 'sources', '--json'], { env }).ended;
  expect(list.status).toBe(0);
  const rows: { id: string; status: string; detail: string }[] = JSON.parse(list.stdout);
  expect(rows.find(row => row.id === 'redfish')?.detail).toMatch(/did not answer|no answer/i);
  expect(rows.some(row => row.id === 'proc/user' && row.status === 'ok')).toBe(true);
});
