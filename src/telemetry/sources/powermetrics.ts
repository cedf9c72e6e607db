/** Apple silicon under macOS through `powermetrics`, which wants root and prints an average over its own interval. */
import { runProgram } from '../program.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'powermetrics';
const INTERVAL_SECONDS = 0.5;
const ARGS = ['--samplers', 'cpu_power,gpu_power', '-n', '1', '-i', String(INTERVAL_SECONDS * 1e3)] as const;
const RAILS = [
  { id: `${ID}/combined`, label: 'Combined Power (CPU + GPU + ANE)', covers: ['package-0', 'gpu-0', 'ane-0'] },
  { id: `${ID}/cpu`, label: 'CPU Power', covers: ['core-0'] },
  { id: `${ID}/gpu`, label: 'GPU Power', covers: ['gpu-0'] },
] as const;

/** Pure: rail id to watts. The first line of a label counts: two samplers can print the same rail. */
export function parsePowermetrics(text: string): Record<string, number | null> {
  const out: Record<string, number | null> = {};
  for (const { id, label } of RAILS) {
    const escaped = label.replace(/[()+]/g, '\\$&');
    const found = new RegExp(`^${escaped}:\\s*([\\d.]+)\\s*(m?)W\\s*$`, 'm').exec(text);
    const watts = found ? Number(found[1]) * (found[2] === 'm' ? 1e-3 : 1) : Number.NaN;
    out[id] = watts > 0 ? watts : null;
  }
  return out;
}

/** `AIBENCH_POWERMETRICS` names another program in place of powermetrics. */
export const powermetrics: RemoteSource = {
  id: ID,
  summary: 'power of Apple silicon under macOS (powermetrics, as root)',
  async probe(environment, signal): Promise<RemoteRow[]> {
    const program = environment.AIBENCH_POWERMETRICS || 'powermetrics';
    const answer = await runProgram(program, ARGS, signal);
    if (!answer.ok && answer.errno === 'ENOENT') {
      return [missingRow(ID, 'absent', 'there is no powermetrics (ENOENT)', 'only macOS has it')];
    }
    if (!answer.ok) {
      const denied = /superuser|root/i.test(answer.text);
      const remedy = denied ? 'run aibench with sudo' : 'look at the output of powermetrics';
      return [missingRow(ID, denied ? 'denied' : 'unsupported', 'powermetrics gives no reading', remedy)];
    }
    const first = parsePowermetrics(answer.text);
    const rails = RAILS.filter(rail => first[rail.id] !== null);
    if (rails.length === 0) return [missingRow(ID, 'unsupported', 'powermetrics names no power', 'report the model')];
    const read = async (abort: AbortSignal) => {
      const now = await runProgram(program, ARGS, abort);
      const watts = now.ok ? parsePowermetrics(now.text) : {};
      return Object.fromEntries(rails.map(({ id }) => [id, watts[id] ?? null]));
    };
    const descriptions = rails.map(({ id, covers }) => ({
      ...{ id, kind: 'gauge' as const, quantity: 'power', unit: 'W', status: 'ok' as const, quantum: 1e-3 },
      ...{ scope: covers.length > 1 ? ('package' as const) : ('chip' as const), covers: [...covers] },
      ...{
        averagingWindowSeconds: INTERVAL_SECONDS,
        reason: 'an estimate of the chip by its maker, without memory and board',
      },
    }));
    return [{ descriptions, reader: { read } }];
  },
};
