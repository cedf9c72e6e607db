/**
 * System power over IPMI: DCMI's "Get Power Reading" (DCMI 1.5, 6.6.1), through ipmitool. Whole watts of the platform, as its
 * own controller measures them.
 */
import type { SourceDescription } from '../../results/schema.ts';
import { runProgram } from '../program.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'dcmi';

export type DcmiReading = { ok: true; watts: number } | { ok: false; reason: string };

/** Pure: the text of `ipmitool dcmi power reading`. */
export function parseDcmiText(text: string): DcmiReading {
  const state = /Power reading state is:\s*(\S+)/i.exec(text)?.[1];
  if (state?.toLowerCase() === 'deactivated') return { ok: false, reason: 'the controller says "deactivated"' };
  const watts = /Instantaneous power reading:\s*(\d+)\s*Watts/i.exec(text)?.[1];
  if (watts === undefined) return { ok: false, reason: 'no reading in the answer' };
  if (Number(watts) === 0) return { ok: false, reason: 'the controller says 0 W' };
  return { ok: true, watts: Number(watts) };
}

/**
 * Pure: the bytes of `ipmitool raw 0x2c 0x02 0xdc 0x01 0x00 0x00`: group extension 0xdc; current, minimum, maximum and average
 * watts (16 bits each, low byte first); time stamp (32); statistics period in milliseconds (32); state, bit 6 = active.
 */
export function parseDcmiBytes(text: string): DcmiReading {
  const bytes = text
    .trim()
    .split(/\s+/)
    .map(part => Number.parseInt(part, 16));
  if (bytes.length < 18 || bytes[0] !== 0xdc || bytes.some(byte => !(byte >= 0 && byte <= 0xff))) {
    return { ok: false, reason: 'the answer is no power reading' };
  }
  const at = (index: number, count: number): number =>
    bytes.slice(index, index + count).reduceRight((value, byte) => value * 256 + byte, 0);
  if ((at(17, 1) & 0x40) === 0) return { ok: false, reason: 'the controller says that measuring is not active' };
  if (at(1, 2) === 0) return { ok: false, reason: 'the controller says 0 W' };
  return { ok: true, watts: at(1, 2) };
}

interface Form {
  command: readonly string[];
  parse: (text: string) => DcmiReading;
}

/** Old versions of ipmitool have no text for it, so that the bytes are asked for. */
const FORMS: readonly Form[] = [
  { command: ['dcmi', 'power', 'reading'], parse: parseDcmiText },
  { command: ['raw', '0x2c', '0x02', '0xdc', '0x01', '0x00', '0x00'], parse: parseDcmiBytes },
];

/** `AIBENCH_IPMITOOL` names another program in place of ipmitool. */
export const dcmi: RemoteSource = {
  id: ID,
  summary: 'system power over IPMI DCMI (ipmitool)',
  async probe(environment, signal): Promise<RemoteRow[]> {
    const program = environment.AIBENCH_IPMITOOL || 'ipmitool';
    let row: RemoteRow | null = null;
    for (const form of FORMS) {
      const answer = await runProgram(program, form.command, signal);
      const reading = answer.ok ? form.parse(answer.text) : null;
      if (reading?.ok) return [rowOf(program, form)];
      row ??= answer.ok ? refused(reading?.reason ?? '') : explain(answer.errno, answer.text);
      if (!answer.ok && answer.errno === 'ENOENT') break;
    }
    return row ? [row] : [];
  },
};

function refused(reason: string): RemoteRow {
  return missingRow(ID, 'unsupported', reason, 'switch power measuring on in the pages of the management controller');
}

function rowOf(program: string, form: Form): RemoteRow {
  const description: SourceDescription = {
    ...{ id: `${ID}/system`, kind: 'gauge', scope: 'node', quantity: 'power', unit: 'W', status: 'ok', quantum: 1 },
    covers: ['node'],
  };
  const reader = {
    async read(signal: AbortSignal) {
      const answer = await runProgram(program, form.command, signal);
      const reading = answer.ok ? form.parse(answer.text) : null;
      return { [description.id]: reading?.ok ? reading.watts : null };
    },
  };
  return { descriptions: [description], reader };
}

function explain(errno: string, text: string): RemoteRow {
  if (errno === 'ENOENT') {
    return missingRow(
      ID,
      'absent',
      'ipmitool is not installed (ENOENT)',
      'install the package ipmitool; without a management controller it is of no use',
    );
  }
  if (/could not open device/i.test(text) && !/permission denied/i.test(text)) {
    return missingRow(
      ID,
      'absent',
      'there is no IPMI device',
      'as root: modprobe ipmi_si ipmi_devintf; a virtual machine has none',
    );
  }
  if (/permission denied|could not open device/i.test(text) || errno === 'EACCES') {
    return missingRow(
      ID,
      'denied',
      '/dev/ipmi0 cannot be opened',
      'as root: chmod a+rw /dev/ipmi0, or run aibench as root',
    );
  }
  return missingRow(ID, 'unsupported', 'the controller does not answer DCMI', 'use Redfish, if the controller has it');
}
