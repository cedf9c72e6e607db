/** Smart plugs between the machine and the wall: Shelly (first and second generation) and Tasmota, over their local HTTP. */
import type { SourceDescription } from '../../results/schema.ts';
import { type Endpoint, endpointFrom, getJson, HttpFailure } from '../http-json.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'plug';
const PREFIX = 'AIBENCH_PLUG';

interface PlugKind {
  name: string;
  path: string;
  /** Where in the answer the power stands. */
  keys: readonly (string | number)[];
}

/** Paths from the makers' pages: Shelly Gen1 /meter/0, Gen2 RPC Switch.GetStatus, Tasmota "Status 8". */
const KINDS: readonly PlugKind[] = [
  { name: 'shelly2', path: '/rpc/Switch.GetStatus?id=0', keys: ['apower'] },
  { name: 'shelly1', path: '/meter/0', keys: ['power'] },
  { name: 'tasmota', path: '/cm?cmnd=Status%208', keys: ['StatusSNS', 'ENERGY', 'Power'] },
];

/** Pure: a number at a place in an answer. A plug that feeds a running machine never shows 0 W. */
export function wattsAt(answer: unknown, keys: readonly (string | number)[]): number | null {
  let value: unknown = answer;
  for (const key of keys) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, key)) return null;
    value = (value as Record<string | number, unknown>)[key];
  }
  // Tasmota with several relays gives a list.
  if (Array.isArray(value)) value = value[0];
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : null;
}

export const smartPlug: RemoteSource = {
  id: ID,
  summary: `wall power from a Shelly or Tasmota plug (${PREFIX}_URL)`,
  async probe(environment, signal): Promise<RemoteRow[]> {
    const found = endpointFrom(PREFIX, environment);
    if (!found) {
      return [
        missingRow(
          ID,
          'absent',
          `${PREFIX}_URL is not set`,
          `set ${PREFIX}_URL to the address of the plug (http://...)`,
        ),
      ];
    }
    if (!found.ok) return [missingRow(ID, 'unsupported', found.reason, `look at the ${PREFIX}_* variables`)];
    let last = 'no power reading';
    for (const kind of KINDS) {
      try {
        if (wattsAt(await ask(found.endpoint, kind, signal), kind.keys) !== null) return [rowOf(found.endpoint, kind)];
      } catch (error) {
        last = error instanceof HttpFailure ? error.message : 'not understood';
      }
    }
    return [
      missingRow(
        ID,
        'unsupported',
        `the plug gives no power (${last})`,
        'Shelly Plug, Plus and Pro, and Tasmota with an energy meter are known',
      ),
    ];
  },
};

function ask(endpoint: Endpoint, kind: PlugKind, signal: AbortSignal): Promise<unknown> {
  return getJson(new URL(kind.path, endpoint.url), { ...endpoint, signal });
}

function rowOf(endpoint: Endpoint, kind: PlugKind): RemoteRow {
  const id = `${ID}/${kind.name}`;
  const description: SourceDescription = {
    ...{ id, kind: 'gauge', scope: 'wall', covers: ['wall', 'node'], quantity: 'power', unit: 'W', status: 'ok' },
    reason: 'everything behind the plug; that this is the machine alone is the word of its owner',
  };
  const reader = {
    read: async (signal: AbortSignal) => ({ [id]: wattsAt(await ask(endpoint, kind, signal), kind.keys) }),
  };
  return { descriptions: [description], reader };
}
