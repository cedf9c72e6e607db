/** What `aibench doctor` looks at. It changes nothing and measures nothing but how busy the machine is. */
import { EXIT, type ExitCode } from '../../errors.ts';
import { assessFitness, type Finding } from '../../host/fitness.ts';
import { collectInventory } from '../../host/inventory.ts';
import { loadAddon } from '../../native/addon.ts';
import type { GpuProbe } from '../../native/types.ts';
import type { Host, SourceDescription } from '../../results/schema.ts';
import { findOrt } from '../../runtime/ort.ts';
import { DEFAULT_ROOTS, probeAll } from '../../telemetry/registry.ts';
import { probeRemote } from '../../telemetry/remote.ts';
import { remoteSources } from '../../telemetry/remote-registry.ts';
import { formatBytes } from '../../units.ts';
import { probeAllGpus } from '../../workloads/gpu/devices.ts';
import { cacheFolder } from '../cache-folder.ts';
import { gpuLines, withoutIds } from '../render/devices.ts';
import { sentences } from '../render/sentence.ts';
import { wrap } from '../render/wrap.ts';

const WIDTH = 80;

/** Prints the findings; the exit code says fit or unfit. */
export async function doctor(json: boolean): Promise<ExitCode> {
  const native = loadAddon();
  const { nvmlLibraries } = DEFAULT_ROOTS;
  const { host, observed } = await collectInventory({ native, nvmlLibraries, cacheDir: cacheFolder() });
  const [local, remote] = await Promise.all([probeAll(DEFAULT_ROOTS, native), probeRemote(remoteSources, process.env)]);
  const sources = [...local.map(row => row.description), ...remote.flatMap(row => row.descriptions)];
  const { verdict, findings } = assessFitness({ host, ...observed });
  const ort = findOrt();
  const gpus = await probeAllGpus();
  if (json)
    process.stdout.write(
      `${JSON.stringify({ verdict, host, onnxruntime: ort, gpus: gpus.map(withoutIds), sources, findings })}\n`,
    );
  else process.stdout.write(describe(host, ort, gpus, sources, verdict, findings));
  return verdict === 'fit' ? EXIT.ok : EXIT.unmeasured;
}

function describe(
  host: Host,
  ort: ReturnType<typeof findOrt>,
  gpus: readonly GpuProbe[],
  sources: readonly SourceDescription[],
  verdict: string,
  findings: readonly Finding[],
): string {
  const { cpu, memory } = host;
  const lines = [
    `CPU          ${cpu.brand}, ${cpu.usableCores} of ${cpu.logicalCores} CPUs usable, kernels for ${cpu.isas.join(', ')}`,
    `memory       ${formatBytes(memory.availableBytes)} free of ${formatBytes(memory.totalBytes)}${memory.limitBytes === null ? '' : `, limited to ${formatBytes(memory.limitBytes)}`}`,
    `accelerators ${host.accelerators.map(one => String(one.name ?? one.model ?? 'unnamed')).join(', ') || 'none found'}`,
    ...gpuLines(gpus),
    `system       ${host.os.distribution} ${host.os.release}, ${host.virtualization.hypervisor ?? (host.virtualization.virtual ? 'virtual' : 'bare metal')}${host.container === null ? '' : `, in ${host.container.runtime}`}`,
    `ONNX Runtime ${ort.status === 'ok' ? ort.version : `${ort.reason} ${ort.remedy}`}`,
    '',
    'sensors',
    ...sensorLines(sources),
    '',
    `This machine is ${verdict} for measuring${findings.length === 0 ? '.' : ':'}`,
    ...findings.map(
      ({ severity, message, remedy }) =>
        `  ${severity === 'unfit' ? 'unfit   ' : 'warning '} ${sentences(message, remedy)}`,
    ),
  ];
  return `${lines.map(line => wrap(line, WIDTH, '             ')).join('\n')}\n`;
}

/** Those that can be read by kind and number; each that cannot, with its reason. */
function sensorLines(sources: readonly SourceDescription[]): string[] {
  const readable = new Map<string, number>();
  for (const { id, quantity, status } of sources) {
    if (status !== 'ok') continue;
    const kind = `${id.split('/')[0]} ${quantity}`;
    readable.set(kind, (readable.get(kind) ?? 0) + 1);
  }
  return [
    ...[...readable].map(([kind, count]) => `  ok         ${kind}${count > 1 ? ` (${count})` : ''}`),
    ...sources
      .filter(({ status }) => status !== 'ok')
      .map(({ id, status, reason, remedy }) => `  ${status.padEnd(10)} ${id}: ${sentences(reason, remedy)}`),
  ];
}
