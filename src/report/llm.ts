/** Markdown: language models by batch and length of the text: reading and writing apart, times of tokens, memory, energy. */
import { TAIL_SAMPLES } from '../analysis/statistics.ts';
import { usableLaunches } from '../analysis/summarize.ts';
import type { CaseResult, ResultDocument } from '../results/schema.ts';
import type { ReportFormat } from './format.ts';
import { escapeMarkdown, markdownTable } from './markdown-table.ts';
import { hostName, machineWords } from './measurements.ts';
import { statusWords } from './status-words.ts';

const HEADERS = [
  'model, engine',
  'rows',
  'tokens in + out',
  'first token ms (p50)',
  'read tok/s',
  'per token ms',
  'between tokens ms (p50)',
  'p99',
  'write tok/s',
  'whole tok/s',
  'cache MB per row',
  'weights MB',
  'peak MB',
  'per joule',
  'status',
];

const NOTES = [
  'first token: from the prompt to the first token of every row (TTFT); of a prefill, the whole of it. read: tokens of the prompts over that time.',
  'per token: mean time from a token to the next (TPOT), the first not among them; p50 and p99 of the same times. write: new tokens of all rows over them. whole: new tokens over the whole generation, the prompt included.',
  `p99 with a star: fewer than ${TAIL_SAMPLES} times in a launch, so nearly the slowest of them.`,
  'cache: keys and values of one row at full length; "copied" where past and present are two buffers. peak: the whole process, its own memory before the load included.',
  'per joule: of the row’s headline (whole generations; read or write alone where only that was run). A rate in brackets must not be used: see the status.',
];

export const llm: ReportFormat = {
  name: 'llm',
  summary: 'Markdown: language models by batch and length: first token, time per token, tokens per second, KV cache',
  render: documents => {
    const parts = documents.flatMap(tableOf);
    return parts.length === 0 ? 'No case of a language model is in these documents.\n' : `${parts.join('\n\n')}\n`;
  },
};

function tableOf(document: ResultDocument): string[] {
  const cases = document.cases.filter(({ workload, params }) => workload === 'inference' && params.mode !== undefined);
  if (cases.length === 0) return [];
  return [
    `### ${escapeMarkdown(document.suite.name)} on ${escapeMarkdown(hostName(document))}`,
    escapeMarkdown(machineWords(document)),
    markdownTable(HEADERS, cases.map(row)),
    NOTES.map(note => `- ${escapeMarkdown(note)}`).join('\n'),
  ];
}

/** Names of the metrics behind the columns of times and rates; null where the mode has no such thing. */
interface Columns {
  first: string | null;
  read: string | null;
  between50: string | null;
  between99: string | null;
  write: string | null;
  whole: string | null;
}

const NOTHING: Columns = { first: null, read: null, between50: null, between99: null, write: null, whole: null };
const COLUMNS: Record<string, Columns> = {
  prefill: { ...NOTHING, first: 'latency_seconds_p50', read: 'prefill_tokens_per_second' },
  decode: {
    ...NOTHING,
    between50: 'latency_seconds_p50',
    between99: 'latency_seconds_p99',
    write: 'decode_tokens_per_second',
  },
  generate: {
    first: 'time_to_first_token_seconds_p50',
    read: 'prefill_tokens_per_second',
    between50: 'inter_token_latency_seconds_p50',
    between99: 'inter_token_latency_seconds_p99',
    write: 'decode_tokens_per_second',
    whole: 'output_tokens_per_second',
  },
};

function row(result: CaseResult): string[] {
  const { params, facts, backend, energy, metrics, status } = result;
  const columns = COLUMNS[String(params.mode)] ?? NOTHING;
  const shown = (name: string | null, scale: number, mark = ''): string => {
    const metric = name === null ? undefined : metrics[name];
    if (metric === undefined) return '–';
    const text = `${(scale * metric.value).toPrecision(4)}${mark}`;
    return status === 'measured' ? text : `(${text})`;
  };
  const megabytes = (name: string): string => (typeof facts[name] === 'number' ? (facts[name] / 1e6).toFixed(1) : '–');
  const perJoule = energy.find(entry => entry.status === 'ok' && entry.throughputPerWatt !== null)?.throughputPerWatt;
  return [
    [params.model, params.precision, params.sparsity, backend].filter(part => part !== undefined).join(' '),
    String(params.batch ?? 1),
    lengths(params),
    shown(columns.first, 1e3),
    shown(columns.read, 1),
    perTokenMs(result),
    shown(columns.between50, 1e3),
    shown(columns.between99, 1e3, star(result)),
    shown(columns.write, 1),
    shown(columns.whole, 1),
    `${megabytes('kvCacheBytesPerSequence')}${facts.kvCacheInPlace === false ? ' copied' : ''}`,
    megabytes('modelBytes'),
    megabytes('peakResidentBytes'),
    perJoule ? `${perJoule.value.toPrecision(3)} ${perJoule.unit}` : '–',
    statusWords(result),
  ];
}

/** A decode step is a token of every row: its mean time is one over the rate of steps. */
function perTokenMs({ params, metrics, status }: CaseResult): string {
  const step = metrics.inferences_per_second;
  const seconds =
    params.mode === 'generate'
      ? metrics.time_per_output_token_seconds?.value
      : params.mode === 'decode' && step !== undefined
        ? 1 / step.value
        : undefined;
  if (seconds === undefined) return '–';
  const text = (1e3 * seconds).toPrecision(4);
  return status === 'measured' ? text : `(${text})`;
}

function lengths({ mode, sequence, context, newTokens }: CaseResult['params']): string {
  if (mode === 'decode') return `${String(context)} in the cache + 1`;
  return mode === 'prefill' ? String(sequence) : `${String(sequence)} + ${String(newTokens)}`;
}

function star({ launches, params }: CaseResult): string {
  const counts = usableLaunches(launches).map(({ tokenTimes, samplesSeconds }) =>
    params.mode === 'generate' ? (tokenTimes?.interTokenSeconds ?? []).length : samplesSeconds.length,
  );
  return counts.length > 0 && Math.min(...counts) < TAIL_SAMPLES ? '*' : '';
}
