/**
 * Power from a Prometheus server, for guests that must ask their host (DCGM exporter, Kepler, Scaphandre, node_exporter): one
 * instant query whose result is a single number of watts.
 */
import { SUM } from '../../analysis/energy-scope.ts';
import { type SourceDescription, scope as scopeSchema } from '../../results/schema.ts';
import { type Endpoint, endpointFrom, getJson, HttpFailure } from '../http-json.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'prometheus';
const PREFIX = 'AIBENCH_PROMETHEUS';

export type QueryAnswer = { ok: true; watts: number } | { ok: false; reason: string };

/** Pure: the answer of /api/v1/query (prometheus.io, "HTTP API"): a scalar, or a vector of exactly one sample. */
export function parseQuery(answer: unknown): QueryAnswer {
  const { status, data } = (answer ?? {}) as { status?: unknown; data?: { resultType?: unknown; result?: unknown } };
  if (status !== 'success') return { ok: false, reason: 'the server refused the query' };
  const result = data?.result;
  if (data?.resultType === 'scalar') return sample(result);
  if (data?.resultType !== 'vector' || !Array.isArray(result))
    return { ok: false, reason: 'the query gives no vector and no scalar' };
  if (result.length === 1) return sample((result[0] as { value?: unknown } | null)?.value);
  const reason =
    result.length === 0
      ? 'the query finds nothing'
      : `the query gives ${result.length} series; one is wanted: sum(...)`;
  return { ok: false, reason };
}

function sample(pair: unknown): QueryAnswer {
  const watts = Array.isArray(pair) ? Number.parseFloat(String(pair[1])) : Number.NaN;
  return Number.isFinite(watts) && watts > 0
    ? { ok: true, watts }
    : { ok: false, reason: 'the value is no power (NaN, 0 or below)' };
}

export const prometheus: RemoteSource = {
  id: ID,
  summary: `power that a Prometheus server knows (${PREFIX}_URL, ${PREFIX}_QUERY)`,
  async probe(environment, signal): Promise<RemoteRow[]> {
    const found = endpointFrom(PREFIX, environment);
    const query = environment[`${PREFIX}_QUERY`];
    if (!found || !query) {
      const remedy = `set both, and ${PREFIX}_SCOPE to what the query covers (${scopeSchema.options.join(', ')})`;
      return [missingRow(ID, 'absent', `${PREFIX}_URL and ${PREFIX}_QUERY are not set`, remedy)];
    }
    if (!found.ok) return [missingRow(ID, 'unsupported', found.reason, `look at the ${PREFIX}_* variables`)];
    const scope = scopeSchema.safeParse(environment[`${PREFIX}_SCOPE`]);
    if (!scope.success) {
      return [
        missingRow(
          ID,
          'unsupported',
          `${PREFIX}_SCOPE does not say what the query covers`,
          `one of ${scopeSchema.options.join(', ')}`,
        ),
      ];
    }
    const scrape = Number(environment[`${PREFIX}_SCRAPE_SECONDS`] ?? SCRAPE_SECONDS);
    if (!(scrape > 0 && scrape <= 3600)) {
      const reason = `${PREFIX}_SCRAPE_SECONDS is no number of seconds`;
      return [missingRow(ID, 'unsupported', reason, 'give the scrape_interval of the job, for example 15')];
    }
    try {
      const answer = parseQuery(await ask(found.endpoint, query, signal));
      if (!answer.ok) return [missingRow(ID, 'unsupported', answer.reason, 'try the query in the server’s own page')];
    } catch (error) {
      const reason = error instanceof HttpFailure ? error.message : 'not understood';
      return [
        missingRow(
          ID,
          error instanceof HttpFailure && error.denied ? 'denied' : 'unsupported',
          reason,
          'look at the address and the login',
        ),
      ];
    }
    return [rowOf(found.endpoint, query, scope.data, scrape)];
  },
};

function ask(endpoint: Endpoint, query: string, signal: AbortSignal): Promise<unknown> {
  const url = new URL('/api/v1/query', endpoint.url);
  url.searchParams.set('query', query);
  return getJson(url, { ...endpoint, signal });
}

/** The usual scrape_interval. */
const SCRAPE_SECONDS = 15;

/** Pure: the longest range of a query, `rate(x[30s])`, seconds: its value is an average over that. 0 where there is none. */
export function rangeSeconds(query: string): number {
  const units: Record<string, number> = { ms: 1e-3, s: 1, m: 60, h: 3600, d: 86_400 };
  const ranges = [...query.matchAll(/\[((?:\d+(?:ms|[smhd]))+)(?::[^\]]*)?\]/g)].map(([, text]) =>
    [...(text ?? '').matchAll(/(\d+)(ms|[smhd])/g)].reduce(
      (sum, [, n, unit]) => sum + Number(n) * (units[unit ?? ''] ?? 0),
      0,
    ),
  );
  return Math.max(0, ...ranges);
}

/** What the owner's word comes to: packages stand for work on CPUs, boards (of accelerators) for work on GPUs, modules for both. */
const COVERS: Record<SourceDescription['scope'], string[]> = {
  wall: ['wall', 'node'],
  node: ['node'],
  module: [`module${SUM}`, `package${SUM}`, `gpu${SUM}`],
  board: [`gpu${SUM}`],
  package: [`package${SUM}`],
  chip: [`${ID}-chip`],
};

function rowOf(endpoint: Endpoint, query: string, scope: SourceDescription['scope'], scrapeSeconds: number): RemoteRow {
  const averaging = rangeSeconds(query);
  const description: SourceDescription = {
    ...{ id: `${ID}/query`, kind: 'gauge', scope, quantity: 'power', unit: 'W', status: 'ok' },
    covers: COVERS[scope],
    reason: `as old as the last scrape of the server, at most ${scrapeSeconds} s; what it covers is the word of its owner`,
    ...(averaging === 0 ? {} : { averagingWindowSeconds: averaging }),
  };
  const reader = {
    delaySeconds: [0, scrapeSeconds] as const,
    async read(signal: AbortSignal) {
      const answer = parseQuery(await ask(endpoint, query, signal));
      return { [description.id]: answer.ok ? answer.watts : null };
    },
  };
  return { descriptions: [description], reader };
}
