/** One self-contained page: no script, no request to anywhere, light and dark. Pure. */
import { launchValues } from '../analysis/observations.ts';
import { scalingGroups } from '../analysis/scaling.ts';
import type { CaseResult, ResultDocument, Warning } from '../results/schema.ts';
import { formatBytes, formatDuration, formatQuantity, formatRange } from '../units.ts';
import { energyDelayText, energyOf, heatWords, limitWords } from './heat.ts';
import { launchStrip, seriesPlot } from './html-charts.ts';
import { type Html, html } from './html-parts.ts';
import { hostName } from './measurements.ts';
import { SCALING_HEADERS, scalingRows } from './scaling.ts';

const STYLE = `
:root{color-scheme:light dark;--text:#1b1f24;--soft:#57606a;--line:#d0d7de;--ground:#fff;--accent:#0b5cad;--good:#116329;--bad:#a40e26}
@media (prefers-color-scheme:dark){:root{--text:#e6edf3;--soft:#9da7b3;--line:#30363d;--ground:#0d1117;--accent:#6cb6ff;--good:#56d364;--bad:#ff7b72}}
body{font:16px/1.5 system-ui,sans-serif;color:var(--text);background:var(--ground);max-width:78rem;margin:0 auto;padding:1.5rem}
h1{font-size:1.5rem}h2{font-size:1.2rem;margin-top:2.5rem}h3{font-size:1rem}
table{border-collapse:collapse;width:100%;font-size:.9rem}caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{border-bottom:1px solid var(--line);padding:.35rem .6rem;text-align:left;vertical-align:top}td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
td.id{overflow-wrap:anywhere;min-width:12rem}td .soft{font-weight:400}.scroll{overflow-x:auto}.soft{color:var(--soft)}.measured{color:var(--good)}.invalid,.failed{color:var(--bad);font-weight:600}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.2rem 1rem}dt{color:var(--soft)}dd{margin:0;overflow-wrap:anywhere}
svg{display:block;max-width:100%}svg.strip{width:220px;height:22px;max-width:none}svg.plot{width:100%}svg circle{fill:var(--accent);fill-opacity:.55}svg .interval{stroke:var(--soft);stroke-width:7;stroke-opacity:.35}
svg .value{stroke:var(--text);stroke-width:1.5}svg path{fill:none;stroke:var(--accent);stroke-width:1.2}svg .axis{stroke:var(--line)}svg text{fill:var(--soft);font-size:11px}
figure{margin:1rem 0}figcaption{font-size:.9rem}li{margin:.2rem 0}`;

/** What people call a case. */
export type NameOf = (result: CaseResult) => string;

/** @param nameOf given by the caller: only the workloads know, and a page must not need them */
export function htmlReport(documents: readonly ResultDocument[], nameOf: NameOf): string {
  const title = documents.length === 1 ? titleOf(documents[0]) : `${documents.length} results of aibench`;
  const page = html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title><style>${{ markup: STYLE }}</style></head>
<body><main><h1>${title}</h1>${documents.map(document => documentSection(document, nameOf, documents.length > 1))}
<p class="soft">Values are geometric means over launches; a launch is one process. Bars and brackets are intervals of the confidence that the document states. Written by aibench; \`aibench verify\` works all of it out again from the document.</p></main></body></html>
`;
  return page.markup;
}

function titleOf(document: ResultDocument | undefined): string {
  return document === undefined ? 'aibench' : `${document.suite.name} on ${hostName(document)}`;
}

function documentSection(document: ResultDocument, nameOf: NameOf, titled: boolean): Html {
  const kinds = new Map(document.telemetry.sources.map(source => [source.id, source.kind]));
  const warnings = groupWarnings(document, nameOf);
  return html`<section>${titled ? html`<h2>${titleOf(document)}</h2>` : null}${machine(document)}
<div class="scroll"><table><caption>Cases of ${document.suite.name}</caption>
<thead><tr><th scope="col">case</th><th scope="col">status</th><th scope="col" class="n">headline</th><th scope="col">launches and interval</th><th scope="col" class="n">of limit</th><th scope="col" class="n">power</th><th scope="col" class="n">per watt</th></tr></thead>
<tbody>${document.cases.map(result => caseRow(result, nameOf))}</tbody></table></div>
${warnings.length === 0 ? null : html`<h3>Warnings</h3><ul>${warnings}</ul>`}
${scalingTables(document)}
${energyTable(document, nameOf)}
${document.telemetry.series.length === 0 ? null : html`<h3>Telemetry over the run</h3>${document.telemetry.series.map(series => seriesPlot(series, kinds.get(series.source)))}`}
${sources(document)}</section>`;
}

function machine({ host, tool, createdAt, run, seal, suite }: ResultDocument): Html {
  const seconds = run.endedSeconds === null ? null : run.endedSeconds - run.startedSeconds;
  const rows: [string, string][] = [
    ['CPU', `${host.cpu.brand}, ${host.cpu.usableCores} of ${host.cpu.logicalCores} logical cores`],
    ['Memory', formatBytes(host.memory.totalBytes)],
    ...host.accelerators.map((facts): [string, string] => [
      'Accelerator',
      String(facts.name ?? facts.model ?? 'unnamed'),
    ]),
    ['System', [host.os.distribution, host.os.release, host.os.kernel].filter(text => text !== '').join(', ')],
    [
      'Taken',
      `${createdAt}${seconds === null ? '' : `, in ${formatDuration(seconds)}`}, ${run.state}, seed ${run.seed}`,
    ],
    ['Suite', `${suite.name}, SHA-256 ${suite.sha256.slice(0, 16)}…`],
    ['Tool', `aibench ${tool.version}, Node ${tool.node}`],
    [
      'Seal',
      seal === undefined
        ? 'none'
        : `${seal.algorithm} ${seal.digest.slice(0, 16)}…${seal.signature === undefined ? ', not signed' : ', signed'}`,
    ],
  ];
  return html`<dl>${rows.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function caseRow(result: CaseResult, nameOf: NameOf): Html {
  const metric = result.headline === null ? undefined : result.metrics[result.headline];
  const energy = energyOf(result);
  const perWatt = energy?.throughputPerWatt ?? null;
  const values = result.headline === null ? [] : launchValues(result, result.headline).filter(Number.isFinite);
  const watts = energy?.averageWatts ?? null;
  return html`<tr><td class="id" title="${result.id}">${nameOf(result)}</td><td class="${result.status}">${result.status}${result.reason === undefined ? null : html`<br><span class="soft">${result.reason}</span>`}</td>
<td class="n">${metric === undefined ? '–' : formatQuantity(metric.value, metric.unit)}</td>
<td>${metric === undefined || values.length === 0 ? '–' : html`${launchStrip(values, metric.value, metric.interval, metric.unit)}<span class="soft">${intervalText(metric.interval, metric.unit)}</span>`}</td>
<td class="n">${result.limit === null ? '–' : `${(100 * result.limit.fraction).toFixed(1)} %`}</td>
<td class="n">${watts === null ? '–' : formatQuantity(watts, 'W')}${soft(limitWords(energy))}${soft(heatWords(result))}</td><td class="n">${perWatt === null ? '–' : formatQuantity(perWatt.value, perWatt.unit)}</td></tr>`;
}

/** A line in small print, if there is anything to say. */
function soft(words: readonly string[]): Html | null {
  return words.length === 0 ? null : html`<br><span class="soft">${words.join(', ')}</span>`;
}

function intervalText(interval: readonly [number, number] | null, unit: string): string {
  return interval === null ? 'no interval' : formatRange(interval[0], interval[1], unit);
}

/** Where cases differ only in their threads or ranks. */
function scalingTables(document: ResultDocument): Html | null {
  const groups = scalingGroups(document);
  if (groups.length === 0) return null;
  return html`<h3>Scaling</h3>${groups.map(
    group => html`<div class="scroll"><table><caption>${group.kind} scaling of ${group.workload}: ${group.common}</caption>
<thead><tr>${SCALING_HEADERS.map(header => html`<th scope="col">${header}</th>`)}</tr></thead>
<tbody>${scalingRows(group).map(cells => html`<tr>${cells.map(cell => html`<td class="n">${cell}</td>`)}</tr>`)}</tbody></table></div>`,
  )}`;
}

/** Every reading with its scope; what cannot be read is said once per reason, not left out. */
function energyTable(document: ResultDocument, nameOf: NameOf): Html | null {
  const all = document.cases.flatMap(result => result.energy.map(entry => ({ result, entry })));
  if (all.length === 0) return null;
  const rows = all.filter(({ entry }) => entry.joules !== null);
  const missing = new Map<string, number>();
  for (const { entry } of all) {
    if (entry.joules !== null) continue;
    const why = `${entry.source} (${entry.scope}): ${entry.reason ?? entry.status}`;
    missing.set(why, (missing.get(why) ?? 0) + 1);
  }
  const table = html`<div class="scroll"><table><caption>By scope; scopes are never added up or compared with each other</caption>
<thead><tr><th scope="col">case</th><th scope="col">source</th><th scope="col">scope</th><th scope="col" class="n">energy</th><th scope="col" class="n">mean</th><th scope="col" class="n">idle</th><th scope="col" class="n">per watt</th><th scope="col" class="n">energy × time</th><th scope="col">uncertainty, or why not</th></tr></thead>
<tbody>${rows.map(({ result, entry }) => energyRow(result, entry, nameOf))}</tbody></table></div>`;
  return html`<h3>Energy</h3>${rows.length === 0 ? null : table}${
    missing.size === 0
      ? null
      : html`<ul>${[...missing].map(([why, count]) => html`<li>No energy of ${count} ${count === 1 ? 'case' : 'cases'}: ${why}</li>`)}</ul>`
  }`;
}

function energyRow(result: CaseResult, entry: CaseResult['energy'][number], nameOf: NameOf): Html {
  const { joules, averageWatts, idleWatts, throughputPerWatt, uncertainty } = entry;
  const doubt =
    uncertainty === null
      ? (entry.reason ?? entry.status)
      : `±${(100 * uncertainty.relative).toFixed(2)} %, mostly ${uncertainty.dominatedBy}${entry.reason === undefined ? '' : `; ${entry.reason}`}`;
  return html`<tr><td class="id" title="${result.id}">${nameOf(result)}</td><td>${entry.source}</td><td>${entry.scope}</td><td class="n">${joules === null ? '–' : formatQuantity(joules, 'J')}</td><td class="n">${averageWatts === null ? '–' : formatQuantity(averageWatts, 'W')}</td><td class="n">${idleWatts === null ? '–' : formatQuantity(idleWatts, 'W')}</td><td class="n">${throughputPerWatt === null ? '–' : formatQuantity(throughputPerWatt.value, throughputPerWatt.unit)}</td><td class="n">${energyDelayText(entry)}</td><td>${doubt}</td></tr>`;
}

function sources({ telemetry }: ResultDocument): Html | null {
  if (telemetry.sources.length === 0) return null;
  return html`<h3>Sensors</h3><ul>${telemetry.sources.map(
    ({ id, scope, status, reason, remedy }) =>
      html`<li>${id} (${scope}): ${status}${reason === undefined ? null : `, ${reason}`} <span class="soft">${remedy ?? null}</span></li>`,
  )}</ul>`;
}

/** One line per code; what it says of each case is folded away. */
function groupWarnings(document: ResultDocument, nameOf: NameOf): Html[] {
  const groups = new Map<string, { warning: Warning; of: { name: string; message: string }[] }>();
  const add = (warning: Warning, name: string): void => {
    const group = groups.get(warning.code) ?? { warning, of: [] };
    group.of.push({ name, message: warning.message });
    groups.set(warning.code, group);
  };
  for (const warning of document.warnings) add(warning, 'the run');
  for (const result of document.cases) for (const warning of result.warnings) add(warning, nameOf(result));
  return [...groups.values()].map(({ warning, of }) =>
    of.length === 1
      ? html`<li>${of[0]?.name ?? ''}: ${warning.message} <span class="soft">${warning.remedy}</span></li>`
      : html`<li><details><summary>${of.length} times ${warning.code}; first: ${warning.message} <span class="soft">${warning.remedy}</span></summary><ul>${of.map(({ name, message }) => html`<li>${name}: ${message}</li>`)}</ul></details></li>`,
  );
}
