/**
 * A switched PDU over SNMP, through `snmpget` of Net-SNMP. Community, user and keys stand in Net-SNMP's own configuration
 * (~/.snmp/snmp.conf, readable by its owner alone): on a command line everybody on the machine could read them.
 */
import { runProgram } from '../program.ts';
import { missingRow, type RemoteRow, type RemoteSource } from '../remote.ts';

const ID = 'snmp-pdu';
const PREFIX = 'AIBENCH_SNMP';

/** Pure: the value that `snmpget -Oqv` prints, in watts; null where it is no number above 0. */
export function parseSnmpValue(text: string, wattsPerUnit: number): number | null {
  const number = /^\s*"?(\d+(?:\.\d+)?)"?\s*$/.exec(text)?.[1];
  const watts = number === undefined ? Number.NaN : Number(number) * wattsPerUnit;
  return watts > 0 ? watts : null;
}

/** `AIBENCH_SNMP_HOST`, `_OID` (numeric, of one outlet or bank), `_SCALE` (watts per unit; 1). `_SNMPGET`: another program. */
export const snmpPdu: RemoteSource = {
  id: ID,
  summary: `an outlet of a PDU over SNMP (${PREFIX}_HOST, ${PREFIX}_OID; snmpget)`,
  async probe(environment, signal): Promise<RemoteRow[]> {
    const [host, oid] = [environment[`${PREFIX}_HOST`], environment[`${PREFIX}_OID`]];
    if (!host || !oid) {
      const remedy = `set ${PREFIX}_HOST and ${PREFIX}_OID (of the outlet's watts); the login stands in ~/.snmp/snmp.conf`;
      return [missingRow(ID, 'absent', `${PREFIX}_HOST or ${PREFIX}_OID is not set`, remedy)];
    }
    const scale = Number(environment[`${PREFIX}_SCALE`] || 1);
    // A leading dash would be an option of the program.
    if (!/^[\w[][\w.:[\]-]*$/.test(host) || !/^\.?\d+(\.\d+)+$/.test(oid) || !(scale > 0 && scale < 1e6)) {
      const reason = `${PREFIX}_HOST, ${PREFIX}_OID or ${PREFIX}_SCALE is not understood`;
      return [
        missingRow(ID, 'unsupported', reason, 'a host name or address, a numeric OID, a number of watts per unit'),
      ];
    }
    const program = environment[`${PREFIX}_SNMPGET`] || 'snmpget';
    const args = ['-t', '2', '-r', '0', '-Oqv', host, oid];
    const answer = await runProgram(program, args, signal);
    if (!answer.ok && answer.errno === 'ENOENT') {
      return [
        missingRow(ID, 'absent', 'snmpget is not installed (ENOENT)', 'install Net-SNMP (Debian: the package snmp)'),
      ];
    }
    if (!answer.ok || parseSnmpValue(answer.text, scale) === null) {
      const reason = answer.ok ? 'the answer is no number above 0' : 'the PDU did not answer';
      return [missingRow(ID, 'unsupported', reason, 'try snmpget -Oqv with this host and OID by hand')];
    }
    const id = `${ID}/outlet`;
    const read = async (abort: AbortSignal) => {
      const now = await runProgram(program, args, abort);
      return { [id]: now.ok ? parseSnmpValue(now.text, scale) : null };
    };
    const description = {
      ...{ id, kind: 'gauge' as const, scope: 'wall' as const, covers: ['wall', 'node'], quantity: 'power', unit: 'W' },
      ...{
        status: 'ok' as const,
        quantum: scale,
        reason: 'that this outlet feeds the machine alone is the word of its owner',
      },
    };
    return [{ descriptions: [description], reader: { read } }];
  },
};
