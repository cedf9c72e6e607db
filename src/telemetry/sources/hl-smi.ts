/** Intel Gaudi accelerators through Habana's hl-smi: `hl-smi -Q index,power.draw -f csv,noheader,nounits`. */
import type { SourceDescription } from '../../results/schema.ts';
import { runProgram } from '../program.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'hl-smi';
const QUERY = ['-Q', 'index,power.draw', '-f', 'csv,noheader,nounits'] as const;

/** Pure: device index to watts; null for a device that gives none. Lines are `0, 94` or, from old versions, `0, 94 W`. */
export function parseHlSmi(text: string): Map<number, number | null> {
  const out = new Map<number, number | null>();
  for (const line of text.split('\n')) {
    const fields = line.split(',').map(field => field.trim());
    if (fields.length !== 2 || !/^\d+$/.test(fields[0] ?? '')) continue;
    const watts = /^(\d+(?:\.\d+)?)(?:\s*W)?$/.exec(fields[1] ?? '')?.[1];
    out.set(Number(fields[0]), watts === undefined || Number(watts) <= 0 ? null : Number(watts));
  }
  return out;
}

/** `AIBENCH_HL_SMI` names another program in place of hl-smi. */
export const hlSmi: RemoteSource = {
  id: ID,
  summary: 'power of Intel Gaudi accelerators (hl-smi)',
  async probe(environment, signal): Promise<RemoteRow[]> {
    const program = environment.AIBENCH_HL_SMI || 'hl-smi';
    const answer = await runProgram(program, QUERY, signal);
    if (!answer.ok && answer.errno === 'ENOENT') {
      return [
        missingRow(ID, 'absent', 'hl-smi is not installed (ENOENT)', 'without a Gaudi accelerator nothing to do'),
      ];
    }
    const all = answer.ok ? [...parseHlSmi(answer.text)] : [];
    const devices = all.filter(([, watts]) => watts !== null);
    if (devices.length === 0) {
      const reason = answer.ok ? 'hl-smi gives no power' : 'hl-smi failed';
      return [missingRow(ID, 'unsupported', reason, 'look at the output of hl-smi')];
    }
    // One that gives nothing is named: a sum without it would look like that of all.
    const descriptions = all.map(([index, watts]): SourceDescription => {
      const what = { id: `${ID}/gpu-${index}`, kind: 'gauge', scope: 'board', quantity: 'power', unit: 'W' } as const;
      const covers = [`gpu-${index}`];
      if (watts === null)
        return {
          ...{ ...what, covers, status: 'unsupported', reason: 'hl-smi gives no power for this device' },
          remedy: 'look at the output of hl-smi',
        };
      return { ...what, covers, status: 'ok', quantum: 1, reason: 'averaging is not documented; not seen on hardware' };
    });
    const reader = {
      async read(abort: AbortSignal) {
        const now = await runProgram(program, QUERY, abort);
        const watts = now.ok ? parseHlSmi(now.text) : new Map<number, number | null>();
        return Object.fromEntries(devices.map(([index]) => [`${ID}/gpu-${index}`, watts.get(index) ?? null]));
      },
    };
    return [{ descriptions, reader }];
  },
};
