/**
 * Power of a server as its management controller gives it over Redfish (DMTF DSP0266): the chassis that holds the computer
 * system. Several resources can tell it, and they can disagree on one chassis, so each is a row of its own:
 *
 * - `Power` (deprecated, everywhere): PowerControl[0].PowerConsumedWatts. Members of PowerControl overlap and are never added.
 * - `EnvironmentMetrics` (since 2020.4): PowerWatts.Reading.
 * - `Sensors`, where EnvironmentMetrics is missing or without power: the Sensor of type Power whose name says that it is the total.
 * - the power supplies of `Power`: the sum of PowerInputWatts, which is what the wall delivers; only if all of them tell.
 * - `PowerSubsystem` (since 2020.4), where those do not tell: the sum of its supplies' Metrics, InputPowerWatts.Reading.
 */
import type { SourceDescription } from '../../results/schema.ts';
import type { MeterTime } from '../clock-bracket.ts';
import { type Endpoint, endpointFrom, getDatedJson, getJson, HttpFailure } from '../http-json.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'redfish';
const PREFIX = 'AIBENCH_REDFISH';

type Json = Record<string, unknown>;

function record(value: unknown): Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Json) : {};
}

function list(value: unknown): Json[] {
  return Array.isArray(value) ? value.map(record) : [];
}

/** 0 W and null are what controllers say while they cannot measure: neither is a reading. */
function watts(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

/** Pure: the chassis' own consumption. */
export function parsePowerControl(power: unknown): number | null {
  return watts(list(record(power).PowerControl)[0]?.PowerConsumedWatts);
}

/** Pure: the sum of what the supplies take from the wall; null when one that is enabled does not tell. */
export function parseSupplies(power: unknown): number | null {
  const enabled = list(record(power).PowerSupplies).filter(supply => {
    const state = record(supply.Status).State;
    return state !== 'Absent' && state !== 'Disabled' && state !== 'StandbyOffline';
  });
  if (enabled.length === 0) return null;
  let sum = 0;
  for (const supply of enabled) {
    const input = watts(supply.PowerInputWatts);
    if (input === null) return null;
    sum += input;
  }
  return sum;
}

/** Pure. */
export function parseEnvironmentMetrics(metrics: unknown): number | null {
  return watts(record(record(metrics).PowerWatts).Reading);
}

/** Pure: the whole machine's power out of one Sensor resource; null for one of a part, of voltage, or disabled. */
export function parseSensor(sensor: unknown): number | null {
  const { ReadingType, Reading, ReadingUnits, Id, Status } = record(sensor);
  const isPower = ReadingType === 'Power' && (ReadingUnits === undefined || ReadingUnits === 'W');
  const isTotal = typeof Id === 'string' && TOTAL_SENSOR.test(Id);
  const enabled = record(Status).State === undefined || record(Status).State === 'Enabled';
  return isPower && isTotal && enabled ? watts(Reading) : null;
}

/** Names of sensors that hold the whole chassis; any other may be a part of it. */
const TOTAL_SENSOR = /^(power_)?(total_?(system_?)?power|system_?power|sys_?pwr|chassis_?power|power_?total)$/i;
/** NVIDIA's name for the GPUs' own board behind its own controller: a system to Redfish, a part of the machine to us. */
const BASEBOARD = /\/HGX_[^/]*\/?$/;

/** Pure: a Sensor's ReadingTime (RFC 3339) and the clock of the controller, whose Date has whole seconds. */
export function meterTime(sensor: unknown, dateSeconds: number | null): MeterTime {
  const { ReadingTime } = record(sensor);
  const taken = typeof ReadingTime === 'string' ? Date.parse(ReadingTime) / 1e3 : Number.NaN;
  return {
    takenSeconds: Number.isFinite(taken) ? taken : null,
    nowSeconds: dateSeconds === null ? null : [dateSeconds, dateSeconds + 1],
  };
}

/** Pure: one supply's input from its PowerSupplyMetrics. */
export function parseSupplyMetrics(metrics: unknown): number | null {
  return watts(record(record(metrics).InputPowerWatts).Reading);
}

/** Pure: path of a linked resource, only if it stays on the same server. */
export function linkOf(resource: unknown, name: string): string | null {
  const target = record(record(resource)[name])['@odata.id'];
  return typeof target === 'string' && /^\/redfish\/[\w./~%()-]*$/.test(target) ? target : null;
}

interface Channel {
  id: string;
  scope: SourceDescription['scope'];
  covers: string[];
  path: string;
  parse: (resource: unknown) => number | null;
}

export const redfish: RemoteSource = {
  id: ID,
  summary: `power from the management controller over Redfish (${PREFIX}_URL)`,
  async probe(environment, signal): Promise<RemoteRow[]> {
    const found = endpointFrom(PREFIX, environment);
    if (!found) {
      const remedy = `set ${PREFIX}_URL (https://...), ${PREFIX}_USER and ${PREFIX}_PASSWORD_FILE; ${PREFIX}_CA_FILE for an own authority`;
      return [missingRow(ID, 'absent', `${PREFIX}_URL is not set`, remedy)];
    }
    if (!found.ok) return [missingRow(ID, 'unsupported', found.reason, `look at the ${PREFIX}_* variables`)];
    try {
      return await discover(found.endpoint, signal);
    } catch (error) {
      return [explain(error)];
    }
  },
};

function explain(error: unknown): RemoteRow {
  if (!(error instanceof HttpFailure))
    return missingRow(ID, 'unsupported', 'the answer was not understood', 'report the model');
  if (error.denied) {
    return missingRow(
      ID,
      'denied',
      `the controller refused the login (${error.message})`,
      'an account with the ReadOnly role is enough',
    );
  }
  const isCertificate = /CERT|SELF_SIGNED|ISSUER|ALTNAME|VERIFY/.test(error.message);
  const remedy = isCertificate
    ? `give the authority that signed the controller's certificate in ${PREFIX}_CA_FILE; verification cannot be switched off`
    : 'look at the address of the controller and the network to it';
  return missingRow(ID, 'unsupported', `the controller did not answer (${error.message})`, remedy);
}

async function discover(endpoint: Endpoint, signal: AbortSignal): Promise<RemoteRow[]> {
  const get = (path: string): Promise<unknown> => getJson(new URL(path, endpoint.url), { ...endpoint, signal });
  const members = list(record(await get('/redfish/v1/Chassis')).Members);
  const out: RemoteRow[] = [];
  let machines = 0;
  for (const member of members) {
    const path = linkOf({ member }, 'member');
    const chassis = path === null ? {} : await get(path);
    // Drive cages, risers and GPU baseboards are chassis of their own; that which holds the system is the machine.
    const systems = list(record(record(chassis).Links).ComputerSystems);
    if (systems.every(system => BASEBOARD.test(String(system['@odata.id'])))) continue;
    out.push(...(await probeChassis(chassis, machines, endpoint, get)));
    machines += 1;
  }
  if (out.length > 0) return out;
  const reason = `none of ${members.length} chassis gives a power reading (null or 0 W)`;
  return [
    missingRow(ID, 'unsupported', reason, 'some controllers measure only while the machine is on, or with a licence'),
  ];
}

async function probeChassis(
  chassis: unknown,
  index: number,
  endpoint: Endpoint,
  get: (path: string) => Promise<unknown>,
): Promise<RemoteRow[]> {
  const node = index === 0 ? 'node' : `node-${index}`;
  const wall = index === 0 ? 'wall' : `wall-${index}`;
  const [power, metrics] = [linkOf(chassis, 'Power'), linkOf(chassis, 'EnvironmentMetrics')];
  const candidates: Channel[] = [];
  if (power) {
    const covers = [wall, node];
    candidates.push({
      id: `${ID}/${index}/power-control`,
      scope: 'node',
      covers: [node],
      path: power,
      parse: parsePowerControl,
    });
    candidates.push({ id: `${ID}/${index}/supplies`, scope: 'wall', covers, path: power, parse: parseSupplies });
  }
  if (metrics) {
    candidates.push({
      id: `${ID}/${index}/environment`,
      scope: 'node',
      covers: [node],
      path: metrics,
      parse: parseEnvironmentMetrics,
    });
  }
  const byPath = new Map<string, Channel[]>();
  for (const channel of candidates) byPath.set(channel.path, [...(byPath.get(channel.path) ?? []), channel]);
  const rows: RemoteRow[] = [];
  const more = { endpoint, get, base: `${ID}/${index}` };
  for (const [path, channels] of byPath) {
    const resource = await get(path).catch(() => null);
    const giving = channels.filter(channel => channel.parse(resource) !== null);
    if (giving.length === 0) continue;
    rows.push({
      descriptions: giving.map(({ id, scope, covers }) => ({
        ...{ id, kind: 'gauge', scope, covers, quantity: 'power', unit: 'W', status: 'ok', quantum: 1 },
        reason: OWN_WORD,
      })),
      reader: {
        async read(signal) {
          const current = await getJson(new URL(path, endpoint.url), { ...endpoint, signal });
          return Object.fromEntries(giving.map(({ id, parse }) => [id, parse(current)]));
        },
      },
    });
  }
  const gives = (id: string): boolean =>
    rows.some(row => row.descriptions.some(one => one.id === `${more.base}/${id}`));
  const supplies = gives('supplies') ? null : await probeSubsystem(chassis, [wall, node], more);
  const sensor = gives('environment') ? null : await probeSensors(chassis, [node], more);
  return [...rows, ...(supplies ? [supplies] : []), ...(sensor ? [sensor] : [])];
}

interface Access {
  endpoint: Endpoint;
  get: (path: string) => Promise<unknown>;
  base: string;
}

const OWN_WORD = 'as the controller states it: how often it measures and over what it averages is not documented';
/** A chassis has tens of sensors; one with hundreds would take the whole probe. */
const MOST_SENSORS = 200;

/** The sum over the supplies, each of which is asked for at every reading; none where one that is enabled does not tell. */
async function probeSubsystem(
  chassis: unknown,
  covers: string[],
  { endpoint, get, base }: Access,
): Promise<RemoteRow | null> {
  const subsystem = linkOf(chassis, 'PowerSubsystem');
  const collection = subsystem && linkOf(await get(subsystem).catch(() => null), 'PowerSupplies');
  const members = collection ? list(record(await get(collection).catch(() => null)).Members) : [];
  const paths: string[] = [];
  for (const member of members) {
    const supply = await get(linkOf({ member }, 'member') ?? '').catch(() => null);
    const state = record(record(supply).Status).State;
    if (state === 'Absent' || state === 'Disabled' || state === 'StandbyOffline') continue;
    const path = linkOf(supply, 'Metrics');
    if (!path) return null;
    paths.push(path);
  }
  const sum = async (ask: (path: string) => Promise<unknown>): Promise<number | null> => {
    const inputs = await Promise.all(paths.map(async path => parseSupplyMetrics(await ask(path))));
    return inputs.reduce<number | null>((total, input) => (total === null || input === null ? null : total + input), 0);
  };
  if (paths.length === 0 || (await sum(get).catch(() => null)) === null) return null;
  const id = `${base}/supplies`;
  const ask = (signal: AbortSignal) => (path: string) => getJson(new URL(path, endpoint.url), { ...endpoint, signal });
  return {
    descriptions: [
      { id, kind: 'gauge', scope: 'wall', covers, quantity: 'power', unit: 'W', status: 'ok', reason: OWN_WORD },
    ],
    reader: { read: async signal => ({ [id]: await sum(ask(signal)) }) },
  };
}

/** The first sensor whose name says that it is the whole chassis. */
async function probeSensors(
  chassis: unknown,
  covers: string[],
  { endpoint, get, base }: Access,
): Promise<RemoteRow | null> {
  const collection = linkOf(chassis, 'Sensors');
  const members = collection ? list(record(await get(collection).catch(() => null)).Members) : [];
  const paths = members.slice(0, MOST_SENSORS).flatMap(member => linkOf({ member }, 'member') ?? []);
  for (const path of paths.filter(one => TOTAL_SENSOR.test(one.slice(one.lastIndexOf('/') + 1)))) {
    if (parseSensor(await get(path).catch(() => null)) === null) continue;
    const id = `${base}/sensor`;
    let time: MeterTime | null = null;
    return {
      descriptions: [
        { id, kind: 'gauge', scope: 'node', covers, quantity: 'power', unit: 'W', status: 'ok', reason: OWN_WORD },
      ],
      reader: {
        async read(signal) {
          const { body, dateSeconds } = await getDatedJson(new URL(path, endpoint.url), { ...endpoint, signal });
          time = meterTime(body, dateSeconds);
          return { [id]: parseSensor(body) };
        },
        meterTime: () => time,
      },
    };
  }
  return null;
}
