/** Meters behind a vendor's tool or a daemon of the user's, against stand-ins that answer as those do, well and badly. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net, { type AddressInfo } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { disjointGroups } from '../../../src/analysis/energy-scope.ts';
import { sourceSchema } from '../../../src/results/schema.ts';
import { probeRemote, type RemoteRow } from '../../../src/telemetry/remote.ts';
import { dcmi } from '../../../src/telemetry/sources/dcmi.ts';
import { hlSmi, parseHlSmi } from '../../../src/telemetry/sources/hl-smi.ts';
import { parsePowermetrics, powermetrics } from '../../../src/telemetry/sources/powermetrics.ts';
import { parseLastSamples, parsePlace, ptdaemon } from '../../../src/telemetry/sources/ptdaemon.ts';
import { parseSensor, parseSupplyMetrics } from '../../../src/telemetry/sources/redfish.ts';
import { parseSnmpValue, snmpPdu } from '../../../src/telemetry/sources/snmp-pdu.ts';

const scratch = mkdtempSync(path.join(os.tmpdir(), 'aibench-tools-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
const servers: net.Server[] = [];
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

function program(name: string, body: string): string {
  const file = path.join(scratch, name);
  writeFileSync(file, `#!/bin/sh\n${body}\n`);
  chmodSync(file, 0o755);
  return file;
}

async function readings(rows: RemoteRow[]): Promise<Record<string, number | null>> {
  const out: Record<string, number | null> = {};
  for (const row of rows) {
    for (const description of row.descriptions) expect(sourceSchema.safeParse(description).error).toBeUndefined();
    Object.assign(out, await row.reader?.read(AbortSignal.timeout(5000)));
  }
  return out;
}
const statusOf = (rows: RemoteRow[]): string[] => rows.flatMap(row => row.descriptions.map(one => one.status));

describe('hl-smi', () => {
  it('reads each accelerator, and none of those that say N/A or 0', async () => {
    expect([...parseHlSmi('0, 94\n1, 101 W\n2, N/A\n3, 0\nindex, power.draw [W]\n')]).toEqual([
      [0, 94],
      [1, 101],
      [2, null],
      [3, null],
    ]);
    const file = program('hl-smi', 'echo "0, 420"; echo "1, 415"; echo "2, N/A"');
    expect(await readings(await probeRemote([hlSmi], { AIBENCH_HL_SMI: file }))).toEqual({
      'hl-smi/gpu-0': 420,
      'hl-smi/gpu-1': 415,
    });
    // The third is named, so that the other two are not added up to what would look like all.
    const sources = (await probeRemote([hlSmi], { AIBENCH_HL_SMI: file })).flatMap(row => row.descriptions);
    expect(sources.map(({ covers, status }) => `${covers} ${status}`)).toEqual([
      'gpu-0 ok',
      'gpu-1 ok',
      'gpu-2 unsupported',
    ]);
    expect(disjointGroups(sources, source => source.status === 'ok')).toEqual([]);
    expect(statusOf(await probeRemote([hlSmi], { AIBENCH_HL_SMI: program('broken', 'exit 1') }))).toEqual([
      'unsupported',
    ]);
    expect(statusOf(await probeRemote([hlSmi], { AIBENCH_HL_SMI: path.join(scratch, 'none') }))).toEqual(['absent']);
  });
});

describe('a program that PATH leads to and that may not be run', () => {
  it('is not installed, and says nothing of the device behind it', async () => {
    const before = process.env.PATH;
    writeFileSync(path.join(scratch, 'ipmitool'), 'no program', { mode: 0o644 });
    process.env.PATH = scratch;
    const [row] = (await probeRemote([dcmi], {})).flatMap(one => one.descriptions);
    process.env.PATH = before;
    expect(row).toMatchObject({ status: 'absent', reason: 'ipmitool is not installed (ENOENT)' });
  });
});

describe('powermetrics', () => {
  const TEXT =
    'CPU Power: 3200 mW\nGPU Power: 900 mW\nANE Power: 0 mW\nCombined Power (CPU + GPU + ANE): 4100 mW\n**** GPU usage ****\nGPU Power: 880 mW\n';

  it('reads its rails, the first of a name', async () => {
    expect(parsePowermetrics(TEXT)).toEqual({
      'powermetrics/combined': 4.1,
      'powermetrics/cpu': 3.2,
      'powermetrics/gpu': 0.9,
    });
    expect(parsePowermetrics('CPU Power: 42.5 W')['powermetrics/cpu']).toBe(42.5);
    expect(Object.values(parsePowermetrics('GPU Power: 0 mW\nnothing'))).toEqual([null, null, null]);
    const file = program('powermetrics', `cat <<'END'\n${TEXT}END`);
    expect(await readings(await probeRemote([powermetrics], { AIBENCH_POWERMETRICS: file }))).toMatchObject({
      'powermetrics/combined': 4.1,
    });
  });

  it('says that it wants root', async () => {
    const file = program('no-root', 'echo "powermetrics must be invoked as the superuser" >&2; exit 1');
    expect(statusOf(await probeRemote([powermetrics], { AIBENCH_POWERMETRICS: file }))).toEqual(['denied']);
  });
});

describe('SNMP', () => {
  const place = { AIBENCH_SNMP_HOST: 'pdu.example', AIBENCH_SNMP_OID: '.1.3.6.1.4.1.318.1.1.26.9.4.3.1.7.1' };

  it('reads the outlet in its unit, without any login on the command line', async () => {
    const log = path.join(scratch, 'args');
    const AIBENCH_SNMP_SNMPGET = program('snmpget', `echo "$*" > ${log}; echo 512`);
    const rows = await probeRemote([snmpPdu], { ...place, AIBENCH_SNMP_SCALE: '0.1', AIBENCH_SNMP_SNMPGET });
    expect((await readings(rows))['snmp-pdu/outlet']).toBeCloseTo(51.2, 9);
    expect(JSON.stringify(rows)).not.toContain('pdu.example');
  });

  it('refuses what could be an option, and what is no number above 0', async () => {
    for (const host of ['-v1', 'a b', '$(id)']) {
      expect(statusOf(await probeRemote([snmpPdu], { ...place, AIBENCH_SNMP_HOST: host }))).toEqual(['unsupported']);
    }
    expect(['No Such Instance', '0', '-3', '', '12 W'].map(text => parseSnmpValue(text, 1))).toEqual([
      null,
      null,
      null,
      null,
      null,
    ]);
    expect(parseSnmpValue('"230"\n', 1)).toBe(230);
  });
});

describe('PTDaemon', () => {
  const SAMPLE = 'Time,11-23-2026 12:00:01.000,Watts,231.500000,Volts,229.8,Amps,1.012,PF,0.995,Mark,x\r\n';

  async function daemon(answer: (socket: net.Socket) => void): Promise<string> {
    const server = net.createServer(socket => {
      socket.on('error', () => {});
      socket.on('data', () => answer(socket));
    });
    servers.push(server);
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
    return `127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('takes the newest sample, also when the answer comes in pieces', async () => {
    const AIBENCH_PTDAEMON = await daemon(socket => {
      socket.write(`Last 2 samples\r\n${SAMPLE.replace('231.5', '99.5')}${SAMPLE.slice(0, 20)}`);
      setTimeout(() => socket.write(SAMPLE.slice(20)), 30);
    });
    const rows = await probeRemote([ptdaemon], { AIBENCH_PTDAEMON });
    expect(await readings(rows)).toEqual({ 'ptdaemon/analyser': 231.5 });
    expect(rows[0]?.descriptions[0]).toMatchObject({ scope: 'wall', covers: ['wall', 'node'] });
  });

  it('tells a daemon that measures nothing from one that is not there', async () => {
    const idle = await daemon(socket => socket.write('Last 0 samples\r\n'));
    const [none] = await probeRemote([ptdaemon], { AIBENCH_PTDAEMON: idle });
    expect(none?.descriptions[0]?.reason).toContain('no sample');
    const [gone] = await probeRemote([ptdaemon], { AIBENCH_PTDAEMON: '127.0.0.1:1' });
    expect(gone?.descriptions[0]?.reason).toContain('ECONNREFUSED');
    expect(statusOf(await probeRemote([ptdaemon], { AIBENCH_PTDAEMON: 'a b' }))).toEqual(['unsupported']);
    const silent = await daemon(() => {});
    expect(statusOf(await probeRemote([ptdaemon], { AIBENCH_PTDAEMON: silent }, 0.2))).toEqual(['unsupported']);
  });

  it('parses strictly', () => {
    expect(parseLastSamples('Unknown command\r\n')).toMatchObject({ complete: true, watts: null });
    expect(parseLastSamples(`Last 1 samples\r\n${SAMPLE.replace('231.500000', '-1.0')}`)).toMatchObject({
      complete: true,
      watts: null,
    });
    expect(parseLastSamples('Last 1 samples\r\n')).toMatchObject({ complete: false, watts: null });
    expect([parsePlace('h'), parsePlace('[::1]:9'), parsePlace('h:0')]).toEqual([
      { host: 'h', port: 8888 },
      { host: '::1', port: 9 },
      null,
    ]);
  });
});

describe('newer Redfish resources', () => {
  it('takes a sensor only if its name says that it is the whole, and a supply only if it tells', () => {
    const total = {
      Id: 'TotalPower',
      ReadingType: 'Power',
      ReadingUnits: 'W',
      Reading: 812.5,
      Status: { State: 'Enabled' },
    };
    expect(parseSensor(total)).toBe(812.5);
    for (const other of [
      { Id: 'CPU0_Power' },
      { ReadingType: 'Voltage' },
      { Reading: null },
      { Reading: 0 },
      { Status: { State: 'Disabled' } },
      { ReadingUnits: 'kW' },
    ]) {
      expect(parseSensor({ ...total, ...other })).toBeNull();
    }
    expect(parseSupplyMetrics({ InputPowerWatts: { Reading: 401 } })).toBe(401);
    expect(parseSupplyMetrics({ InputPowerWatts: { Reading: null } })).toBeNull();
  });
});
