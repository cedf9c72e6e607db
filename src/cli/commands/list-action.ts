/** What `aibench list` gathers; each list is rows of plain facts, rendered alike. */
import { METRICS } from '../../analysis/metrics.ts';
import { listModels } from '../../models/registry.ts';
import { tryLoadAddon } from '../../native/addon.ts';
import type { GpuProbe, OpenclProbe, PjrtProbe } from '../../native/types.ts';
import { findLlamaCpp } from '../../runtime/llama-cpp.ts';
import { findOrt } from '../../runtime/ort.ts';
import { builtinSuites, loadSuite } from '../../suite/load.ts';
import { DEFAULT_ROOTS, probeAll } from '../../telemetry/registry.ts';
import { probeRemote } from '../../telemetry/remote.ts';
import { remoteSources } from '../../telemetry/remote-registry.ts';
import { formatBytes } from '../../units.ts';
import { probeOpencl } from '../../workloads/device/opencl.ts';
import { probePjrt } from '../../workloads/device/pjrt.ts';
import { probeAllGpus } from '../../workloads/gpu/devices.ts';
import { WORKLOADS } from '../../workloads/registry.ts';
import { cacheFolder } from '../cache-folder.ts';
import { deviceDetail, openclDetail } from '../render/devices.ts';
import { sentences } from '../render/sentence.ts';
import { renderTable } from '../render/table.ts';
import { LISTS, type ListName } from './list-names.ts';

type Row = Record<string, string | number | boolean | null>;

const GATHER: Record<ListName, () => Promise<Row[]>> = {
  workloads,
  backends,
  kernels,
  devices,
  sources,
  suites,
  models,
  metrics,
};
const SHORT: readonly ListName[] = LISTS.filter(name => name !== 'kernels' && name !== 'devices' && name !== 'metrics');

/** The text for standard output. */
export async function list(what: ListName | undefined, json: boolean): Promise<string> {
  const names = what === undefined ? SHORT : [what];
  const lists: Partial<Record<ListName, Row[]>> = {};
  for (const name of names) lists[name] = await GATHER[name]();
  if (json) return `${JSON.stringify(what === undefined ? lists : lists[what])}\n`;
  return names.map(name => `${what === undefined ? `${name}\n` : ''}${table(lists[name] ?? [])}`).join('\n');
}

function table(rows: Row[]): string {
  const headers = Object.keys(rows[0] ?? { nothing: '' });
  return `${renderTable({
    columns: headers.map(header => ({ header, align: 'left' as const })),
    rows: rows.map(row => headers.map(header => String(row[header] ?? '–'))),
    maxWidth: process.stdout.isTTY === true ? (process.stdout.columns ?? 80) : 200,
  })}\n`;
}

async function workloads(): Promise<Row[]> {
  return WORKLOADS.map(({ name, backends: on, summary }) => ({ name, backends: on.join(' '), summary }));
}

async function backends(): Promise<Row[]> {
  const native = tryLoadAddon();
  const ort = findOrt();
  const llamaCpp = findLlamaCpp();
  return [
    {
      name: 'native',
      status: native.addon === null ? 'absent' : 'ok',
      detail:
        native.addon === null
          ? `${native.error.message} ${native.error.remedy}`
          : `own kernels: ${native.addon.cpuFeatures().isas.join(' ')}`,
    },
    {
      name: 'threads',
      status: native.addon === null ? 'absent' : 'ok',
      detail: 'own collectives over shared memory, in one process',
    },
    ...(native.addon?.gemmPeers() ?? []).map(
      ({ name, found, path, version, threading, kernel, dtypes, reason, remedy }) => ({
        name,
        status: found ? 'ok' : 'absent',
        detail: found
          ? `gemm in ${dtypes.join(', ')}: ${version}, ${threading}, kernels ${kernel}, ${path}`
          : sentences(reason, remedy),
      }),
    ),
    {
      name: 'ort-node',
      status: ort.status,
      detail: ort.status === 'ok' ? `onnxruntime-node ${ort.version}` : `${ort.reason} ${ort.remedy}`,
    },
    {
      name: 'node-llama-cpp',
      status: llamaCpp.status,
      detail: llamaCpp.status === 'ok' ? `node-llama-cpp ${llamaCpp.version}` : `${llamaCpp.reason} ${llamaCpp.remedy}`,
    },
  ];
}

async function kernels(): Promise<Row[]> {
  const native = tryLoadAddon();
  if (native.addon === null) throw native.error;
  const gemm = native.addon.buildInfo().kernels.map(({ name, dtype, mr, nr, isa, supported }) => ({
    operation: 'gemm',
    name,
    dtype,
    tile: `${mr}x${nr}`,
    isa,
    here: supported ? 'yes' : `no: this CPU lacks ${isa}`,
  }));
  const collectives = native.addon
    .collectiveAlgorithms()
    .map(({ collective, name }) => ({ operation: collective, name, dtype: 'all', tile: '–', isa: '–', here: 'yes' }));
  return [...gemm, ...collectives];
}

async function devices(): Promise<Row[]> {
  const [gpus, opencl, pjrt] = await Promise.all([probeAllGpus(), probeOpencl(), probePjrt()]);
  return [...gpuRows(gpus), ...openclRows(opencl), ...pjrtRows(pjrt)];
}

function pjrtRows(probe: PjrtProbe): Row[] {
  if (probe.status !== 'ok')
    return [
      { device: 'pjrt', status: probe.status, name: null, memory: null, detail: sentences(probe.reason, probe.remedy) },
    ];
  return probe.devices.map(({ index, name, memoryBytes }) => ({
    device: `pjrt:${index}`,
    status: 'ok',
    name,
    memory: memoryBytes === null ? null : formatBytes(memoryBytes),
    detail: `${probe.platform}, ${probe.platformVersion}, PJRT ${probe.version}, ${probe.library}`,
  }));
}

function openclRows(probe: OpenclProbe): Row[] {
  if (probe.status !== 'ok')
    return [
      {
        device: 'opencl',
        status: probe.status,
        name: null,
        memory: null,
        detail: sentences(probe.reason, probe.remedy),
      },
    ];
  return probe.devices.map(device => ({
    device: `opencl:${device.index}`,
    status: 'ok',
    name: device.name,
    memory: formatBytes(device.memoryBytes),
    detail: openclDetail(probe, device),
  }));
}

function gpuRows(probes: readonly GpuProbe[]): Row[] {
  return probes.flatMap((probe): Row[] =>
    probe.status === 'ok'
      ? probe.devices.map(device => ({
          device: `${probe.vendor}:${device.index}`,
          status: 'ok',
          name: device.name,
          memory: formatBytes(device.memoryBytes),
          detail: deviceDetail(probe, device),
        }))
      : [
          {
            device: probe.vendor,
            status: probe.status,
            name: null,
            memory: null,
            detail: sentences(probe.reason, probe.remedy),
          },
        ],
  );
}

async function sources(): Promise<Row[]> {
  const native = tryLoadAddon();
  if (native.addon === null) throw native.error;
  const [local, remote] = await Promise.all([
    probeAll(DEFAULT_ROOTS, native.addon),
    probeRemote(remoteSources, process.env),
  ]);
  const rows = [...local.map(row => row.description), ...remote.flatMap(row => row.descriptions)];
  return rows.map(({ id, quantity, scope, status, reason, remedy }) => ({
    id,
    quantity,
    scope,
    status,
    detail: sentences(reason, remedy) || '–',
  }));
}

async function suites(): Promise<Row[]> {
  return builtinSuites().map(name => {
    const { value } = loadSuite(name);
    return { name, entries: value.cases.length, launches: value.launches, summary: value.summary };
  });
}

async function models(): Promise<Row[]> {
  return listModels(cacheFolder()).map(({ name, parameters, macs, bytes, cached, summary }) => ({
    name,
    parameters,
    macs,
    size: formatBytes(bytes),
    cached: cached ? 'yes' : 'made when first used',
    summary,
  }));
}

async function metrics(): Promise<Row[]> {
  return METRICS.map(({ name, unit, better, summary }) => ({ name, unit, better, summary }));
}
